//! Buffers of the caller's.

use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::Context;

/// A buffer that holds these bytes.
pub fn upload(context: &Context, contents: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    context.device().create_buffer_init(&BufferInitDescriptor { label: None, contents, usage })
}
