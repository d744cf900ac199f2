//! The dispatches that reduce a loss and scale its gradients.

use crate::error::Result;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::matrix::{Matrix, Set};
use crate::gpu::pairs::planned_loss::{Buffers, PlannedLoss};
use crate::wgsl::layout::Finish;

/// Adds up the rows of a loss; the last loss also takes the faults over.
pub(crate) fn totals(basis: &Basis, part: &PlannedLoss, last: bool) -> Dispatch {
    let kernel = catalogue::totals(&part.loss, last);
    let Buffers { summands, rows, totals, .. } = &part.buffers;
    let cost = rows.size() / 4;
    let bound = [summands, rows, totals, &basis.matrix.state, &basis.sizes].map(Bound::all);
    kernel.dispatch(&basis.context, "totals", &bound, [1, 1, 1], cost)
}

/// Scales a gradient.
pub(crate) fn finish_gradient(
    basis: &Basis,
    totals: &wgpu::Buffer,
    set: &Set,
    gradient: &wgpu::Buffer,
    add: Option<&wgpu::Buffer>,
    finish: Finish,
) -> Result<Vec<Dispatch>> {
    let Matrix { state, unused, .. } = &basis.matrix;
    let sizes = &basis.sizes;
    let bound = [gradient, add.unwrap_or(unused), &set.points, &set.norms, totals, state, sizes]
        .map(Bound::all);
    let width = u64::from(finish.width);
    let rows = (gradient.size() / 4).div_ceil(width) as u32;
    let groups = Workgroups::for_rows(rows, width, 8);
    catalogue::finish_gradient().dispatches(
        &basis.context,
        "finish gradient",
        finish,
        &bound,
        groups,
    )
}
