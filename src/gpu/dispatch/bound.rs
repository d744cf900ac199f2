//! Ranges of buffers, those of the caller's checked.

use std::num::NonZeroU64;

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;

/// A range of a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'a> {
    pub buffer: &'a wgpu::Buffer,
    pub offset: u64,
    pub size: Option<NonZeroU64>,
}

impl<'a> Bound<'a> {
    pub(crate) fn all(buffer: &'a wgpu::Buffer) -> Self {
        Self { buffer, offset: 0, size: None }
    }
}

pub(crate) struct Checker<'c> {
    device: &'c wgpu::Device,
    alignment: u32,
}

impl<'c> Checker<'c> {
    pub(crate) fn new(context: &'c Context) -> Self {
        let device = context.device();
        Self { device, alignment: device.limits().min_storage_buffer_offset_alignment }
    }

    /// The range as a binding, which has to be there.
    pub(crate) fn needed<'a>(
        &self,
        what: &'static str,
        slice: Option<&wgpu::BufferSlice<'a>>,
        values: usize,
        reason: &'static str,
    ) -> Result<Bound<'a>> {
        self.bound(what, slice.ok_or(Error::Missing { what, reason })?, values)
    }

    /// The range as a binding, of another buffer than the one that is written beside it: wgpu would
    /// refuse every submission.
    pub(crate) fn bound_beside<'a>(
        &self,
        what: &'static str,
        slice: &wgpu::BufferSlice<'a>,
        values: usize,
        written: &wgpu::Buffer,
    ) -> Result<Bound<'a>> {
        if slice.buffer() == written {
            return Err(Error::Buffer {
                what,
                problem: "it is in the buffer that is written".into(),
            });
        }
        self.bound(what, slice, values)
    }

    /// The range as a binding of `values` numbers of 4 bytes.
    pub(crate) fn bound<'a>(
        &self,
        what: &'static str,
        slice: &wgpu::BufferSlice<'a>,
        values: usize,
    ) -> Result<Bound<'a>> {
        let problem = |problem: String| Err(Error::Buffer { what, problem });
        let needed = values as u64 * 4;
        let (offset, size) = (slice.offset(), slice.size());
        if !slice.buffer().usage().contains(wgpu::BufferUsages::STORAGE) {
            return problem(format!(
                "its usage is {:?}, STORAGE is needed",
                slice.buffer().usage()
            ));
        }
        if size < needed {
            return problem(format!("the range has {size} bytes, {needed} are needed"));
        }
        if offset % u64::from(self.alignment) != 0 {
            return problem(format!(
                "the range begins at byte {offset}, which is no multiple of {}",
                self.alignment
            ));
        }
        let bound = Bound { buffer: slice.buffer(), offset, size: NonZeroU64::new(needed) };
        match self.check_device(&bound) {
            Ok(()) => Ok(bound),
            Err(error) => problem(refused(&error)),
        }
    }

    /// Tries the range alone in a binding: wgpu tells of which device a buffer is in no other way.
    fn check_device(&self, bound: &Bound<'_>) -> Result<()> {
        let entry = wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Storage { read_only: true },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let Bound { buffer, offset, size } = *bound;
        let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size });
        scoped(self.device, "checking a buffer", || {
            let layout = self.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &[entry],
            });
            drop(self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &layout,
                entries: &[wgpu::BindGroupEntry { binding: 0, resource }],
            }));
            Ok(())
        })
    }
}

/// The problem of a buffer that is right in everything but its device, or has none any more.
pub(crate) fn refused(error: &Error) -> String {
    format!("it is of another device than the context's, or destroyed: {error}")
}
