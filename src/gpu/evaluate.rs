//! Host in, host out, in one call.

use super::buffers::filled;
use super::context::Context;
use super::dispatch::Step;
use super::inputs::{Binding, Inputs};
use super::program::{PASS, Program};
use super::readback::Pending;
use super::scope::scoped;
use super::trace::span;
use crate::batch::Batch;
use crate::loss::Loss;
use crate::measures::{Measures, Retrieval};
use crate::objective::{ObjectiveEvaluation, SetInputs, Weighted, check_batches};
use crate::{Evaluation, Result};

/// Operations per submission, so that no watchdog of a driver takes a long evaluation for a hang: a few tenths of a second on
/// a software adapter. A dispatch is never split: one that costs more is a submission of its own.
const PORTION: u64 = 1 << 31;

impl Context {
    /// Evaluates `loss` on inputs of the host and waits for the result, at most the context's timeout.
    ///
    /// # Errors
    ///
    /// Those of [`Batch::check`], [`Context::plan`] and [`Pending::wait`].
    pub fn evaluate(&self, loss: impl Into<Loss>, batch: &Batch<'_>) -> Result<Evaluation> {
        self.submit(&loss.into(), batch)?.wait(self.options().timeout)
    }

    /// The same without blocking: await it. See [`Pending`] for who polls the device.
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate`], except the timeout.
    pub async fn evaluate_async(&self, loss: impl Into<Loss>, batch: &Batch<'_>) -> Result<Evaluation> {
        self.submit(&loss.into(), batch)?.await
    }

    /// Evaluates a weighted sum of losses on inputs of the host and waits for the result, at most the context's timeout.
    ///
    /// Losses over the same set are given the same embeddings; what only one of them needs, only its batch has to have.
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
    /// [`Error::Set`](crate::Error::Set) for losses of one set that are given different inputs; those of [`Batch::check`],
    /// [`Context::plan_objective`] and [`Pending::wait`].
    pub fn evaluate_objective(&self, objective: &[Weighted<Batch<'_>>]) -> Result<ObjectiveEvaluation> {
        self.submit_objective(objective)?.wait(self.options().timeout)
    }

    /// The same without blocking, as [`Context::evaluate_async`].
    ///
    /// # Errors
    ///
    /// Those of [`Context::evaluate_objective`], except the timeout.
    pub async fn evaluate_objective_async(&self, objective: &[Weighted<Batch<'_>>]) -> Result<ObjectiveEvaluation> {
        self.submit_objective(objective)?.await
    }

    /// Measures retrieval on inputs of the host and waits for the result, at most the context's timeout.
    ///
    /// # Errors
    ///
    /// Those of [`Retrieval::check`], [`Context::plan_measures`] and [`Pending::wait`].
    pub fn measure(&self, retrieval: &Retrieval, batch: &Batch<'_>) -> Result<Measures> {
        self.submit_measures(retrieval, batch)?.wait(self.options().timeout)
    }

    /// The same without blocking, as [`Context::evaluate_async`].
    ///
    /// # Errors
    ///
    /// Those of [`Context::measure`], except the timeout.
    pub async fn measure_async(&self, retrieval: &Retrieval, batch: &Batch<'_>) -> Result<Measures> {
        self.submit_measures(retrieval, batch)?.await
    }

    fn submit(&self, loss: &Loss, batch: &Batch<'_>) -> Result<Pending> {
        batch.check(loss)?;
        let plan = self.plan(loss, *batch.shape())?;
        let uploaded = Uploaded::new(self.device(), &SetInputs::of(batch))?;
        let binding = plan.bind(&uploaded.inputs())?;
        self.submit_all(&plan.program, &binding, |encoder| plan.read_back(encoder))
    }

    fn submit_objective(&self, objective: &[Weighted<Batch<'_>>]) -> Result<Pending<ObjectiveEvaluation>> {
        let sets = check_batches(objective)?;
        let shapes: Vec<_> = objective.iter().map(Weighted::shape).collect();
        let plan = self.plan_objective(&shapes)?;
        let uploaded: Vec<_> = sets.iter().map(|set| Uploaded::new(self.device(), set)).collect::<Result<_>>()?;
        let inputs: Vec<_> = uploaded.iter().map(Uploaded::inputs).collect();
        let binding = plan.bind(&inputs)?;
        self.submit_all(&plan.program, &binding, |encoder| plan.read_back(encoder))
    }

    fn submit_measures(&self, retrieval: &Retrieval, batch: &Batch<'_>) -> Result<Pending<Measures>> {
        retrieval.check(batch.shape())?;
        let plan = self.plan_measures(retrieval, *batch.shape())?;
        let uploaded = Uploaded::new(self.device(), &SetInputs::of(batch))?;
        let binding = plan.bind(&uploaded.inputs())?;
        self.submit_all(&plan.program, &binding, |encoder| plan.read_back(encoder))
    }

    /// Every dispatch in bounded submissions, and the copies in a last one.
    fn submit_all<T>(
        &self,
        program: &Program,
        binding: &Binding,
        read_back: impl FnOnce(&mut wgpu::CommandEncoder) -> Result<T>,
    ) -> Result<T> {
        let _span = span!("submit", &program.subject);
        self.submit_portions(program.steps(binding)?)?;
        let mut encoder = self.encoder();
        let pending = read_back(&mut encoder)?;
        self.queue().submit([encoder.finish()]);
        Ok(pending)
    }

    fn encoder(&self) -> wgpu::CommandEncoder {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some("metric-learning") };
        self.device().create_command_encoder(&descriptor)
    }

    fn submit_portions<'a>(&self, steps: impl Iterator<Item = &'a Step>) -> Result<()> {
        let mut steps = steps.peekable();
        scoped(self.device(), "submitting", || {
            while steps.peek().is_some() {
                let mut encoder = self.encoder();
                let mut pass = encoder.begin_compute_pass(&PASS);
                let mut cost = 0;
                for step in steps.by_ref() {
                    step.record(&mut pass);
                    cost += step.cost;
                    if cost >= PORTION {
                        break;
                    }
                }
                drop(pass);
                self.queue().submit([encoder.finish()]);
            }
            Ok(())
        })
    }
}

/// The inputs of a set in buffers of the GPU: what it has not stays `None`.
struct Uploaded {
    embeddings: wgpu::Buffer,
    labels: Option<wgpu::Buffer>,
    references: Option<wgpu::Buffer>,
    reference_labels: Option<wgpu::Buffer>,
    beta: Option<wgpu::Buffer>,
    pairs: Option<wgpu::Buffer>,
    same: Option<wgpu::Buffer>,
    triplets: Option<wgpu::Buffer>,
    targets: Option<wgpu::Buffer>,
}

impl Uploaded {
    fn new(device: &wgpu::Device, set: &SetInputs<'_>) -> Result<Self> {
        scoped(device, "uploading inputs", || Self::filled(device, set))
    }

    fn filled(device: &wgpu::Device, set: &SetInputs<'_>) -> Result<Self> {
        let upload = |bytes: &[u8]| filled(device, "metric-learning input", bytes, wgpu::BufferUsages::STORAGE);
        let optional = |bytes: &[u8]| if bytes.is_empty() { Ok(None) } else { upload(bytes).map(Some) };
        Ok(Self {
            embeddings: upload(bytemuck::cast_slice(set.embeddings))?,
            labels: optional(bytemuck::cast_slice(set.labels))?,
            references: optional(bytemuck::cast_slice(set.references))?,
            reference_labels: optional(bytemuck::cast_slice(set.reference_labels))?,
            beta: optional(bytemuck::cast_slice(set.beta))?,
            pairs: optional(bytemuck::cast_slice(set.pairs))?,
            same: optional(bytemuck::cast_slice(set.same))?,
            triplets: optional(bytemuck::cast_slice(set.triplets))?,
            targets: optional(bytemuck::cast_slice(set.targets))?,
        })
    }

    fn inputs(&self) -> Inputs<'_> {
        fn slice(buffer: &Option<wgpu::Buffer>) -> Option<wgpu::BufferSlice<'_>> {
            buffer.as_ref().map(|buffer| buffer.slice(..))
        }
        Inputs {
            embeddings: self.embeddings.slice(..),
            labels: slice(&self.labels),
            references: slice(&self.references),
            reference_labels: slice(&self.reference_labels),
            beta: slice(&self.beta),
            pairs: slice(&self.pairs),
            same: slice(&self.same),
            triplets: slice(&self.triplets),
            targets: slice(&self.targets),
            ..Inputs::unlabelled(&self.embeddings)
        }
    }
}
