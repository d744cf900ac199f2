//! Dispatches: a kernel on buffers, for a number of workgroups.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::context::Context;
use super::kernel::{Kernel, Slot};
use super::layout::{Starting, Stripe};
use super::pieces::{MOST_DISPATCHES, Piece};
use super::stage::Stage;
use super::uniforms::Uniforms;
use crate::Result;

/// One dispatch, with everything it needs.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    label: Arc<str>,
    pub stage: Stage,
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    offset: Option<u32>,
    groups: [u32; 3],
    /// Roughly how many arithmetic operations it takes.
    pub cost: u64,
}

impl Step {
    pub(crate) fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.push_debug_group(&self.label);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, self.offset.as_slice());
        pass.dispatch_workgroups(self.groups[0], self.groups[1], self.groups[2]);
        pass.pop_debug_group();
    }

    /// The same for other workgroups, on the stripe at this offset of the uniforms.
    pub(crate) fn on_stripe(&self, offset: u32, groups: [u32; 3], cost: u64) -> Self {
        Self { offset: Some(offset), groups, cost, ..self.clone() }
    }
}

/// Workgroups that are numbered through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Groups {
    pub count: u32,
    /// Roughly how many arithmetic operations a workgroup takes the time of, at most.
    pub most: u64,
    /// Roughly how many all of them take.
    pub cost: u64,
}

impl Groups {
    /// Of 256 invocations with a value or a few each, of which there are so many.
    pub(crate) fn of_values(count: u32, cost_per_value: u64) -> Self {
        let most = OPERATIONS_PER_GROUP.max(256 * cost_per_value);
        Self { count: count.div_ceil(256), most, cost: u64::from(count) * cost_per_value }
    }

    /// One for each row of so many values, with loops over them and a reduction or two of 32
    /// invocations between.
    pub(crate) fn of_rows(count: u32, width: u64, cost_per_value: u64) -> Self {
        let most = OPERATIONS_PER_ROW + OPERATIONS_PER_VALUE.max(cost_per_value) * width;
        Self { count, most, cost: u64::from(count) * width * cost_per_value }
    }
}

/// How many arithmetic operations a workgroup takes the time of that reads and writes a few values
/// for each of its invocations.
pub(crate) const OPERATIONS_PER_GROUP: u64 = 4096;

/// The same of one with a row to itself: its barriers are what takes the time on a software
/// adapter, some 3 microseconds.
pub(crate) const OPERATIONS_PER_ROW: u64 = 32_768;

/// The same for every value of the row, which comes from memory and goes back to it.
const OPERATIONS_PER_VALUE: u64 = 64;

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

impl Kernel {
    /// A dispatch on these buffers, in the order of the room's bindings.
    pub(crate) fn step(
        &self,
        context: &Context,
        label: &'static str,
        buffers: &[Bound<'_>],
        groups: [u32; 3],
        cost: u64,
    ) -> Step {
        let made = context.pipeline(self);
        let label = format!("metric-learning {label}");
        let mut entries = Vec::with_capacity(buffers.len());
        for ((binding, bound), slot) in buffers.iter().enumerate().zip(self.room.slots()) {
            let size = if *slot == Slot::Stripe {
                NonZeroU64::new(size_of::<Stripe>() as u64)
            } else {
                bound.size
            };
            let buffer = wgpu::BufferBinding { buffer: bound.buffer, offset: bound.offset, size };
            let resource = wgpu::BindingResource::Buffer(buffer);
            entries.push(wgpu::BindGroupEntry { binding: binding as u32, resource });
        }
        let bind_group = context.device().create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(&label),
            layout: &made.layout,
            entries: &entries,
        });
        Step {
            label: label.into(),
            stage: self.room.stage(),
            pipeline: made.pipeline,
            bind_group,
            offset: None,
            groups,
            cost,
        }
    }

    /// As many dispatches as it takes so that none is beyond what the context allows. `subject` is
    /// the uniform of the first binding, `others` are those after it.
    pub(crate) fn steps(
        &self,
        context: &Context,
        label: &'static str,
        subject: impl Starting,
        others: &[Bound<'_>],
        groups: Groups,
    ) -> Result<Vec<Step>> {
        let Groups { count, most, cost } = groups;
        let bound = context.options().operations_per_dispatch.max(1);
        let extent = [count, 1];
        let pieces =
            Piece::cut(extent, (u64::from(count) * most).div_ceil(bound).min(MOST_DISPATCHES));
        let size = size_of_val(&subject);
        let mut uniforms = Uniforms::new(context, size, pieces.len() as u64)?;
        let offsets: Vec<_> =
            pieces.iter().map(|piece| uniforms.add(&subject.starting_at(piece.first[0]))).collect();
        let buffer = &uniforms.buffer(context, label)?;
        let step = |(piece, offset): (&Piece, u32)| {
            let own = Bound { buffer, offset: offset.into(), size: NonZeroU64::new(size as u64) };
            let bound: Vec<_> = std::iter::once(own).chain(others.iter().copied()).collect();
            self.step(context, label, &bound, piece.groups(), piece.share(cost, extent))
        };
        Ok(pieces.iter().zip(offsets).map(step).collect())
    }
}

/// Workgroups in a dimension of a dispatch.
pub(crate) const MOST_GROUPS: u32 = 65535;

/// Folds a number of workgroups to two dimensions.
pub(crate) fn folded(groups: u32) -> [u32; 3] {
    if groups <= MOST_GROUPS {
        [groups, 1, 1]
    } else {
        [MOST_GROUPS, groups.div_ceil(MOST_GROUPS), 1]
    }
}
