//! How the values of a pointwise loss are cut into rows.

use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::cut::loops::check_pointwise;
use crate::loss::Loss;
use crate::wgsl::layout::Cut;

/// Values of a workgroup where rows mean nothing: 16 for each of its 256 invocations.
pub(crate) const WIDTH: usize = 4096;

/// How the values are cut: where a term is a row, into these; else into runs of `WIDTH`.
pub(crate) fn cut(loss: &Loss, shape: &Shape) -> Cut {
    let width = if loss.has_per_anchor(shape) { shape.dimensions() } else { WIDTH };
    let rows = (shape.queries() * shape.dimensions()).div_ceil(width);
    Cut { first: 0, dimensions: shape.dimensions() as u32, width: width as u32, rows: rows as u32 }
}

/// How many rows the values are cut into, if the kernels can take them.
pub(crate) fn checked_rows(loss: &Loss, shape: &Shape) -> Result<u32> {
    let Cut { rows, .. } = cut(loss, shape);
    check_pointwise(loss, shape, rows)?;
    Ok(rows)
}
