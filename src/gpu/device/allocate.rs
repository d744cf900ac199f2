//! Buffers, made within the limits of the device and counted.

use std::cell::Cell;

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;

/// Makes buffers that fit the limits of the device.
pub(crate) struct Allocator<'a> {
    context: &'a Context,
    limits: wgpu::Limits,
    bytes: Cell<u64>,
}

impl<'a> Allocator<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self { context, limits: context.device().limits(), bytes: Cell::new(0) }
    }

    /// The bytes of all buffers that it made.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    pub(crate) fn storage(&self, what: &'static str, bytes: u64) -> Result<wgpu::Buffer> {
        self.buffer(what, bytes, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC)
    }

    /// Storage that copies are made to.
    pub(crate) fn filled_by_copies(&self, what: &'static str, bytes: u64) -> Result<wgpu::Buffer> {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        self.buffer(what, bytes, usage)
    }

    fn buffer(
        &self,
        what: &'static str,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer> {
        check_size(what, size, &self.limits)?;
        self.bytes.set(self.bytes.get() + size);
        let label = format!("metric-learning {what}");
        let descriptor =
            wgpu::BufferDescriptor { label: Some(&label), size, usage, mapped_at_creation: false };
        self.context.create_buffer(&descriptor)
    }
}

/// A uniform that holds these bytes.
pub(crate) fn uniform(context: &Context, what: &str, bytes: &[u8]) -> Result<wgpu::Buffer> {
    filled(context, &format!("metric-learning {what}"), bytes, wgpu::BufferUsages::UNIFORM)
}

/// A buffer that holds these bytes from the start, so that no queue has to write it; in a browser
/// its queue does.
pub(crate) fn filled(
    context: &Context,
    label: &str,
    bytes: &[u8],
    usage: wgpu::BufferUsages,
) -> Result<wgpu::Buffer> {
    let size = bytes.len() as u64;
    if cfg!(target_arch = "wasm32") {
        // There wgpu panics where the host has no memory for a buffer that is mapped.
        let usage = usage | wgpu::BufferUsages::COPY_DST;
        let descriptor =
            wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let buffer = context.create_buffer(&descriptor)?;
        context.queue().write_buffer(&buffer, 0, bytes);
        return Ok(buffer);
    }
    let descriptor =
        wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: true };
    let buffer = context.create_buffer(&descriptor)?;
    // wgpu reports every other reason why there may be no buffer to the scope.
    let lost = |_| Error::DeviceLost { during: "filling a buffer" };
    buffer.slice(..).get_mapped_range_mut().map_err(lost)?.copy_from_slice(bytes);
    buffer.unmap();
    Ok(buffer)
}

pub(crate) fn check_size(what: &'static str, needed: u64, limits: &wgpu::Limits) -> Result<()> {
    let binding = limits.max_storage_buffer_binding_size;
    for (name, limit) in
        [("maxStorageBufferBindingSize", binding), ("maxBufferSize", limits.max_buffer_size)]
    {
        if needed > limit {
            return Err(Error::DeviceLimit { what, needed, name, limit });
        }
    }
    Ok(())
}
