//! Uniforms of dispatches that share a buffer.

use bytemuck::Pod;

use crate::error::{Error, Result};
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;

/// Uniforms one after the other, each at an offset that a binding may have.
pub(crate) struct Uniforms {
    pitch: u32,
    bytes: Vec<u8>,
}

impl Uniforms {
    /// An empty list with room for `count` uniforms of this size.
    pub(crate) fn new(context: &Context, size: usize, count: u64) -> Result<Self> {
        let limits = context.device().limits();
        let pitch = (size as u32).next_multiple_of(limits.min_uniform_buffer_offset_alignment);
        // Dynamic offsets are u32.
        let limit = limits.max_buffer_size.min(u32::MAX.into());
        let needed = count * u64::from(pitch);
        if needed > limit {
            let what = "a uniform for every dispatch (a larger workspace needs fewer)";
            return Err(Error::DeviceLimit { what, needed, name: "maxBufferSize", limit });
        }
        Ok(Self { pitch, bytes: Vec::with_capacity(needed as usize) })
    }

    /// Adds one; its offset.
    pub(crate) fn add(&mut self, uniform: &impl Pod) -> u32 {
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytemuck::bytes_of(uniform));
        self.bytes.resize(self.bytes.len().next_multiple_of(self.pitch as usize), 0);
        offset
    }

    pub(crate) fn buffer(self, context: &Context, what: &str) -> Result<wgpu::Buffer> {
        filled(
            context,
            &format!("metric-learning {what}"),
            &self.bytes,
            wgpu::BufferUsages::UNIFORM,
        )
    }
}
