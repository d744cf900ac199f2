//! The dispatches of a plan, and how they are recorded.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::Step;
use crate::gpu::dispatch::binding::{Around, Binding};
use crate::gpu::dispatch::section::{Section, sections};
use crate::gpu::dispatch::timings::Timings;
use crate::gpu::dispatch::trace::{Subject, span};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// A pass of any dispatches.
pub(crate) const PASS: wgpu::ComputePassDescriptor<'static> =
    wgpu::ComputePassDescriptor { label: Some("metric-learning"), timestamp_writes: None };

/// The methods of a plan that only hand on to its program.
macro_rules! recording {
    ($plan:ident) => {
        impl $plan {
            /// Records everything as one compute pass. Creates nothing, writes nothing from the
            /// host, submits nothing.
            ///
            /// # Errors
            ///
            /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
            pub fn record(
                &self,
                encoder: &mut wgpu::CommandEncoder,
                binding: &Binding,
            ) -> Result<()> {
                self.program.record(encoder, binding)
            }

            /// The same into a compute pass of the caller's. It leaves its own pipeline and bind
            /// group 0 set.
            ///
            /// # Errors
            ///
            /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
            pub fn record_into(
                &self,
                pass: &mut wgpu::ComputePass<'_>,
                binding: &Binding,
            ) -> Result<()> {
                self.program.record_into(pass, binding)
            }

            /// The dispatches of a recording, cut where the [`Stage`](crate::Stage) changes: for
            /// callers who record each section into a pass of their own, with
            /// `timestamp_writes` or a profiler's scope.
            ///
            /// # Errors
            ///
            /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
            pub fn sections<'a>(
                &'a self,
                binding: &'a Binding,
            ) -> Result<Vec<$crate::gpu::dispatch::section::Section<'a>>> {
                self.program.sections(binding)
            }

            /// Timestamps for the recordings of a binding: see [`Timings`](crate::Timings).
            ///
            /// # Errors
            ///
            /// [`Error::MissingFeature`](crate::Error::MissingFeature) for a device without
            /// `TIMESTAMP_QUERY`, [`Error::DeviceLimit`](crate::Error::DeviceLimit) for more
            /// sections than a query set takes, [`Error::Buffer`](crate::Error::Buffer) for a
            /// binding of another plan; `OutOfMemory`, `Gpu`.
            pub fn timings(
                &self,
                binding: &Binding,
            ) -> Result<$crate::gpu::dispatch::timings::Timings> {
                $crate::gpu::dispatch::timings::Timings::new(
                    &self.program.context,
                    &self.program.sections(binding)?,
                )
            }

            /// Records everything with timestamps, each section as a compute pass.
            ///
            /// # Errors
            ///
            /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan, or timings of
            /// another binding.
            pub fn record_timed(
                &self,
                encoder: &mut wgpu::CommandEncoder,
                binding: &Binding,
                timings: &$crate::gpu::dispatch::timings::Timings,
            ) -> Result<()> {
                self.program.record_timed(encoder, binding, timings)
            }

            /// How many dispatches a recording has.
            pub fn dispatches(&self, binding: &Binding) -> usize {
                self.program.dispatches(binding)
            }

            /// Roughly how many arithmetic operations a recording takes: additions, subtractions
            /// and multiplications of f32 for distances and gradients, which are nearly all,
            /// and an estimate of the rest.
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

/// The dispatches between those of a binding.
#[derive(Debug)]
pub(crate) struct Program {
    id: u64,
    pub context: Context,
    pub subject: Subject,
    steps: Vec<Step>,
}

impl Program {
    pub(crate) fn new(context: &Context, subject: Subject, steps: Vec<Step>) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            context: context.clone(),
            subject,
            steps,
        }
    }

    /// Adds dispatches at the end.
    pub(crate) fn extend(&mut self, steps: Vec<Step>) {
        self.steps.extend(steps);
    }

    /// Binds the dispatches around those of the plan.
    pub(crate) fn bind(&self, around: impl FnOnce() -> Result<Around>) -> Result<Binding> {
        let _span = span!("bind", &self.subject);
        let around =
            self.context.or_forget(|| scoped(self.context.device(), "binding inputs", around))?;
        Ok(Binding { plan: self.id, around })
    }

    /// Records every dispatch in one pass.
    pub(crate) fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        binding: &Binding,
    ) -> Result<()> {
        self.record_into(&mut encoder.begin_compute_pass(&PASS), binding)
    }

    /// Records every dispatch.
    pub(crate) fn record_into(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        binding: &Binding,
    ) -> Result<()> {
        let _span = span!("record", &self.subject);
        self.steps(binding)?.for_each(|step| step.record(pass));
        Ok(())
    }

    pub(crate) fn record_timed(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        binding: &Binding,
        timings: &Timings,
    ) -> Result<()> {
        let _span = span!("record", &self.subject);
        timings.record(encoder, &self.sections(binding)?)
    }

    pub(crate) fn sections<'a>(&'a self, binding: &'a Binding) -> Result<Vec<Section<'a>>> {
        Ok(sections(self.steps(binding)?))
    }

    /// Every dispatch in its order.
    pub(crate) fn steps<'a>(
        &'a self,
        binding: &'a Binding,
    ) -> Result<impl Iterator<Item = &'a Step>> {
        if binding.plan != self.id {
            return Err(Error::Buffer {
                what: "binding",
                problem: "it was made by another plan".into(),
            });
        }
        let Around { before, after } = &binding.around;
        Ok(before.iter().chain(&self.steps).chain(after))
    }

    /// How many dispatches a recording has.
    pub(crate) fn dispatches(&self, binding: &Binding) -> usize {
        binding.around.before.len() + self.steps.len() + binding.around.after.len()
    }

    /// Roughly how many arithmetic operations a recording takes.
    pub(crate) fn operations(&self, binding: &Binding) -> u64 {
        let Around { before, after } = &binding.around;
        before.iter().chain(&self.steps).chain(after).map(|step| step.cost).sum()
    }
}
