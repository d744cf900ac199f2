//! What a device can do beyond the baseline, and how far its shaders are checked.

use std::fmt;

/// Invocations of a subgroup at least, as `MOST_SUBGROUPS` of `shaders/subgroups/reduce.wgsl`
/// counts on.
const LEAST_SUBGROUP: u32 = 4;

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

impl Tier {
    /// Every tier, the fastest last.
    pub const ALL: [Self; 2] = [Self::Baseline, Self::Subgroups];

    /// The device feature that the tier needs beyond the defaults.
    pub const fn features(self) -> wgpu::Features {
        match self {
            Self::Baseline => wgpu::Features::empty(),
            Self::Subgroups => wgpu::Features::SUBGROUP,
        }
    }

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

    /// The best tier for a device of this adapter with these features.
    pub fn best(features: wgpu::Features, adapter: &wgpu::AdapterInfo) -> Self {
        let fits = |tier: &Self| tier.fits(features, adapter);
        Self::ALL.into_iter().rev().find(fits).unwrap_or_default()
    }

    /// Whether it runs on a device of this adapter with these features.
    pub(crate) fn fits(self, features: wgpu::Features, adapter: &wgpu::AdapterInfo) -> bool {
        let is_wide = self == Self::Baseline || adapter.subgroup_min_size >= LEAST_SUBGROUP;
        features.contains(self.features()) && is_wide
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            Self::Subgroups => "subgroups",
        })
    }
}

/// The WebGPU names of features, for errors.
pub(crate) fn names_of(features: wgpu::Features) -> String {
    features.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}

/// Whether the driver's shaders carry run-time checks of every index and loop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Checks {
    /// No run-time checks: every shape has been validated on the host, so that no index can leave
    /// its buffer.
    #[default]
    Trusted,
    /// Every index clamped and every loop bounded by naga, as for a shader of unknown origin.
    Checked,
}
