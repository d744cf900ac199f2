//! Several read-backs at once, for those who look at the results of earlier frames.

use std::collections::VecDeque;
#[cfg(not(target_arch = "wasm32"))]
use std::time::Duration;

use crate::data::evaluation::Evaluation;
#[cfg(not(target_arch = "wasm32"))]
use crate::error::Error;
use crate::error::Result;
use crate::gpu::dispatch::readback::Pending;

/// Read-backs on their way to the host, the oldest first, and at most so many: for a renderer that
/// goes on with the next frames and takes each result some frames late, without ever waiting.
///
/// ```
/// use wgpu_metric_learning::{Context, Contrastive, InFlight, Inputs, Record, Shape};
///
/// # let context = Context::headless()?;
/// # let buffer = |size| context.device().create_buffer(&wgpu::BufferDescriptor {
/// #     label: None, size, usage: wgpu::BufferUsages::STORAGE, mapped_at_creation: false });
/// # let [embeddings, labels] = [buffer(64 * 8 * 4), buffer(64 * 4)];
/// let plan = context.plan(Contrastive::default(), Shape::batch(64, 8))?;
/// let binding = plan.bind(&Inputs::new(&embeddings, &labels))?;
/// let mut losses = InFlight::new(3);
/// for _frame in 0..10 {
///     let mut encoder = context.device().create_command_encoder(&Default::default());
///     plan.record(&mut encoder, &binding)?;
///     losses.start(|| plan.read_back_loss(&mut encoder))?;
///     context.queue().submit([encoder.finish()]);
///     while let Some(evaluation) = losses.try_take() {
///         println!("the loss some frames ago: {}", evaluation?.loss);
///     }
/// }
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
#[derive(Debug)]
pub struct InFlight<T = Evaluation> {
    pending: VecDeque<Pending<T>>,
    capacity: usize,
}

impl<T> InFlight<T> {
    /// Room for so many read-backs, at least for one.
    pub fn new(capacity: usize) -> Self {
        Self { pending: VecDeque::new(), capacity: capacity.max(1) }
    }

    /// Starts another read-back where there is room for one: a frame whose result finds none goes
    /// on without. Whether it was started.
    ///
    /// # Errors
    ///
    /// Those of `read_back`.
    pub fn start(&mut self, read_back: impl FnOnce() -> Result<Pending<T>>) -> Result<bool> {
        let has_room = self.pending.len() < self.capacity;
        if has_room {
            self.pending.push_back(read_back()?);
        }
        Ok(has_room)
    }

    /// The oldest result, if it is there; never blocks. Results come in the order in which they
    /// were started.
    ///
    /// # Errors
    ///
    /// Those of [`Pending::try_take`]; the result is gone then, and the next one is the oldest.
    pub fn try_take(&mut self) -> Option<Result<T>> {
        let result = self.pending.front_mut()?.try_take()?;
        self.pending.pop_front();
        Some(result)
    }

    /// Waits for the oldest result, at most this long; `None` where there is nothing to wait for.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], after which the result is still on its way; those
    /// of [`Pending::wait`], after which it is gone.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(&mut self, timeout: Duration) -> Option<Result<T>> {
        let result = self.pending.front_mut()?.wait(timeout);
        if !matches!(result, Err(Error::Timeout { .. })) {
            self.pending.pop_front();
        }
        Some(result)
    }

    /// How many read-backs are on their way.
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// Whether none is on its way.
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }
}
