//! What an arithmetic needs of a device.

use crate::data::arithmetic::Arithmetic;
use crate::error::{Error, Result};
use crate::gpu::device::tier::names_of;

/// Invocations of a subgroup at most: of a workgroup's 256, `shaders/distance/cooperative.wgsl`
/// counts on four subgroups at least.
const MOST_SUBGROUP: u32 = 64;

impl Arithmetic {
    /// The device features that it needs beyond the defaults.
    pub const fn features(self) -> wgpu::Features {
        match self.matrix_side() {
            None => wgpu::Features::empty(),
            Some(_) => wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX
                .union(wgpu::Features::SHADER_F16)
                .union(wgpu::Features::SUBGROUP),
        }
    }

    /// Bytes of workgroup memory that it needs, where that may be more than any device has.
    pub(crate) const fn workgroup_bytes(self) -> u32 {
        match self.matrix_side() {
            None => 0,
            // Eight matrices of rows and of columns, each in two parts of f16; eight of sums; two
            // numbers of every row and column.
            Some(side) => 96 * side * side + 128 * side,
        }
    }

    /// Checks a device for it.
    pub(crate) fn check_device(self, device: &wgpu::Device) -> Result<()> {
        self.check_features(device.features())?;
        let (needed, limit) =
            (self.workgroup_bytes(), device.limits().max_compute_workgroup_storage_size);
        if needed > limit {
            return Err(Error::DeviceLimit {
                what: "the arithmetic of cooperative matrices",
                needed: needed.into(),
                name: "maxComputeWorkgroupStorageSize",
                limit: limit.into(),
            });
        }
        let has_many = device.adapter_info().subgroup_max_size <= MOST_SUBGROUP;
        match self.matrix_side() {
            Some(_) if !has_many => {
                Err(self.missing(format!("subgroups of at most {MOST_SUBGROUP} invocations")))
            }
            _ => Ok(()),
        }
    }

    /// Checks an adapter for it, which alone tells of the sizes of its matrices.
    pub(crate) fn check_adapter(self, adapter: &wgpu::Adapter) -> Result<()> {
        let Some(side) = self.matrix_side() else { return Ok(()) };
        self.check_features(adapter.features())?;
        let is_one = |matrix: &wgpu::CooperativeMatrixProperties| {
            [matrix.m_size, matrix.n_size, matrix.k_size] == [side; 3]
                && matrix.ab_type == wgpu::CooperativeScalarType::F16
                && matrix.cr_type == wgpu::CooperativeScalarType::F32
        };
        match adapter.cooperative_matrix_properties().iter().any(is_one) {
            true => Ok(()),
            false => Err(self
                .missing(format!("cooperative matrices of {side} x {side} x {side}, f16 to f32"))),
        }
    }

    fn check_features(self, features: wgpu::Features) -> Result<()> {
        match self.features() - features {
            missing if missing.is_empty() => Ok(()),
            missing => Err(self.missing(names_of(missing))),
        }
    }

    fn missing(self, feature: String) -> Error {
        Error::MissingFeature { what: format!("arithmetic {self}"), feature }
    }
}
