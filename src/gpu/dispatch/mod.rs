//! Dispatches: a kernel on buffers, for a number of workgroups.

pub(crate) mod binding;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod blocking;
pub(crate) mod bound;
#[cfg(target_arch = "wasm32")]
pub(crate) mod browser;
pub(crate) mod in_flight;
pub(crate) mod listing;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod patience;
pub(crate) mod pieces;
pub(crate) mod program;
pub(crate) mod readback;
pub(crate) mod record;
pub(crate) mod section;
pub(crate) mod submissions;
pub(crate) mod timings;
pub(crate) mod trace;
pub(crate) mod uniforms;
pub(crate) mod workgroups;

use std::num::NonZeroU64;
use std::sync::Arc;

use crate::error::Result;
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::pieces::{MOST_DISPATCHES, Piece};
use crate::gpu::dispatch::uniforms::Uniforms;
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::interface::Slot;
use crate::gpu::kernel::stage::Stage;
use crate::wgsl::layout::{Starting, Stripe};

/// One dispatch, with everything it needs.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    label: Arc<str>,
    kernel: Arc<Kernel>,
    pub stage: Stage,
    pipeline: wgpu::ComputePipeline,
    bind_group: wgpu::BindGroup,
    offset: Option<u32>,
    groups: [u32; 3],
    /// How many of its workgroups compute something.
    pub working: u64,
    /// Roughly how many arithmetic operations it takes.
    pub cost: u64,
}

impl Dispatch {
    pub(crate) fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.push_debug_group(&self.label);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, self.offset.as_slice());
        pass.dispatch_workgroups(self.groups[0], self.groups[1], self.groups[2]);
        pass.pop_debug_group();
    }

    /// The dispatch for other workgroups, on the stripe at this offset of the uniforms.
    pub(crate) fn on_stripe(&self, offset: u32, groups: [u32; 3], load: [u64; 2]) -> Self {
        let [working, cost] = load;
        Self { offset: Some(offset), groups, working, cost, ..self.clone() }
    }
}

/// WebGPU refuses bytes that are written through one binding while another one has them too; the
/// backends of wgpu outside browsers do not say so where both are written.
#[cfg(test)]
fn assert_apart(label: &str, buffers: &[Bound<'_>], slots: &[Slot]) {
    let overlap = |one: &Bound<'_>, other: &Bound<'_>| {
        let [one_range, other_range] = [one, other].map(|bound| {
            let rest = bound.buffer.size() - bound.offset;
            bound.offset..bound.offset + bound.size.map_or(rest, NonZeroU64::get)
        });
        one.buffer == other.buffer
            && one_range.start < other_range.end
            && other_range.start < one_range.end
    };
    for (at, (one, slot)) in buffers.iter().zip(slots).enumerate() {
        for (before, other) in buffers[..at].iter().enumerate() {
            let is_written =
                matches!(slot, Slot::Write(_)) || matches!(slots[before], Slot::Write(_));
            let is_shared = is_written && overlap(one, other);
            assert!(!is_shared, "{label}: bindings {before} and {at} are the same bytes");
        }
    }
}

impl Kernel {
    /// A dispatch on these buffers, in the order of the interface's slots.
    pub(crate) fn dispatch(
        &self,
        context: &Context,
        label: &'static str,
        buffers: &[Bound<'_>],
        groups: [u32; 3],
        cost: u64,
    ) -> Dispatch {
        let made = context.pipeline(self);
        let label = format!("metric-learning {label}");
        #[cfg(test)]
        assert_apart(&label, buffers, self.interface.slots());
        let mut entries = Vec::with_capacity(buffers.len());
        for ((binding, bound), slot) in buffers.iter().enumerate().zip(self.interface.slots()) {
            let size = if matches!(slot, Slot::Stripe) {
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
        Dispatch {
            label: label.into(),
            kernel: Arc::new(self.clone()),
            stage: self.interface.stage(),
            pipeline: made.pipeline,
            bind_group,
            offset: None,
            groups,
            working: groups.into_iter().map(u64::from).product(),
            cost,
        }
    }

    /// Splits the workgroups into dispatches of which none is beyond what the context allows.
    /// `subject` is the uniform of the first binding, `others` are those after it.
    pub(crate) fn dispatches(
        &self,
        context: &Context,
        label: &'static str,
        subject: impl Starting,
        others: &[Bound<'_>],
        groups: Workgroups,
    ) -> Result<Vec<Dispatch>> {
        let Workgroups { count, most, cost } = groups;
        let bound = context.operations_per_dispatch();
        let extent = [count, 1];
        let pieces =
            Piece::cut(extent, (u64::from(count) * most).div_ceil(bound).min(MOST_DISPATCHES));
        let size = size_of_val(&subject);
        let mut uniforms = Uniforms::new(context, size, pieces.len() as u64)?;
        let offsets: Vec<_> =
            pieces.iter().map(|piece| uniforms.add(&subject.starting_at(piece.first[0]))).collect();
        let buffer = &uniforms.buffer(context, label)?;
        let dispatch = |(piece, offset): (&Piece, u32)| {
            let own = Bound { buffer, offset: offset.into(), size: NonZeroU64::new(size as u64) };
            let bound: Vec<_> = std::iter::once(own).chain(others.iter().copied()).collect();
            self.dispatch(context, label, &bound, piece.groups(), piece.share(cost, extent))
        };
        Ok(pieces.iter().zip(offsets).map(dispatch).collect())
    }
}
