//! How many of the planned rows a recording has, from numbers in buffers of the caller's.

use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;
use crate::wgsl::layout::Sizes;

/// The buffer that all kernels read the sizes from: those of the shape. No more is in it between
/// two recordings.
pub(crate) fn buffer(context: &Context, shape: &Shape) -> Result<wgpu::Buffer> {
    let [queries, references, listed, _] = planned(shape);
    let sizes =
        Sizes { queries, references, listed, pairs: shape.pairs() as u32, given: planned(shape) };
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::STORAGE;
    filled(context, "metric-learning sizes", bytemuck::bytes_of(&sizes), usage)
}

pub(crate) fn planned(shape: &Shape) -> [u32; 4] {
    [shape.queries() as u32, shape.references() as u32, shape.listed() as u32, 0]
}

/// The shape with the sizes that a recording had, if they are within the planned ones.
pub(crate) fn resized(shape: &Shape, [queries, references, listed, _]: [u32; 4]) -> Result<Shape> {
    let found = shape.resized([queries, references, listed].map(|number| number as usize));
    let numbers = [
        ("rows", found.queries(), shape.queries()),
        ("reference rows", found.references(), shape.references()),
        ("listed entries", found.listed(), shape.listed()),
    ];
    match numbers.into_iter().find(|(_, count, limit)| count > limit) {
        Some((what, count, limit)) => Err(Error::BeyondPlan { what, count, limit }),
        None => found.check().map(|()| found),
    }
}
