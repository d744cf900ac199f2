//! Dispatches: a kernel on buffers, for a number of workgroups.

use std::num::NonZeroU64;
use std::sync::Arc;

use super::context::Context;
use super::kernel::{Kernel, Slot};
use super::layout::Stripe;
use super::stage::Stage;

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
            let size = if *slot == Slot::Stripe { NonZeroU64::new(size_of::<Stripe>() as u64) } else { bound.size };
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
}

/// Workgroups in a dimension of a dispatch.
pub(crate) const MOST_GROUPS: u32 = 65535;

/// Folds a number of workgroups to two dimensions.
pub(crate) fn folded(groups: u32) -> [u32; 3] {
    if groups <= MOST_GROUPS { [groups, 1, 1] } else { [MOST_GROUPS, groups.div_ceil(MOST_GROUPS), 1] }
}
