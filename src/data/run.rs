//! A computation from host to host, before it begins.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::ops::ControlFlow;
use std::pin::Pin;

use crate::error::Result;

/// A computation that takes and returns host memory. Nothing happens, not even a check of the
/// inputs, before one of three: [`wait`](Self::wait) for the result, [`watch`](Self::watch) it
/// come, or `.await` it. In a browser it is awaited: no thread may wait there.
///
/// ```
/// use std::ops::ControlFlow;
///
/// use wgpu_metric_learning::{Batch, Context, Error, Triplet};
///
/// # let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1])?;
/// let context = Context::headless()?;
/// let waited = context.evaluate(Triplet::default(), &batch).wait()?;
///
/// let mut shares = Vec::new();
/// let watched = context.evaluate(Triplet::default(), &batch).watch(|progress| {
///     shares.push(progress.done as f64 / progress.total as f64);
///     ControlFlow::Continue(()) // or Break(()), which ends the run with Error::Cancelled
/// })?;
/// assert_eq!(shares[0], 0.0);
///
/// let awaited = pollster::block_on(async { context.evaluate(Triplet::default(), &batch).await })?;
/// assert_eq!([&watched, &awaited], [&waited; 2]);
/// # Ok::<(), Error>(())
/// ```
#[must_use = "nothing is computed before `wait`, `watch` or `.await`"]
pub struct Run<'a, T> {
    task: Box<dyn Task<'a, T> + 'a>,
}

/// What a [`Run`] does when it is told how, by whatever computes.
pub(crate) trait Task<'a, T>: Send {
    /// Computes in the calling thread.
    #[cfg(not(target_arch = "wasm32"))]
    fn watch(self: Box<Self>, watch: &mut Watch<'_>) -> Result<T>;

    /// Computes as the future is polled, and not before.
    fn start(self: Box<Self>) -> Running<'a, T>;
}

/// Who hears how far a computation has come, and may break it off.
pub(crate) type Watch<'w> = dyn FnMut(Progress) -> ControlFlow<()> + 'w;

/// A computation that goes on as it is polled.
pub(crate) type Running<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// How far a computation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Operations that are done, roughly.
    pub done: u64,
    /// Operations in all.
    pub total: u64,
    /// The kernel that comes next, by its file.
    pub next: Option<&'static str>,
}

impl<'a, T> Run<'a, T> {
    pub(crate) fn new(task: impl Task<'a, T> + 'a) -> Self {
        Self { task: Box::new(task) }
    }

    /// Computes and waits for the result, at most the timeout of the options.
    ///
    /// # Errors
    ///
    /// Those that the call says which made this run.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn wait(self) -> Result<T> {
        self.watch(|_| ControlFlow::Continue(()))
    }

    /// Computes and waits for the result as [`wait`](Self::wait) does. Before every submission, a
    /// tenth of a second of work or less, or before every stripe of the CPU, `watch` hears how much
    /// is done, and can break off. What
    /// was begun is then left as it is; whatever computes is as good as before.
    ///
    /// # Errors
    ///
    /// Those of [`wait`](Self::wait), and [`Error::Cancelled`](crate::Error::Cancelled).
    #[cfg(not(target_arch = "wasm32"))]
    pub fn watch(self, mut watch: impl FnMut(Progress) -> ControlFlow<()>) -> Result<T> {
        self.task.watch(&mut watch)
    }
}

/// The computation as a future, for `.await`. On a GPU it does not block, knows no timeout, and
/// submits nothing more once it is dropped; it asks to be polled again at once where
/// [`Pending`](crate::Pending) does, which says who polls the device. On the CPU it is computed by
/// whoever polls it, all at once.
impl<'a, T> IntoFuture for Run<'a, T> {
    type Output = Result<T>;
    type IntoFuture = Running<'a, T>;

    fn into_future(self) -> Self::IntoFuture {
        self.task.start()
    }
}

impl<T> fmt::Debug for Run<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").finish_non_exhaustive()
    }
}
