//! What every kernel takes for granted of a device.

use crate::error::{Error, Result};

/// Checks that these limits are enough for the baseline.
pub(crate) fn check_baseline(limits: &wgpu::Limits) -> Result<()> {
    match BASELINE.iter().find(|needed| (needed.of)(limits) < needed.value) {
        Some(&Needed { name, value, of }) => Err(Error::DeviceLimit {
            what: "the baseline of the kernels",
            needed: value,
            name,
            limit: of(limits),
        }),
        None => Ok(()),
    }
}

/// A limit that the baseline needs: never more than WebGPU's default.
pub(crate) struct Needed {
    name: &'static str,
    value: u64,
    of: fn(&wgpu::Limits) -> u64,
}

/// What every kernel may take for granted.
pub(crate) const BASELINE: &[Needed] = &[
    Needed {
        name: "maxStorageBuffersPerShaderStage",
        value: 8,
        of: |limits| limits.max_storage_buffers_per_shader_stage.into(),
    },
    Needed {
        name: "maxUniformBuffersPerShaderStage",
        value: 3,
        of: |limits| limits.max_uniform_buffers_per_shader_stage.into(),
    },
    Needed {
        name: "maxDynamicUniformBuffersPerPipelineLayout",
        value: 1,
        of: |limits| limits.max_dynamic_uniform_buffers_per_pipeline_layout.into(),
    },
    Needed {
        name: "maxComputeWorkgroupStorageSize",
        value: 16384,
        of: |limits| limits.max_compute_workgroup_storage_size.into(),
    },
    Needed {
        name: "maxComputeInvocationsPerWorkgroup",
        value: 256,
        of: |limits| limits.max_compute_invocations_per_workgroup.into(),
    },
    Needed {
        name: "maxComputeWorkgroupSizeX",
        value: 256,
        of: |limits| limits.max_compute_workgroup_size_x.into(),
    },
    Needed {
        name: "maxComputeWorkgroupsPerDimension",
        value: 65535,
        of: |limits| limits.max_compute_workgroups_per_dimension.into(),
    },
];
