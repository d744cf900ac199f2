//! The variants of the kernels: which shader files stand in for which.

use crate::names::named;

/// Which variant of the kernels runs. The baseline needs nothing beyond the WebGPU default limits.
/// A device with the features of a tier above takes that one, unless
/// [`Options::tier`](crate::Options::tier) says otherwise; on llvmpipe both are as fast, and on no
/// GPU has it been measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tier {
    /// WebGPU's default limits, no feature.
    #[default]
    Baseline,
    /// The sums, counts and extremes of a row go through subgroups, with fewer barriers: needs
    /// `SUBGROUP`. The last bits of a result are others than those of the baseline, and the
    /// same on every run.
    Subgroups,
}

named! {
    /// Every tier, the fastest last.
    Tier, "tier":
    Baseline "baseline",
    Subgroups "subgroups",
}

impl Tier {
    /// The shared shader file that stands in for `path` on this tier.
    pub(crate) fn stand_in(self, path: &'static str) -> &'static str {
        match (self, path) {
            (Self::Subgroups, "shared/group.wgsl") => "subgroups/group.wgsl",
            (Self::Subgroups, "shared/reduce.wgsl") => "subgroups/reduce.wgsl",
            (Self::Subgroups, "shared/reduce_extremes.wgsl") => "subgroups/reduce_extremes.wgsl",
            (Self::Subgroups, "shared/row_sum.wgsl") => "subgroups/row_sum.wgsl",
            _ => path,
        }
    }
}
