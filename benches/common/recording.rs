//! A plan of any kind with its binding, and how long its stages take.

use std::time::{Duration, Instant};

use wgpu_metric_learning::profile::{Section, Stage, Timings};
use wgpu_metric_learning::{Binding, Context, Pending, Record, Result};

/// A plan with its binding.
pub(crate) struct Recording<P> {
    plan: P,
    binding: Binding,
    /// `None` where the wall clock measures.
    timings: Option<Timings>,
}

impl<P: Record> Recording<P> {
    pub(crate) fn new(plan: P, binding: Binding) -> Result<Self> {
        let timings =
            takes_timestamps(plan.context()).then(|| plan.timings(&binding)).transpose()?;
        Ok(Self { plan, binding, timings })
    }

    /// Submits everything, waits for it, and says how long the stages that count took: by the GPU's
    /// timestamps, or by the wall clock from their submission to its end.
    pub(crate) fn run(&self, counted: &[Stage]) -> Result<Duration> {
        match &self.timings {
            Some(timings) => self.gpu_time(timings, counted),
            None => self.wall_time(counted),
        }
    }

    fn gpu_time(&self, timings: &Timings, counted: &[Stage]) -> Result<Duration> {
        let mut encoder = self.encoder();
        self.plan.record_timed(&mut encoder, &self.binding, timings)?;
        let mut pending = timings.read_back(&mut encoder)?;
        let context = self.plan.context();
        context.queue().submit([encoder.finish()]);
        let times = pending.wait(context.options().timeout)?.into_iter();
        Ok(times.filter(|(stage, _)| counted.contains(stage)).map(|(_, time)| time).sum())
    }

    /// Stages that count and stages that do not are submitted by turns.
    fn wall_time(&self, counted: &[Stage]) -> Result<Duration> {
        let counts = |section: &Section<'_>| counted.contains(&section.stage());
        let sections = self.plan.sections(&self.binding)?;
        let mut elapsed = Duration::ZERO;
        for turn in sections.chunk_by(|one, next| counts(one) == counts(next)) {
            let mut encoder = self.encoder();
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            turn.iter().for_each(|section| section.record_into(&mut pass));
            drop(pass);
            let commands = encoder.finish();
            let start = Instant::now();
            let context = self.plan.context();
            context.queue().submit([commands]);
            context.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
            if turn.iter().all(counts) {
                elapsed += start.elapsed();
            }
        }
        Ok(elapsed)
    }

    /// What the plan makes of its inputs, computed as the benchmark computes it.
    pub(crate) fn result<T>(
        &self,
        read_back: impl FnOnce(&P, &mut wgpu::CommandEncoder) -> Result<Pending<T>>,
    ) -> Result<T> {
        self.run(&[])?;
        let context = self.plan.context();
        let mut encoder = self.encoder();
        let mut pending = read_back(&self.plan, &mut encoder)?;
        context.queue().submit([encoder.finish()]);
        pending.wait(context.options().timeout)
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        self.plan
            .context()
            .device()
            .create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }
}

/// Whether it is the GPU that says how long it takes. The wall clock does where the device has no
/// timestamps, or `CLOCK=wall` asks for it.
pub(crate) fn takes_timestamps(context: &Context) -> bool {
    let is_available = context.device().features().contains(wgpu::Features::TIMESTAMP_QUERY);
    is_available && std::env::var_os("CLOCK").is_none_or(|clock| clock != "wall")
}
