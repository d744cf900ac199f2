//! How much a dispatch does at most, where its workgroups can be shared out.

/// Takes two cores less than a tenth of a second.
const OF_SOFTWARE: u64 = 3 << 28;

/// Roughly how many arithmetic operations a dispatch has at most on adapters of this type. A GPU
/// does so many in so little time that fewer would not fill it: see
/// [`Options::operations_per_dispatch`](crate::Options::operations_per_dispatch).
pub(crate) fn usual_operations(device: wgpu::DeviceType) -> u64 {
    match device {
        wgpu::DeviceType::Cpu => OF_SOFTWARE,
        wgpu::DeviceType::IntegratedGpu | wgpu::DeviceType::Other => 8 * OF_SOFTWARE,
        wgpu::DeviceType::DiscreteGpu | wgpu::DeviceType::VirtualGpu => 64 * OF_SOFTWARE,
    }
}
