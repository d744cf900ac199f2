//! Host in, host out, in one call.

use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::input::{InputSet, Numbers};
use crate::data::objective::{ObjectiveEvaluation, Weighted, check_batches};
#[cfg(not(target_arch = "wasm32"))]
use crate::data::run::Watch;
use crate::data::run::{Run, Running, Task};
use crate::error::Result;
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::readback::Pending;
use crate::gpu::dispatch::record::Recorded;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::plan::loss::Plan;
use crate::gpu::plan::measure::MeasurePlan;
use crate::gpu::plan::objective::ObjectivePlan;
use crate::loss::Loss;
use crate::measures::{Measures, Retrieval};

impl Context {
    /// Evaluates `loss` on inputs of the host.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Batch::check`], [`Context::plan`] and
    /// [`Pending::wait`].
    pub fn evaluate<'a>(
        &'a self,
        loss: impl Into<Loss>,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Evaluation> {
        let loss = loss.into();
        self.lazily(move || self.bound(&loss, batch))
    }

    /// Evaluates a weighted sum of losses on inputs of the host.
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
    /// let evaluation = Context::headless()?.evaluate_objective(&objective).wait()?;
    /// let [of_logits, of_embeddings] = &evaluation.gradients[..] else { panic!() };
    /// assert!((evaluation.loss - evaluation.losses[0].loss - 0.5 * evaluation.losses[1].loss).abs() < 1e-6);
    /// # assert_eq!([of_logits.len(), of_embeddings.len()], [8, 8]);
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with [`Error::Set`](crate::Error::Set) for losses of one set that are
    /// given different inputs; those of [`Batch::check`], [`Context::plan_objective`] and
    /// [`Pending::wait`].
    pub fn evaluate_objective<'a>(
        &'a self,
        objective: &'a [Weighted<Batch<'_>>],
    ) -> Run<'a, ObjectiveEvaluation> {
        self.lazily(move || self.bound_objective(objective))
    }

    /// Measures retrieval on inputs of the host.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Retrieval::check`], [`Context::plan_measures`] and
    /// [`Pending::wait`].
    pub fn measure<'a>(
        &'a self,
        retrieval: &'a Retrieval,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Measures> {
        self.lazily(move || self.bound_measures(retrieval, batch))
    }

    fn lazily<'a, P: ReadBack + Send + Sync + 'a>(
        &'a self,
        bind: impl FnOnce() -> Result<(P, Binding)> + Send + 'a,
    ) -> Run<'a, P::Output> {
        Run::new(OnGpu { context: self, bind })
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

/// A [`Run`] on the GPU: it plans and binds when it begins.
struct OnGpu<'a, F> {
    context: &'a Context,
    bind: F,
}

impl<'a, P, F> Task<'a, P::Output> for OnGpu<'a, F>
where
    P: ReadBack + Send + Sync + 'a,
    F: FnOnce() -> Result<(P, Binding)> + Send + 'a,
{
    #[cfg(not(target_arch = "wasm32"))]
    fn watch(self: Box<Self>, watch: &mut Watch<'_>) -> Result<P::Output> {
        let (plan, binding) = (self.bind)()?;
        self.context.run(plan.program(), &binding, |encoder| plan.read_back(encoder), watch)
    }

    fn start(self: Box<Self>) -> Running<'a, P::Output> {
        Box::pin(async move {
            let (plan, binding) = (self.bind)()?;
            let read_back = |encoder: &mut _| plan.read_back(encoder);
            self.context.run_async(plan.program(), &binding, read_back).await
        })
    }
}

/// A plan whose result is read back.
trait ReadBack: Recorded {
    type Output;

    fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<Self::Output>>;
}

macro_rules! read_back {
    ($($plan:ident => $output:ty),+) => {$(
        impl ReadBack for $plan {
            type Output = $output;

            fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<$output>> {
                $plan::read_back(self, encoder)
            }
        }
    )+};
}

read_back!(Plan => Evaluation, ObjectivePlan => ObjectiveEvaluation, MeasurePlan => Measures);

/// Fills a buffer of the GPU with the numbers of each input.
fn upload(context: &Context, inputs: &InputSet<Numbers<'_>>) -> Result<InputSet<wgpu::Buffer>> {
    scoped(context, "uploading inputs", || {
        inputs.try_map(|_, numbers| {
            filled(context, "metric-learning input", numbers.bytes(), wgpu::BufferUsages::STORAGE)
        })
    })
}
