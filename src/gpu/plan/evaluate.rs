//! Host in, host out, in one call.

use std::ops::ControlFlow;

use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::input::{InputSet, Numbers};
use crate::data::objective::{ObjectiveEvaluation, Weighted, check_batches};
use crate::error::Result;
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::submissions::Progress;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::plan::loss::Plan;
use crate::gpu::plan::measure::MeasurePlan;
use crate::gpu::plan::objective::ObjectivePlan;
use crate::loss::Loss;
use crate::measures::{Measures, Retrieval};

impl Context {
    /// Evaluates `loss` on inputs of the host and waits for the result, at most the context's
    /// timeout.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::check`], [`Context::plan`] and [`Pending::wait`](crate::Pending::wait).
    pub fn evaluate(&self, loss: impl Into<Loss>, batch: &Batch<'_>) -> Result<Evaluation> {
        self.evaluate_with(loss, batch, go_on)
    }

    /// The same, watched: before every submission, a tenth of a second of work or less, `watch`
    /// hears how much is done, and can break off. What was begun is then left as it is; the
    /// context is as good as before.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    ///
    /// use wgpu_metric_learning::{Batch, Context, Error, Triplet};
    ///
    /// # let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1])?;
    /// let mut shares = Vec::new();
    /// let evaluation = Context::headless()?.evaluate_with(Triplet::default(), &batch, |progress| {
    ///     shares.push(progress.done as f64 / progress.total as f64);
    ///     ControlFlow::Continue(()) // or Break(()), which makes the call end with Error::Cancelled
    /// })?;
    /// assert_eq!(shares[0], 0.0);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate`], and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn evaluate_with(
        &self,
        loss: impl Into<Loss>,
        batch: &Batch<'_>,
        watch: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Evaluation> {
        let (plan, binding) = self.bound(&loss.into(), batch)?;
        self.run(&plan.program, &binding, |encoder| plan.read_back(encoder), watch)
    }

    /// The same without blocking: await it. See [`Pending`](crate::Pending) for who polls the
    /// device. When the future is dropped nothing more is submitted.
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate`], except the timeout.
    pub async fn evaluate_async(
        &self,
        loss: impl Into<Loss>,
        batch: &Batch<'_>,
    ) -> Result<Evaluation> {
        let (plan, binding) = self.bound(&loss.into(), batch)?;
        self.run_async(&plan.program, &binding, |encoder| plan.read_back(encoder)).await
    }

    /// Evaluates a weighted sum of losses on inputs of the host and waits for the result, at most
    /// the context's timeout.
    ///
    /// Losses over the same set are given the same embeddings; what only one of them needs, only
    /// its batch has to have.
    ///
    /// ```
    /// use wgpu_metric_learning::{Batch, Context, CrossEntropy, Triplet, Weighted};
    ///
    /// # let embeddings = [0.0, 0.1, 0.9, 0.2, 0.1, 0.0, 1.0, 0.3];
    /// # let logits = [1.0, -1.0, 0.5, 0.5, 2.0, 0.0, -1.0, 1.0];
    /// // Joint training: four embeddings of two numbers, and what a classification head makes of them.
    /// let labels = [0, 1, 0, 1];
    /// let objective = [
    ///     Weighted::new(1.0, CrossEntropy::default(), Batch::pointwise(&logits, [4, 2])?.with_labels(&labels)?),
    ///     Weighted::new(0.5, Triplet::default(), Batch::new(&embeddings, [4, 2], &labels)?).over(1),
    /// ];
    /// let evaluation = Context::headless()?.evaluate_objective(&objective)?;
    /// let [of_logits, of_embeddings] = &evaluation.gradients[..] else { panic!() };
    /// assert!((evaluation.loss - evaluation.terms[0].loss - 0.5 * evaluation.terms[1].loss).abs() < 1e-6);
    /// # assert_eq!([of_logits.len(), of_embeddings.len()], [8, 8]);
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Set`](crate::Error::Set) for losses of one set that are given different inputs;
    /// those of [`Batch::check`], [`Context::plan_objective`] and
    /// [`Pending::wait`](crate::Pending::wait).
    pub fn evaluate_objective(
        &self,
        objective: &[Weighted<Batch<'_>>],
    ) -> Result<ObjectiveEvaluation> {
        self.evaluate_objective_with(objective, go_on)
    }

    /// The same, watched as [`Context::evaluate_with`].
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate_objective`], and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn evaluate_objective_with(
        &self,
        objective: &[Weighted<Batch<'_>>],
        watch: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<ObjectiveEvaluation> {
        let (plan, binding) = self.bound_objective(objective)?;
        self.run(&plan.program, &binding, |encoder| plan.read_back(encoder), watch)
    }

    /// The same without blocking, as [`Context::evaluate_async`].
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate_objective`], except the timeout.
    pub async fn evaluate_objective_async(
        &self,
        objective: &[Weighted<Batch<'_>>],
    ) -> Result<ObjectiveEvaluation> {
        let (plan, binding) = self.bound_objective(objective)?;
        self.run_async(&plan.program, &binding, |encoder| plan.read_back(encoder)).await
    }

    /// Measures retrieval on inputs of the host and waits for the result, at most the context's
    /// timeout.
    ///
    /// # Errors
    ///
    /// Those of [`Retrieval::check`], [`Context::plan_measures`] and
    /// [`Pending::wait`](crate::Pending::wait).
    pub fn measure(&self, retrieval: &Retrieval, batch: &Batch<'_>) -> Result<Measures> {
        self.measure_with(retrieval, batch, go_on)
    }

    /// The same, watched as [`Context::evaluate_with`].
    ///
    /// # Errors
    ///
    /// Those of [`Context::measure`], and [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn measure_with(
        &self,
        retrieval: &Retrieval,
        batch: &Batch<'_>,
        watch: impl FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Measures> {
        let (plan, binding) = self.bound_measures(retrieval, batch)?;
        self.run(&plan.program, &binding, |encoder| plan.read_back(encoder), watch)
    }

    /// The same without blocking, as [`Context::evaluate_async`].
    ///
    /// # Errors
    ///
    /// Those of [`Context::measure`], except the timeout.
    pub async fn measure_async(
        &self,
        retrieval: &Retrieval,
        batch: &Batch<'_>,
    ) -> Result<Measures> {
        let (plan, binding) = self.bound_measures(retrieval, batch)?;
        self.run_async(&plan.program, &binding, |encoder| plan.read_back(encoder)).await
    }

    fn bound(&self, loss: &Loss, batch: &Batch<'_>) -> Result<(Plan, Binding)> {
        batch.check(loss)?;
        let plan = self.plan(loss, *batch.shape())?;
        let uploaded = upload(self, batch.inputs())?;
        let binding = plan.bind(&Inputs::of(&uploaded))?;
        Ok((plan, binding))
    }

    fn bound_objective(
        &self,
        objective: &[Weighted<Batch<'_>>],
    ) -> Result<(ObjectivePlan, Binding)> {
        let sets = check_batches(objective)?;
        let shapes: Vec<_> = objective.iter().map(Weighted::shape).collect();
        let plan = self.plan_objective(&shapes)?;
        let uploaded: Vec<_> = sets.iter().map(|set| upload(self, set)).collect::<Result<_>>()?;
        let inputs: Vec<_> = uploaded.iter().map(Inputs::of).collect();
        let binding = plan.bind(&inputs)?;
        Ok((plan, binding))
    }

    fn bound_measures(
        &self,
        retrieval: &Retrieval,
        batch: &Batch<'_>,
    ) -> Result<(MeasurePlan, Binding)> {
        retrieval.check(batch.shape())?;
        let plan = self.plan_measures(retrieval, *batch.shape())?;
        let uploaded = upload(self, batch.inputs())?;
        let binding = plan.bind(&Inputs::of(&uploaded))?;
        Ok((plan, binding))
    }
}

/// Of an evaluation that nobody watches.
pub(crate) fn go_on(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Fills a buffer of the GPU with the numbers of each input.
fn upload(context: &Context, inputs: &InputSet<Numbers<'_>>) -> Result<InputSet<wgpu::Buffer>> {
    scoped(context.device(), "uploading inputs", || {
        inputs.try_map(|_, numbers| {
            filled(context, "metric-learning input", numbers.bytes(), wgpu::BufferUsages::STORAGE)
        })
    })
}
