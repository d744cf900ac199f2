//! The plan of a pointwise loss: one kernel over the caller's values, then finish. No matrix, no
//! stripes.

use super::basis::Basis;
use super::buffers::Buffers;
use super::dispatch::{Bound, Groups, OPERATIONS_PER_ROW, Step};
use super::inputs::{Checker, Inputs};
use super::layout::{Cut, Finish};
use super::limits::check_pointwise;
use super::part::Part;
use super::{kernels, steps};
use crate::Result;
use crate::loss::{Loss, Truth};
use crate::shape::Shape;

/// Values of a workgroup where rows mean nothing: 16 for each of its 256 invocations.
const WIDTH: usize = 4096;

/// Operations of a value, at an exponential or two and their series.
const COST: u64 = 64;

/// Reductions of a row by 256 invocations take as long as so many by 64.
const REDUCTIONS: u64 = 5;

/// How the values are cut: where a term is a row, into these; else into runs of `WIDTH`.
fn cut(loss: &Loss, shape: &Shape) -> Cut {
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

/// The steps after those of the binding.
pub(crate) fn steps(basis: &Basis, parts: &[Part]) -> Result<Vec<Step>> {
    let last = parts.len() - 1;
    let mut steps: Vec<_> =
        parts.iter().enumerate().map(|(at, part)| steps::totals(basis, part, at == last)).collect();
    for part in parts {
        steps.extend(finish(basis, part)?);
    }
    Ok(steps)
}

fn finish(basis: &Basis, part: &Part) -> Result<Vec<Step>> {
    let finish = Finish {
        dimensions: basis.shape.dimensions() as u32,
        width: WIDTH as u32,
        last: true.into(),
        factor: 1.0,
        ..Default::default()
    };
    let Buffers { totals, gradient, .. } = &part.buffers;
    steps::finish_gradient(basis, totals, &basis.matrix.queries, gradient, None, finish)
}

/// Checks the caller's buffers and binds the loss's kernel to them.
pub(crate) fn bind(basis: &Basis, part: &Part, inputs: &Inputs<'_>) -> Result<Vec<Step>> {
    let Part { loss, buffers } = part;
    let Basis { context, shape, matrix, .. } = basis;
    let check = Checker::new(context);
    let cut = cut(loss, shape);
    let count = shape.queries() * shape.dimensions();
    let values = check.bound("embeddings", &inputs.embeddings, count)?;
    let truth = match loss.truth() {
        Truth::Nothing => Bound::all(&matrix.unused),
        Truth::Targets | Truth::Signs => {
            check.needed("targets", &inputs.targets, count, "every value has one")?
        }
        Truth::Labels => {
            check.needed("labels", &inputs.labels, shape.queries(), "every row has one")?
        }
    };
    let bound = [
        Bound::all(&buffers.parameters),
        values,
        truth,
        Bound::all(&buffers.gradient),
        Bound::all(&buffers.rows),
        Bound::all(&matrix.state),
        Bound::all(&basis.sizes),
    ];
    let kernel = kernels::pointwise(loss.description());
    let groups = Groups::of_rows(cut.rows, cut.width.into(), COST);
    let groups = Groups { most: groups.most + REDUCTIONS * OPERATIONS_PER_ROW, ..groups };
    kernel.steps(context, "pointwise", cut, &bound, groups)
}
