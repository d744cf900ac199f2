//! Which tier a device has: what it can do beyond the baseline.

use crate::wgsl::tier::Tier;

/// Invocations of a subgroup at least, as `MOST_SUBGROUPS` of `shaders/subgroups/reduce.wgsl`
/// counts on.
pub(crate) const LEAST_SUBGROUP: u32 = 4;

impl Tier {
    /// The device feature that the tier needs beyond the defaults.
    pub const fn features(self) -> wgpu::Features {
        match self {
            Self::Baseline => wgpu::Features::empty(),
            Self::Subgroups => wgpu::Features::SUBGROUP,
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

/// The WebGPU names of features, for errors.
pub(crate) fn names_of(features: wgpu::Features) -> String {
    features.iter_names().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
}
