//! Ranges of buffers, those of the caller's checked.

use std::num::NonZeroU64;

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;

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

pub(crate) struct Checker {
    alignment: u32,
}

impl Checker {
    pub(crate) fn new(context: &Context) -> Self {
        Self { alignment: context.device().limits().min_storage_buffer_offset_alignment }
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
        Ok(Bound { buffer: slice.buffer(), offset, size: NonZeroU64::new(needed) })
    }
}
