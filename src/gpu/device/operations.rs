//! What can fail at run time however right the program is: every allocation, pipeline, submission,
//! mapping and poll of the library is made here, so that each can be made to fail on purpose.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::Ordering;

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::device::injection::{Injected, Operation};
use crate::gpu::device::pipelines::Pipeline;
use crate::gpu::device::scope::scoped;
use crate::gpu::kernel::Kernel;

/// What injected faults say in the place of the driver.
pub(crate) const INJECTED: &str = "an injected fault";

impl Context {
    /// Makes the `nth` operation of this kind fail that the context tries from now on, counted from
    /// 0, as it fails where the memory is full or the device is lost: for an application to
    /// test what it does then. One fault of a kind waits at a time, and strikes once.
    ///
    /// ```
    /// use wgpu_metric_learning::testing::Operation;
    /// use wgpu_metric_learning::{Batch, Context, Contrastive, Error};
    ///
    /// let context = Context::headless()?;
    /// let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1])?;
    /// let fault = context.inject(Operation::Allocation, 2);
    /// let error = context.evaluate(Contrastive::default(), &batch).wait().unwrap_err();
    /// assert!(fault.has_struck() && matches!(error, Error::OutOfMemory { .. }));
    /// assert!(context.evaluate(Contrastive::default(), &batch).wait().is_ok());
    /// # Ok::<(), Error>(())
    /// ```
    pub fn inject(&self, operation: Operation, nth: u64) -> Injected<'_> {
        let left = &self.injections().0[operation as usize];
        left.store(nth.saturating_add(1), Ordering::Relaxed);
        Injected { left }
    }

    /// Whether the operation that is tried now is to fail.
    fn fails(&self, operation: Operation) -> bool {
        let left = &self.injections().0[operation as usize];
        left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) == Ok(1)
    }

    pub(crate) fn create_buffer(
        &self,
        descriptor: &wgpu::BufferDescriptor<'_>,
    ) -> Result<wgpu::Buffer> {
        if self.fails(Operation::Allocation) {
            return Err(Error::OutOfMemory {
                during: "allocating a buffer",
                message: INJECTED.into(),
            });
        }
        Ok(self.device().create_buffer(descriptor))
    }

    /// Checks that the device still makes buffers. wgpu says nothing where a lost one makes none,
    /// and panics where one is used that was not made.
    pub(crate) fn check_alive(&self, during: &'static str) -> Result<()> {
        let usage = wgpu::BufferUsages::COPY_SRC;
        let descriptor =
            wgpu::BufferDescriptor { label: None, size: 4, usage, mapped_at_creation: true };
        let buffer = self.device().create_buffer(&descriptor);
        buffer.get_mapped_range_mut(..).map(drop).map_err(|_| Error::DeviceLost { during })
    }

    /// Compiles the kernel. It is called within an error scope: what the driver refuses is reported
    /// there.
    fn create_pipeline(
        &self,
        kernel: &Kernel,
        layout: &wgpu::BindGroupLayout,
    ) -> wgpu::ComputePipeline {
        let entry = if self.fails(Operation::Pipeline) { INJECTED } else { kernel.entry };
        kernel.pipeline(
            self.device(),
            layout,
            entry,
            self.tier(),
            self.options().checks,
            self.options().pipeline_cache.as_ref(),
        )
    }

    pub(crate) fn submit(
        &self,
        mut encoder: wgpu::CommandEncoder,
    ) -> Result<wgpu::SubmissionIndex> {
        scoped(self, "submitting", || {
            if self.fails(Operation::Submission) {
                // An end without a beginning: wgpu refuses the commands.
                encoder.pop_debug_group();
            }
            Ok(self.queue().submit([encoder.finish()]))
        })
    }

    /// Maps the buffer for reading when the encoder's commands are submitted. `then` hears of it, or
    /// is dropped with an encoder that never is.
    pub(crate) fn map_on_submit(
        &self,
        encoder: &wgpu::CommandEncoder,
        buffer: &wgpu::Buffer,
        then: impl FnOnce(Result<(), wgpu::BufferAsyncError>) + Send + 'static,
    ) {
        match self.fails(Operation::Map) {
            true => then(Err(wgpu::BufferAsyncError)),
            false => encoder.map_buffer_on_submit(buffer, wgpu::MapMode::Read, .., then),
        }
    }

    /// Looks after what the device has done; whether it has done all that is waited for.
    pub(crate) fn poll(&self, poll: wgpu::PollType) -> Result<bool> {
        let lost = Err(Error::DeviceLost { during: "waiting" });
        let fails = self.fails(Operation::Poll);
        if fails && cfg!(panic = "abort") {
            return lost;
        }
        // wgpu panics in the place of an error where the driver has lost the device.
        let polled = catch_unwind(AssertUnwindSafe(|| {
            if fails {
                resume_unwind(Box::new(INJECTED));
            }
            self.device().poll(poll)
        }));
        match polled {
            Ok(Ok(_)) => Ok(true),
            Ok(Err(wgpu::PollError::Timeout)) => Ok(false),
            Err(panic) if tells_of_an_empty_queue(&*panic) => Ok(true),
            // What is waited for was never taken on.
            Ok(Err(wgpu::PollError::WrongSubmissionIndex(..))) | Err(_) => lost,
        }
    }

    /// The kernel's pipeline, made the first time it is asked for.
    pub(crate) fn pipeline(&self, kernel: &Kernel) -> Pipeline {
        let create = |layout: &_| self.create_pipeline(kernel, layout);
        self.pipelines().get(kernel, self.device(), create)
    }

    /// Forgets the pipelines made within `work` if it fails: one of them may be invalid.
    pub(crate) fn or_forget<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.pipelines().now();
        let result = work();
        if result.is_err() {
            self.pipelines().forget_since(before);
        }
        result
    }

    /// Makes a plan, with wgpu's errors as values.
    pub(crate) fn planning<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        self.or_forget(|| scoped(self, "planning", make))
    }
}

/// Whether wgpu panicked because another thread has looked after the end of all that was submitted,
/// between a wait that was too short for it and the look at the queue. Nothing is wrong then, and all
/// is done. (Mended in wgpu after version 30: <https://github.com/gfx-rs/wgpu/pull/9958>.)
fn tells_of_an_empty_queue(panic: &(dyn Any + Send)) -> bool {
    let text = panic.downcast_ref::<String>();
    text.is_some_and(|text| text.starts_with("If the queue is empty, the current submission index"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_queue_is_no_lost_device() {
        let panics = |text: &'static str| {
            catch_unwind(|| std::panic::panic_any(String::from(text))).expect_err("it panics")
        };
        let race = "If the queue is empty, the current submission index (5) should be at least the \
                    wait submission index (6)";
        assert!(tells_of_an_empty_queue(&*panics(race)));
        assert!(!tells_of_an_empty_queue(&*panics("Error in Device::poll: the device is lost")));
        let injected = catch_unwind(|| resume_unwind(Box::new(INJECTED))).expect_err("it unwinds");
        assert!(!tells_of_an_empty_queue(&*injected));
    }
}
