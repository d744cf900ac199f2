//! What waits for the device: no thread of a browser may.

use std::task;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::data::run::{Progress, Watch};
use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::patience::Patience;
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::Pending;
use crate::gpu::dispatch::submissions::{Submissions, Submitted};
use crate::gpu::dispatch::trace::span;

/// Nobody else may be polling the device: the task is to be polled again at once.
pub(crate) fn come_again(task: &task::Context<'_>) {
    task.waker().wake_by_ref();
}

impl<'a, I: Iterator<Item = &'a Dispatch>> Submissions<'a, I> {
    /// How far it has come.
    fn progress(&mut self) -> Progress {
        let next = self.dispatches.peek().map(|dispatch| dispatch.kernel.shader.path);
        Progress { next, ..self.progress }
    }
}

impl Context {
    /// Runs a program on what is bound to it and waits for the result. Before every submission
    /// `watch` hears what is done, and can break off.
    pub(crate) fn run<T>(
        &self,
        program: &Program,
        binding: &Binding,
        read_back: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<Pending<T>>,
        watch: &mut Watch<'_>,
    ) -> Result<T> {
        let _span = span!("submit", &program.name);
        let patience = Patience::new(self.options().timeout);
        let mut submissions = Submissions::new(self, || program.dispatches(binding))?;
        loop {
            if watch(submissions.progress()).is_break() {
                return Err(Error::Cancelled);
            }
            let Some(submitted) = submissions.submit()? else { break };
            while !self.has_run(&submitted, patience.look()?)? {}
            submissions.finish(&submitted);
        }
        self.submit_read_back(read_back)?.wait_with(&patience)
    }

    fn has_run(&self, submitted: &Submitted, within: Duration) -> Result<bool> {
        self.poll(wgpu::PollType::Wait {
            submission_index: Some(submitted.index.clone()),
            timeout: Some(within),
        })
    }
}

impl<T> Pending<T> {
    /// Waits until the result is there, at most this long. After [`Error::Timeout`] it is still on
    /// its way, and may be waited for again.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`]; [`Error::DeviceLost`] where the buffer cannot be read;
    /// [`Error::NotComputed`] where no recording of the plan has ever run (one that was not
    /// submitted leaves the result of the one before), or where the encoder of the copies was
    /// dropped; [`Error::NotFinite`], [`Error::Target`],
    /// [`Error::LabelOutOfRange`], [`Error::IndexOutOfRange`] and [`Error::PairWithItself`] for
    /// what the kernels found in the inputs, [`Error::StepsLeftOut`] in the gradients of an
    /// optimiser; [`Error::Overflow`] for a loss, gradient or distance beyond f32.
    pub fn wait(&mut self, timeout: Duration) -> Result<T> {
        self.wait_with(&Patience::new(timeout))
    }

    pub(crate) fn wait_with(&mut self, patience: &Patience) -> Result<T> {
        let _span = tracing::debug_span!("wait", bytes = self.staging.size()).entered();
        let start = Instant::now();
        loop {
            if let Some(result) = self.try_take() {
                return result;
            }
            let look = patience.look()?;
            match &self.submission {
                Some(submission) => {
                    let submission_index = Some(submission.clone());
                    let timeout = Some(look);
                    self.context.poll(wgpu::PollType::Wait { submission_index, timeout })?;
                }
                None => sleep(nap(start.elapsed()).min(look)),
            }
        }
    }
}

/// How long to sleep before the next look at a result that was waited for so long: a small part of
/// it, so that looking costs little and sleeping delays little.
fn nap(waited: Duration) -> Duration {
    (waited / 32).clamp(Duration::from_micros(20), Duration::from_millis(1))
}
