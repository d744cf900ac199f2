//! Whether a recording came to a valid result, and what becomes of one that did not: its loss is
//! not a number and its gradients are 0, for those who use them without a read-back.

use crate::error::Result;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::workgroups::{OPERATIONS_PER_GROUP, Workgroups};
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::wgsl::layout::Withdrawal;

/// How many numbers a workgroup of `finish/withdraw.wgsl` has.
const NUMBERS_PER_GROUP: u32 = 4096;

/// The status of a plan: one word of [`crate::status`].
pub(crate) fn status(allocator: &Allocator<'_>) -> Result<wgpu::Buffer> {
    allocator.storage("status", 4)
}

/// The dispatches at the end of a plan that write its status and, where it is not valid, take the
/// gradients back.
pub(crate) fn dispatches<'a>(
    context: &Context,
    status: &wgpu::Buffer,
    losses: impl Iterator<Item = (&'a Basis, &'a PlannedLoss)>,
    gradients: impl Iterator<Item = &'a wgpu::Buffer>,
) -> Result<Vec<Dispatch>> {
    let judged = losses.enumerate().map(|(at, (basis, part))| {
        let bound =
            [&basis.sizes, &part.buffers.totals, &basis.matrix.state, status].map(Bound::all);
        catalogue::status(at == 0).dispatch(context, "status", &bound, [1, 1, 1], 1)
    });
    let mut dispatches: Vec<_> = judged.collect();
    for gradient in gradients {
        dispatches.extend(withdraw(context, status, gradient, 0.0)?);
    }
    Ok(dispatches)
}

/// Fills a buffer where the status is not valid.
pub(crate) fn withdraw(
    context: &Context,
    status: &wgpu::Buffer,
    numbers: &wgpu::Buffer,
    filling: f32,
) -> Result<Vec<Dispatch>> {
    let count = (numbers.size() / 4) as u32;
    let subject = Withdrawal { first: 0, count, filling: filling.to_bits() };
    let bound = [Bound::all(status), Bound::all(numbers)];
    let groups = Workgroups {
        count: count.div_ceil(NUMBERS_PER_GROUP),
        most: OPERATIONS_PER_GROUP,
        cost: u64::from(count),
    };
    catalogue::withdraw().dispatches(context, "withdraw", subject, &bound, groups)
}
