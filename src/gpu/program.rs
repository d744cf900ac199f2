//! The dispatches of a plan, and how they are recorded.

use std::sync::atomic::{AtomicU64, Ordering};

use super::context::Context;
use super::dispatch::Step;
use super::inputs::Binding;
use super::scope::scoped;
use crate::{Error, Result};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// The methods of a plan that only hand on to its program.
macro_rules! recording {
    ($plan:ident) => {
        impl $plan {
            /// Records everything as one compute pass. Creates nothing, writes nothing from the host, submits nothing.
            ///
            /// # Errors
            ///
            /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
            pub fn record(&self, encoder: &mut wgpu::CommandEncoder, binding: &Binding) -> Result<()> {
                self.program.record(encoder, binding)
            }

            /// The same into a compute pass of the caller's. It leaves its own pipeline and bind group 0 set.
            ///
            /// # Errors
            ///
            /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
            pub fn record_into(&self, pass: &mut wgpu::ComputePass<'_>, binding: &Binding) -> Result<()> {
                self.program.record_into(pass, binding)
            }

            /// How many dispatches a recording has.
            pub fn dispatches(&self, binding: &Binding) -> usize {
                self.program.dispatches(binding)
            }

            /// Roughly how many arithmetic operations a recording takes: additions, subtractions and multiplications of f32
            /// for distances and gradients, which are nearly all, and an estimate of the rest.
            pub fn operations(&self, binding: &Binding) -> u64 {
                self.program.operations(binding)
            }

            /// The context it was made in.
            pub fn context(&self) -> &Context {
                &self.program.context
            }
        }
    };
}
pub(crate) use recording;

/// The dispatches after those that prepare the inputs.
#[derive(Debug)]
pub(crate) struct Program {
    id: u64,
    pub context: Context,
    steps: Vec<Step>,
}

impl Program {
    pub(crate) fn new(context: &Context, steps: Vec<Step>) -> Self {
        Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), context: context.clone(), steps }
    }

    /// Binds the dispatches that prepare the inputs.
    pub(crate) fn bind(&self, prepare: impl FnOnce() -> Result<Vec<Step>>) -> Result<Binding> {
        let steps = self.context.or_forget(|| scoped(self.context.device(), "binding inputs", prepare))?;
        Ok(Binding { plan: self.id, steps })
    }

    /// Records every dispatch in a pass of its own.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder, binding: &Binding) -> Result<()> {
        let descriptor = wgpu::ComputePassDescriptor { label: Some("metric-learning"), timestamp_writes: None };
        self.record_into(&mut encoder.begin_compute_pass(&descriptor), binding)
    }

    /// Records every dispatch.
    pub(crate) fn record_into(&self, pass: &mut wgpu::ComputePass<'_>, binding: &Binding) -> Result<()> {
        self.steps(binding)?.for_each(|step| step.record(pass));
        Ok(())
    }

    /// Every dispatch in its order.
    pub(crate) fn steps<'a>(&'a self, binding: &'a Binding) -> Result<impl Iterator<Item = &'a Step>> {
        if binding.plan != self.id {
            return Err(Error::Buffer { what: "binding", problem: "it was made by another plan".into() });
        }
        Ok(binding.steps.iter().chain(&self.steps))
    }

    /// How many dispatches a recording has.
    pub(crate) fn dispatches(&self, binding: &Binding) -> usize {
        self.steps.len() + binding.steps.len()
    }

    /// Roughly how many arithmetic operations a recording takes.
    pub(crate) fn operations(&self, binding: &Binding) -> u64 {
        binding.steps.iter().chain(&self.steps).map(|step| step.cost).sum()
    }
}
