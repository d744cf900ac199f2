//! The plan of a pointwise loss: one kernel over the caller's values, then finish. No matrix, no
//! stripes.

use crate::data::input::Input;
use crate::error::Result;
use crate::gpu::cut::values::{WIDTH, cut};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::{Bound, Checker};
use crate::gpu::dispatch::workgroups::{OPERATIONS_PER_ROW, Workgroups};
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::finish::{finish_gradient, totals};
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::planned_loss::{Buffers, PlannedLoss};
use crate::loss::Truth;
use crate::wgsl::layout::Finish;

/// Operations of a value, at an exponential or two and their series.
pub(crate) const COST: u64 = 64;

/// Reductions of a row by 256 invocations take as long as so many by 64.
pub(crate) const REDUCTIONS: u64 = 5;

/// The dispatches after those of the binding.
pub(crate) fn dispatches(basis: &Basis, parts: &[PlannedLoss]) -> Result<Vec<Dispatch>> {
    let last = parts.len() - 1;
    let mut dispatches: Vec<_> =
        parts.iter().enumerate().map(|(at, part)| totals(basis, part, at == last)).collect();
    for part in parts {
        dispatches.extend(finish(basis, part)?);
    }
    Ok(dispatches)
}

pub(crate) fn finish(basis: &Basis, part: &PlannedLoss) -> Result<Vec<Dispatch>> {
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
pub(crate) fn bind(
    basis: &Basis,
    part: &PlannedLoss,
    inputs: &Inputs<'_>,
) -> Result<Vec<Dispatch>> {
    let PlannedLoss { loss, buffers, .. } = part;
    let Basis { context, shape, matrix, .. } = basis;
    let check = Checker::new(context);
    let cut = cut(loss, shape);
    let count = shape.queries() * shape.dimensions();
    let values =
        check.needed("embeddings", inputs.get(Input::Embeddings), count, "every mode has them")?;
    let truth = match loss.truth() {
        Truth::Nothing => Bound::all(&matrix.unused),
        Truth::Targets | Truth::Signs => {
            check.needed("targets", inputs.get(Input::Targets), count, "every value has one")?
        }
        Truth::Labels => check.needed(
            "labels",
            inputs.get(Input::Labels),
            shape.queries(),
            "every row has one",
        )?,
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
    let groups = Workgroups::for_rows(cut.rows, cut.width.into(), COST);
    let groups = Workgroups { most: groups.most + REDUCTIONS * OPERATIONS_PER_ROW, ..groups };
    kernel.dispatches(context, "pointwise", cut, &bound, groups)
}
