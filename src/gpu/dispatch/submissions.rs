//! A recording in submissions that are bounded in time, so that a long evaluation can be watched
//! and cancelled, and no watchdog of a driver takes it for a hang.

use std::future::poll_fn;
use std::iter::Peekable;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::FutureExt;
use web_time::Instant;

use crate::data::run::Progress;
use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
#[cfg(not(target_arch = "wasm32"))]
use crate::gpu::dispatch::blocking::come_again;
#[cfg(target_arch = "wasm32")]
use crate::gpu::dispatch::browser::come_again;
use crate::gpu::dispatch::program::{PASS, Program};
use crate::gpu::dispatch::readback::Pending;

/// Operations of the first submission, before anything is known of the device: a tenth of a second
/// on a software adapter. A submission ends with the dispatch that reaches its portion.
pub(crate) const FIRST: u64 = 1 << 30;

/// How long the later ones are to take: short enough to be cancelled, long enough that waiting
/// between them costs nothing.
pub(crate) const AIM: Duration = Duration::from_millis(100);

/// A submission is at most so many times as large as the one before it.
pub(crate) const GROWTH: u64 = 8;

/// What is left of a recording.
pub(crate) struct Submissions<'a, I: Iterator<Item = &'a Dispatch>> {
    context: &'a Context,
    pub(super) dispatches: Peekable<I>,
    pub(super) progress: Progress,
    /// Operations of the next submission.
    portion: u64,
}

/// A submission that more of the recording follows.
pub(crate) struct Submitted {
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "no thread may wait for it"))]
    pub index: wgpu::SubmissionIndex,
    cost: u64,
    start: Instant,
}

impl<'a, I: Iterator<Item = &'a Dispatch>> Submissions<'a, I> {
    pub(super) fn new(context: &'a Context, dispatches: impl Fn() -> Result<I>) -> Result<Self> {
        let total = dispatches()?.map(|dispatch| dispatch.cost).sum();
        Ok(Self {
            context,
            dispatches: dispatches()?.peekable(),
            progress: Progress { done: 0, total, next: None },
            portion: FIRST,
        })
    }

    /// Submits a portion; `None` for the last one.
    pub(super) fn submit(&mut self) -> Result<Option<Submitted>> {
        let mut encoder = self.context.encoder();
        let mut pass = encoder.begin_compute_pass(&PASS);
        let mut cost = 0;
        while let Some(dispatch) = self.dispatches.next_if(|_| cost < self.portion) {
            dispatch.record(&mut pass);
            cost += dispatch.cost;
        }
        drop(pass);
        let start = Instant::now();
        let index = self.context.submit(encoder)?;
        Ok(self.dispatches.peek().map(|_| Submitted { index, cost, start }))
    }

    /// Makes the next submission as long as it should be, after this one.
    pub(super) fn finish(&mut self, Submitted { cost, start, .. }: &Submitted) {
        self.progress.done += cost;
        let fitting = *cost as f64 * AIM.as_secs_f64() / start.elapsed().as_secs_f64();
        self.portion = (fitting as u64).clamp(1, cost.saturating_mul(GROWTH));
    }
}

impl Context {
    /// Runs a program on what is bound to it, without blocking: nothing more is submitted when the
    /// future is dropped.
    pub(crate) async fn run_async<T>(
        &self,
        program: &Program,
        binding: &Binding,
        read_back: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<Pending<T>>,
    ) -> Result<T> {
        let mut submissions = Submissions::new(self, || program.dispatches(binding))?;
        while let Some(submitted) = submissions.submit()? {
            self.end_of_all().await?;
            submissions.finish(&submitted);
        }
        self.submit_read_back(read_back)?.await
    }

    /// Waits until the device has done all that was submitted so far. It comes back to the executor at
    /// least once, so that the future can be dropped between two submissions: a driver may do the
    /// work within one.
    async fn end_of_all(&self) -> Result<()> {
        let (sender, mut end) = oneshot::channel();
        self.queue().on_submitted_work_done(move || {
            // Nobody may wait any longer.
            let _ = sender.send(());
        });
        poll_fn(|task| {
            let told = end.poll_unpin(task).map_err(|_| Error::DeviceLost { during: "waiting" });
            if told.is_pending() {
                self.poll(wgpu::PollType::Poll)?;
                come_again(task);
            }
            told
        })
        .await
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some("metric-learning") };
        self.device().create_command_encoder(&descriptor)
    }

    pub(super) fn submit_read_back<T>(
        &self,
        read_back: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<Pending<T>>,
    ) -> Result<Pending<T>> {
        let mut encoder = self.encoder();
        let pending = read_back(&mut encoder)?;
        let submission = self.submit(encoder)?;
        Ok(pending.in_submission(submission))
    }
}
