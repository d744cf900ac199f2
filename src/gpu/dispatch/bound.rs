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

/// Where the rows of a set lie in a range of f32: row i begins at number `offset + i * stride`.
///
/// So they may be fields of vertices or particles, whose other fields lie between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct RowLayout {
    /// The number in the range that the first row begins at, in f32s.
    pub offset: u32,
    /// From the beginning of a row to that of the next, in f32s; at least the columns of a row.
    pub stride: u32,
}

impl RowLayout {
    /// Rows that begin at number `offset` of the range, `stride` numbers from one to the next.
    pub const fn new(offset: u32, stride: u32) -> Self {
        Self { offset, stride }
    }
}

pub(crate) struct Checker<'c> {
    context: &'c Context,
    alignment: u32,
}

impl<'c> Checker<'c> {
    pub(crate) fn new(context: &'c Context) -> Self {
        let limits = context.device().limits();
        Self { context, alignment: limits.min_storage_buffer_offset_alignment }
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

    /// The range as a binding of rows, which lie one after the other where nothing else is said.
    pub(crate) fn rows<'a>(
        &self,
        what: &'static str,
        slice: &wgpu::BufferSlice<'a>,
        [rows, columns]: [usize; 2],
        layout: Option<RowLayout>,
    ) -> Result<(Bound<'a>, RowLayout)> {
        let layout = layout.unwrap_or(RowLayout::new(0, columns as u32));
        let RowLayout { offset, stride } = layout;
        let problem = |problem: String| Err(Error::Buffer { what, problem });
        if (stride as usize) < columns {
            return problem(format!("its rows are {stride} numbers apart and have {columns}"));
        }
        let last = rows.saturating_sub(1) as u64 * u64::from(stride);
        let values = u64::from(offset) + last + columns as u64;
        match u32::try_from(values) {
            Ok(values) => Ok((self.bound(what, slice, values as usize)?, layout)),
            Err(_) => problem(format!("its rows reach to number {values}, beyond 2^32")),
        }
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
        let device = self.context.device();
        scoped(self.context, "checking a buffer", || {
            let layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: None,
                entries: &[entry],
            });
            drop(device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &layout,
                entries: &[wgpu::BindGroupEntry { binding: 0, resource }],
            }));
            Ok(())
        })
    }
}

/// The problem of a buffer whose size, usage and alignment are right.
pub(crate) fn refused(error: &Error) -> String {
    format!("wgpu refuses it, as it does a buffer of another device or a destroyed one: {error}")
}
