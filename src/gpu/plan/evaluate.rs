//! Host in, host out, in one call.

use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::input::{Input, InputSet, Numbers};
use crate::data::objective::{ObjectiveEvaluation, Weighted, check_batches};
#[cfg(not(target_arch = "wasm32"))]
use crate::data::run::Watch;
use crate::data::run::{Run, Running, Task};
use crate::error::Result;
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::Pending;
use crate::gpu::dispatch::record::Recorded;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::plan::loss::Plan;
use crate::gpu::plan::measure::MeasurePlan;
use crate::gpu::plan::objective::ObjectivePlan;
use crate::gpu::plan::search::SearchPlan;
use crate::gpu::plan::verification::VerificationPlan;
use crate::loss::Loss;
use crate::measures::{Measures, QueryMeasures, Retrieval, Verification, Verified};
use crate::search::{Neighbours, Search};

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
        self.lazily(move || {
            let (plan, binding) = self.bound_measures(retrieval, batch)?;
            Ok((OfQueries(plan), binding))
        })
    }

    /// Verifies on inputs of the host whether distances tell rows that are the same from others.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Verification::check`], [`Context::plan_verification`] and
    /// [`Pending::wait`]; with [`Error::Missing`](crate::Error::Missing) where no pair is the same or
    /// none is different, and [`Error::Overflow`](crate::Error::Overflow) for a distance beyond f32.
    pub fn verify<'a>(
        &'a self,
        verification: &'a Verification,
        batch: &'a Batch<'_>,
    ) -> Run<'a, Verified> {
        self.lazily(move || self.bound_verification(verification, batch))
    }

    /// Finds the nearest references of every query; both are rows of `dimensions` numbers, one after
    /// the other.
    ///
    /// # Errors
    ///
    /// The [`Run`] may end with those of [`Search::check`], [`Context::plan_search`] and
    /// [`Pending::wait`]; with [`Error::Length`](crate::Error::Length) for numbers that are no whole
    /// rows, and [`Error::Overflow`](crate::Error::Overflow) for a neighbour whose distance is beyond
    /// f32.
    pub fn search<'a>(
        &'a self,
        search: &'a Search,
        dimensions: usize,
        queries: &'a [f32],
        references: &'a [f32],
    ) -> Run<'a, Neighbours> {
        self.lazily(move || self.bound_search(search, dimensions, [queries, references]))
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

    fn bound_search(
        &self,
        search: &Search,
        dimensions: usize,
        rows: [&[f32]; 2],
    ) -> Result<(SearchPlan, Binding)> {
        search.with_batch(dimensions, rows, |batch| {
            let shape = batch.shape();
            let sizes = [shape.queries(), shape.references(), dimensions];
            let plan = self.plan_search(search, sizes)?;
            let uploaded = upload(self, batch.inputs())?;
            let inputs = Inputs::of(&uploaded);
            let inputs = inputs.without(Input::Labels).without(Input::ReferenceLabels);
            let binding = plan.bind(&inputs)?;
            Ok((plan, binding))
        })
    }

    fn bound_verification(
        &self,
        verification: &Verification,
        batch: &Batch<'_>,
    ) -> Result<(VerificationPlan, Binding)> {
        let plan = self.plan_verification_of(verification, batch)?;
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

read_back!(
    Plan => Evaluation,
    ObjectivePlan => ObjectiveEvaluation,
    MeasurePlan => Measures,
    VerificationPlan => Verified,
    SearchPlan => Neighbours
);

/// A plan of measures of which those of every query are read back.
struct OfQueries(MeasurePlan);

impl Recorded for OfQueries {
    fn program(&self) -> &Program {
        self.0.program()
    }
}

impl ReadBack for OfQueries {
    type Output = QueryMeasures;

    fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<QueryMeasures>> {
        self.0.read_back_queries(encoder)
    }
}

/// Fills a buffer of the GPU with the numbers of each input.
fn upload(context: &Context, inputs: &InputSet<Numbers<'_>>) -> Result<InputSet<wgpu::Buffer>> {
    scoped(context, "uploading inputs", || {
        inputs.try_map(|_, numbers| {
            filled(context, "metric-learning input", numbers.bytes(), wgpu::BufferUsages::STORAGE)
        })
    })
}
