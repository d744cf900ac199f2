//! The dispatches of a plan.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::{Binding, Surroundings};
use crate::gpu::dispatch::trace::{TraceName, span};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A compute pass for dispatches of any stage.
pub(crate) const PASS: wgpu::ComputePassDescriptor<'static> =
    wgpu::ComputePassDescriptor { label: Some("metric-learning"), timestamp_writes: None };

/// The dispatches of a plan, which those of a binding come before and after.
#[derive(Debug)]
pub struct Program {
    id: u64,
    pub(crate) context: Context,
    pub(crate) name: TraceName,
    dispatches: Vec<Dispatch>,
}

impl Program {
    pub(crate) fn new(context: &Context, name: TraceName, dispatches: Vec<Dispatch>) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            context: context.clone(),
            name,
            dispatches,
        }
    }

    /// Adds dispatches at the end.
    pub(crate) fn extend(&mut self, dispatches: Vec<Dispatch>) {
        self.dispatches.extend(dispatches);
    }

    /// Binds the dispatches around those of the plan.
    pub(crate) fn bind(
        &self,
        surroundings: impl FnOnce() -> Result<Surroundings>,
    ) -> Result<Binding> {
        let _span = span!("bind", &self.name);
        let surroundings =
            self.context.or_forget(|| scoped(&self.context, "binding inputs", surroundings))?;
        Ok(Binding { plan: self.id, surroundings })
    }

    /// Every dispatch of a recording with this binding, in their order.
    pub(crate) fn dispatches<'a>(
        &'a self,
        binding: &'a Binding,
    ) -> Result<impl Iterator<Item = &'a Dispatch>> {
        if binding.plan != self.id {
            return Err(Error::Buffer {
                what: "binding",
                problem: "it was made by another plan".into(),
            });
        }
        let Surroundings { before, after } = &binding.surroundings;
        Ok(before.iter().chain(&self.dispatches).chain(after))
    }

    /// The dispatches of the plan itself, in their order.
    pub(crate) fn own(&self) -> &[Dispatch] {
        &self.dispatches
    }
}
