//! The engine of the CPU: the three steps of the GPU, in f32 by direct differences, on all threads.
//!
//! *distance* and *gradient* are the loops of `tiles`; *terms* are the definitions of the losses,
//! in plain f64. `sweep` is the way of a matrix of pairs, `lists` that of listed ones, `pointwise`
//! that of the losses without any.

mod axes;
mod lists;
mod matrix;
mod measures;
mod memory_bank;
mod mlp;
mod objective;
mod points;
mod pointwise;
mod pulls;
mod scores;
mod search;
mod step;
mod sweep;
mod terms;
mod tiles;
mod totals;
mod trainer;
mod training;
mod verification;

use std::ops::ControlFlow;

use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::objective::{ObjectiveEvaluation, Weighted};
use crate::data::run::{Run, Running, Task, Watch};
use crate::definition::list::List;
use crate::definition::loss::learned_of;
use crate::error::Result;
use crate::loss::{Distance, Loss, for_every_loss};
use crate::measures::{Measures, QueryMeasures, Retrieval, Verification, Verified};
use crate::parallel::in_pool;
use crate::search::{Neighbours, Search};
use matrix::Matrix;
pub use memory_bank::CpuMemoryBank;
pub use mlp::Activations;
use step::Steps;
use terms::Terms;
pub use trainer::CpuTrainer;
pub use training::CpuOptimizer;

/// The engine of the CPU: every loss and measure without a GPU, vectorised, on all threads of the
/// [rayon] pool that it is called in.
///
/// Distances are direct differences in f32, as on the GPU, and results are within the same bounds.
/// They are the same bits on every run of a machine and for every number of threads; another
/// machine may have other vector instructions, and then rounds in another way.
///
/// ```
/// use wgpu_metric_learning::{Batch, Cpu, Triplet};
///
/// let embeddings = [0.0, 0.0, 0.3, 0.0, 0.0, 0.4];
/// let batch = Batch::new(&embeddings, [3, 2], &[7, 7, 8])?;
/// let evaluation = Cpu::default().evaluate(Triplet::default(), &batch).wait()?;
/// assert!((evaluation.loss - 0.1 / 2.0).abs() < 1e-6);
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
///
/// [rayon]: https://docs.rs/rayon
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cpu {
    workspace_bytes: u64,
}

impl Default for Cpu {
    fn default() -> Self {
        Self { workspace_bytes: 32 << 20 }
    }
}

impl Cpu {
    /// The same engine with another workspace for the matrix, in bytes: at least 4 per column. The
    /// bits are the same for every one that holds at least 64 rows and not the whole matrix. Default
    /// 32 MiB, which holds batches of up to 2,896 rows. Inputs, their copies and
    /// gradients come beside it, and for each thread some vectors as long as a row of the matrix.
    #[must_use]
    pub fn with_workspace_bytes(self, workspace_bytes: u64) -> Self {
        Self { workspace_bytes }
    }

    /// Evaluates `loss` on inputs of the host.
    ///
    /// The [`Run`] computes in the thread that waits, or that polls it: one poll is all of it.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Batch::check`];
    /// [`Error::Workspace`](crate::Error::Workspace) where the workspace does not hold one row, and
    /// [`Error::Overflow`](crate::Error::Overflow).
    pub fn evaluate<'a>(
        &'a self,
        loss: impl Into<Loss>,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Evaluation> {
        let loss = loss.into();
        lazily(move |watch| {
            batch.check(&loss)?;
            let mut steps = Steps::of(watch, [batch.shape()].into_iter());
            evaluate(self, &loss, batch, &mut steps)
        })
    }

    /// Evaluates a weighted sum of losses on inputs of the host, as
    /// [`Context::evaluate_objective`](crate::Context::evaluate_objective) does.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`evaluate`](Self::evaluate), and with
    /// [`Error::Set`](crate::Error::Set) for losses of one set that are given different inputs.
    pub fn evaluate_objective<'a>(
        &'a self,
        objective: &'a [Weighted<Batch<'_>>],
    ) -> Run<'a, ObjectiveEvaluation> {
        lazily(move |watch| objective::evaluate_all(self, objective, watch))
    }

    /// Measures retrieval on inputs of the host.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Retrieval::check`], and
    /// [`Error::Workspace`](crate::Error::Workspace) where the workspace does not hold one row.
    pub fn measure<'a>(
        &'a self,
        retrieval: &'a Retrieval,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Measures> {
        lazily(move |watch| self.measure_each(retrieval, batch, watch).map(|each| each.measures()))
    }

    /// Measures retrieval on inputs of the host, query by query: for the measures of each class, and
    /// for how sure those of all queries are.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`measure`](Self::measure).
    pub fn measure_queries<'a>(
        &'a self,
        retrieval: &'a Retrieval,
        batch: &'a Batch<'_>,
    ) -> Run<'a, QueryMeasures> {
        lazily(move |watch| self.measure_each(retrieval, batch, watch))
    }

    fn measure_each(
        &self,
        retrieval: &Retrieval,
        batch: &Batch,
        watch: &mut Watch<'_>,
    ) -> Result<QueryMeasures> {
        retrieval.check(batch.shape())?;
        let mut steps = Steps::of(watch, [batch.shape()].into_iter());
        steps.begin(batch.shape());
        let matrix = self.matrix(retrieval.distance, retrieval.normalize, batch)?;
        measures::measure(retrieval, batch.labels(), &matrix, &mut steps)
    }

    /// Verifies whether distances tell rows that are the same from others.
    ///
    /// Of a batch or references the pairs are counted by their distances, in several sweeps over
    /// the matrix, in counts that take as much room again as the workspace, at least 1 MiB. A list
    /// of pairs is sorted.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Verification::check`]; with
    /// [`Error::Missing`](crate::Error::Missing) where no pair is the same or none is different,
    /// [`Error::Workspace`](crate::Error::Workspace) where the workspace does not hold one row, and
    /// [`Error::Overflow`](crate::Error::Overflow) for a distance beyond f32.
    pub fn verify<'a>(
        &'a self,
        verification: &'a Verification,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Verified> {
        lazily(move |watch| {
            verification.check(batch.shape())?;
            let mut steps = Steps::of(watch, [batch.shape()].into_iter());
            steps.begin(batch.shape());
            if let Some(list) = List::of(batch) {
                return verification::of_list(verification, batch, &list, &mut steps);
            }
            let matrix = self.matrix(verification.distance, verification.normalize, batch)?;
            verification::of_matrix(verification, &matrix, self.workspace_bytes, &mut steps)
        })
    }

    /// Finds the nearest references of every query; both are rows of `dimensions` numbers, one after
    /// the other.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Search::check`]; with
    /// [`Error::Length`](crate::Error::Length) for numbers that are no whole rows,
    /// [`Error::NotFinite`](crate::Error::NotFinite),
    /// [`Error::Workspace`](crate::Error::Workspace) where the workspace does not hold one row, and
    /// [`Error::Overflow`](crate::Error::Overflow) for a neighbour whose distance is beyond f32.
    pub fn search<'a>(
        &'a self,
        search: &'a Search,
        dimensions: usize,
        queries: &'a [f32],
        references: &'a [f32],
    ) -> Run<'a, Neighbours> {
        lazily(move |watch| {
            search.with_batch(dimensions, [queries, references], |batch| {
                let mut steps = Steps::of(watch, [batch.shape()].into_iter());
                steps.begin(batch.shape());
                let matrix = self.matrix(search.distance, search.normalize, batch)?;
                search::search(search.k, &matrix, &mut steps)
            })
        })
    }

    /// The matrix of distances of a batch without anything that is learned.
    fn matrix<'b>(
        &self,
        distance: Distance,
        normalize: bool,
        batch: &Batch<'b>,
    ) -> Result<Matrix<'b>> {
        in_pool(|| Matrix::new(distance, normalize, batch, Vec::new(), self.workspace_bytes))
    }
}

macro_rules! define_evaluate {
    ($($pairs:ident),*; $($pointwise:ident),*) => {
        /// Evaluates a loss on a batch that has been checked, as the next of the steps.
        fn evaluate(cpu: &Cpu, loss: &Loss, batch: &Batch, steps: &mut Steps<'_>) -> Result<Evaluation> {
            steps.begin(batch.shape());
            let evaluation = match loss {
                $(Loss::$pairs(loss) => over_pairs(cpu, loss, batch, steps),)*
                $(Loss::$pointwise(loss) => pointwise::evaluate(loss, batch, steps),)*
            };
            steps.end(batch.shape());
            evaluation
        }
    };
}
for_every_loss!(define_evaluate);

fn over_pairs<L: Terms>(
    cpu: &Cpu,
    loss: &L,
    batch: &Batch,
    steps: &mut Steps<'_>,
) -> Result<Evaluation> {
    let batch = &batch.of_loss(loss);
    if let Some(list) = List::of(batch) {
        return lists::evaluate(loss, batch, &list, steps);
    }
    let (distance, normalize, _) = loss.settings();
    let distance = distance.unwrap_or_default();
    let learned = learned_of(loss, batch);
    let matrix = in_pool(|| Matrix::new(distance, normalize, batch, learned, cpu.workspace_bytes))?;
    sweep::evaluate(loss, batch, matrix, steps)
}

/// A [`Run`] on the CPU.
struct OnCpu<F>(F);

fn lazily<'a, T: Send + 'a>(
    compute: impl for<'w> FnOnce(&'w mut Watch<'w>) -> Result<T> + Send + 'a,
) -> Run<'a, T> {
    Run::new(OnCpu(compute))
}

impl<'a, T, F> Task<'a, T> for OnCpu<F>
where
    F: for<'w> FnOnce(&'w mut Watch<'w>) -> Result<T> + Send + 'a,
{
    #[cfg(not(target_arch = "wasm32"))]
    fn watch(self: Box<Self>, watch: &mut Watch<'_>) -> Result<T> {
        (self.0)(&mut |progress| watch(progress))
    }

    fn start(self: Box<Self>) -> Running<'a, T> {
        Box::pin(async move { (self.0)(&mut |_| ControlFlow::Continue(())) })
    }
}
