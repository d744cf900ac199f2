//! What every plan can do: be recorded, timed and read.

use crate::error::Result;
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::binding::{Binding, Surroundings};
use crate::gpu::dispatch::listing::Listing;
use crate::gpu::dispatch::program::{PASS, Program};
use crate::gpu::dispatch::section::{Section, sections};
use crate::gpu::dispatch::timings::Timings;
use crate::gpu::dispatch::trace::span;

/// Keeps [`Record`] to the plans of this crate.
pub trait Recorded {
    /// The dispatches of the plan.
    fn program(&self) -> &Program;
}

/// Gives a plan with a field `program` everything of [`Record`], and a listing as its `Display`.
macro_rules! recorded {
    ($plan:ident) => {
        impl $crate::gpu::dispatch::record::Recorded for $plan {
            fn program(&self) -> &$crate::gpu::dispatch::program::Program {
                &self.program
            }
        }

        impl $crate::gpu::dispatch::record::Record for $plan {}

        /// The dispatches of the plan in their order, without those of a binding, which come before
        /// and after them: see [`Record::listing`](crate::Record::listing) for all of a recording.
        impl std::fmt::Display for $plan {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(
                    &$crate::gpu::dispatch::listing::Listing::of_program(&self.program),
                    f,
                )
            }
        }
    };
}
pub(crate) use recorded;

/// A plan that is recorded into a command encoder of the caller's: the plans of losses, objectives,
/// measures, linear projections and optimisers.
///
/// Recording creates nothing on the device, writes nothing from the host and submits nothing. The
/// trait is sealed: only plans of this crate implement it.
pub trait Record: Recorded {
    /// Records everything as one compute pass.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
    fn record(&self, encoder: &mut wgpu::CommandEncoder, binding: &Binding) -> Result<()> {
        self.record_into(&mut encoder.begin_compute_pass(&PASS), binding)
    }

    /// Records everything into a compute pass of the caller's. It leaves its own pipeline and bind
    /// group 0 set.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
    fn record_into(&self, pass: &mut wgpu::ComputePass<'_>, binding: &Binding) -> Result<()> {
        let program = self.program();
        let _span = span!("record", &program.name);
        program.dispatches(binding)?.for_each(|dispatch| dispatch.record(pass));
        Ok(())
    }

    /// The dispatches of a recording, cut where the [`Stage`](crate::profile::Stage) changes: for
    /// callers who record each section into a pass of their own, with `timestamp_writes` or a
    /// profiler's scope.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
    fn sections<'a>(&'a self, binding: &'a Binding) -> Result<Vec<Section<'a>>> {
        Ok(sections(self.program().dispatches(binding)?))
    }

    /// Timestamps for the recordings of a binding: see [`Timings`].
    ///
    /// # Errors
    ///
    /// [`Error::MissingFeature`](crate::Error::MissingFeature) for a device without
    /// `TIMESTAMP_QUERY`, [`Error::DeviceLimit`](crate::Error::DeviceLimit) for more sections than
    /// a query set takes, [`Error::Buffer`](crate::Error::Buffer) for a binding of another
    /// plan; [`Error::OutOfMemory`](crate::Error::OutOfMemory),
    /// [`Error::Gpu`](crate::Error::Gpu).
    fn timings(&self, binding: &Binding) -> Result<Timings> {
        Timings::new(&self.program().context, &self.sections(binding)?)
    }

    /// Records everything with timestamps, each section as a compute pass.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan, or timings of another
    /// binding.
    fn record_timed(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        binding: &Binding,
        timings: &Timings,
    ) -> Result<()> {
        let _span = span!("record", &self.program().name);
        timings.record(encoder, &self.sections(binding)?)
    }

    /// The dispatches of a recording in their order, as text: for each the kernel, its workgroups,
    /// and what it reads and writes.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a binding of another plan.
    fn listing<'a>(&'a self, binding: &'a Binding) -> Result<Listing<'a>> {
        let program = self.program();
        Ok(Listing::new(program, program.dispatches(binding)?))
    }

    /// How many dispatches a recording has.
    fn dispatches(&self, binding: &Binding) -> usize {
        let Surroundings { before, after } = &binding.surroundings;
        before.len() + self.program().own().len() + after.len()
    }

    /// Roughly how many arithmetic operations a recording takes: additions, subtractions and
    /// multiplications of f32 for distances and gradients, which are nearly all, and an estimate of
    /// the rest.
    fn operations(&self, binding: &Binding) -> u64 {
        let Surroundings { before, after } = &binding.surroundings;
        before.iter().chain(self.program().own()).chain(after).map(|dispatch| dispatch.cost).sum()
    }

    /// The context that the plan was made in.
    fn context(&self) -> &Context {
        &self.program().context
    }
}
