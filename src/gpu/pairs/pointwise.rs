//! The plan of a pointwise loss: one kernel over the caller's values, then finish. No matrix, no
//! stripes.

use crate::error::Result;
use crate::gpu::cut::values::{WIDTH, cut};
use crate::gpu::dispatch::Step;
use crate::gpu::dispatch::bound::{Bound, Checker};
use crate::gpu::dispatch::groups::{Groups, OPERATIONS_PER_ROW};
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::finish::{finish_gradient, totals};
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::part::{Buffers, Part};
use crate::loss::Truth;
use crate::wgsl::layout::Finish;

/// Operations of a value, at an exponential or two and their series.
pub(crate) const COST: u64 = 64;

/// Reductions of a row by 256 invocations take as long as so many by 64.
pub(crate) const REDUCTIONS: u64 = 5;

/// The steps after those of the binding.
pub(crate) fn steps(basis: &Basis, parts: &[Part]) -> Result<Vec<Step>> {
    let last = parts.len() - 1;
    let mut steps: Vec<_> =
        parts.iter().enumerate().map(|(at, part)| totals(basis, part, at == last)).collect();
    for part in parts {
        steps.extend(finish(basis, part)?);
    }
    Ok(steps)
}

pub(crate) fn finish(basis: &Basis, part: &Part) -> Result<Vec<Step>> {
    let finish = Finish {
        dimensions: basis.shape.dimensions() as u32,
        width: WIDTH as u32,
        last: true.into(),
        factor: 1.0,
        ..Default::default()
    };
    let Buffers { totals, gradient, .. } = &part.buffers;
    finish_gradient(basis, totals, &basis.matrix.queries, gradient, None, finish)
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
    let kernel = catalogue::pointwise(loss.description());
    let groups = Groups::of_rows(cut.rows, cut.width.into(), COST);
    let groups = Groups { most: groups.most + REDUCTIONS * OPERATIONS_PER_ROW, ..groups };
    kernel.steps(context, "pointwise", cut, &bound, groups)
}
