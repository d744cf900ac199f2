//! Training on a GPU.

use crate::data::input::Input;
use crate::data::objective::ObjectiveEvaluation;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::readback::{Field, Pending, Sources, Staged};
use crate::gpu::dispatch::record::Record;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::plan::objective::ObjectivePlan;
use crate::gpu::training::mlp::MlpPlan;
use crate::gpu::training::optimizer::{OptimizerPlan, remembered};
use crate::training::{Checkpoint, Drawing, Drawn, Training};

/// A training on a GPU, step after step: see [`Context::trainer`].
#[derive(Debug)]
pub struct GpuTrainer {
    training: Training,
    drawing: Drawing,
    /// A batch of rows, their labels, their weights where they have any, and the parameters.
    inputs: wgpu::Buffer,
    labels: wgpu::Buffer,
    weights: Option<wgpu::Buffer>,
    parameters: wgpu::Buffer,
    mlp: MlpPlan,
    objective: ObjectivePlan,
    optimizer: OptimizerPlan,
    forward: Binding,
    embeddings: Binding,
    backward: Binding,
    step: Binding,
}

impl Context {
    /// Begins a training on labelled rows, N x I row by row: `training` says of what and how. A
    /// batch goes to the GPU for each step, parameters and gradients stay there.
    ///
    /// ```
    /// use wgpu_metric_learning::training::{Adam, BalancedSampler, Mlp, Training};
    /// use wgpu_metric_learning::{Context, Contrastive, Weighted};
    ///
    /// let training = Training {
    ///     mlp: Mlp { inputs: 2, hidden: vec![8], outputs: 2 },
    ///     objective: vec![Weighted::new(1.0, Contrastive::default(), ())],
    ///     optimizer: Adam { learning_rate: 0.02, ..Default::default() }.into(),
    ///     sampler: BalancedSampler { classes_per_batch: 2, samples_per_class: 2 },
    ///     seed: 0,
    /// };
    /// let inputs = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    /// let mut trainer = Context::headless()?.trainer(training, &inputs, &[7, 7, 8, 8])?;
    /// let first = trainer.step()?.loss;
    /// for _ in 0..50 {
    ///     trainer.step()?;
    /// }
    /// assert!(trainer.step()?.loss < first);
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Cpu::trainer`](crate::Cpu::trainer), and of [`Context::plan_mlp`],
    /// [`Context::plan_objective`] and [`Context::plan_optimizer`].
    pub fn trainer(
        &self,
        training: Training,
        inputs: &[f32],
        labels: &[u32],
    ) -> Result<GpuTrainer> {
        let drawing = training.begin(inputs, labels)?;
        let rows = training.sampler.rows();
        let usage = wgpu::BufferUsages::STORAGE;
        let of_batch = usage | wgpu::BufferUsages::COPY_DST;
        let of_parameters = of_batch | wgpu::BufferUsages::COPY_SRC;
        let zeros = vec![0_u8; rows * training.mlp.inputs * 4];
        let inputs = filled(self, "metric-learning batch", &zeros, of_batch)?;
        let labels = filled(self, "metric-learning labels", &zeros[..rows * 4], of_batch)?;
        let first = training.mlp.initial_parameters(training.seed)?;
        let bytes = bytemuck::cast_slice(&first);
        let parameters = filled(self, "metric-learning parameters", bytes, of_parameters)?;

        let objective = self.plan_objective(&training.objective_over(training.shape()))?;
        let mlp = self.plan_mlp(training.mlp.clone(), rows)?;
        let optimizer = self.plan_optimizer(training.optimizer, first.len())?;
        let slopes = objective.gradient(0).ok_or(Error::NotComputed)?.slice(..);
        Ok(GpuTrainer {
            forward: mlp.bind_forward(inputs.slice(..), parameters.slice(..))?,
            embeddings: objective.bind(&[Inputs::new(mlp.outputs(), &labels)])?,
            backward: mlp.bind_backward(inputs.slice(..), parameters.slice(..), slopes)?,
            step: optimizer.bind(parameters.slice(..), mlp.gradient().slice(..))?,
            training,
            drawing,
            inputs,
            labels,
            weights: None,
            parameters,
            mlp,
            objective,
            optimizer,
        })
    }
}

impl GpuTrainer {
    /// The training with a weight for every row that it draws from: what the terms of that row as an
    /// anchor are multiplied by, as in [`Batch::with_weights`](crate::Batch::with_weights).
    ///
    /// # Errors
    ///
    /// [`Error::Length`]; [`Error::Target`] for a weight that is not finite or below 0; those of
    /// [`Context::plan_objective`].
    pub fn with_weights(mut self, weights: &[f32]) -> Result<Self> {
        self.drawing.set_weights(weights)?;
        if self.weights.is_some() {
            return Ok(self);
        }
        let context = self.objective.context();
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
        let zeros = vec![0_u8; self.training.sampler.rows() * 4];
        let weights = filled(context, "metric-learning weights", &zeros, usage)?;
        let shape = self.training.shape().with_weights();
        let objective = context.plan_objective(&self.training.objective_over(shape))?;
        let slopes = objective.gradient(0).ok_or(Error::NotComputed)?.slice(..);
        let inputs = Inputs::new(self.mlp.outputs(), &self.labels);
        self.embeddings = objective.bind(&[inputs.with(Input::Weights, weights.slice(..))])?;
        let (rows, parameters) = (self.inputs.slice(..), self.parameters.slice(..));
        self.backward = self.mlp.bind_backward(rows, parameters, slopes)?;
        self.objective = objective;
        self.weights = Some(weights);
        Ok(self)
    }

    /// Draws a batch, evaluates its objective and makes a step; gives losses and counts as they were
    /// before the step, without gradients, and waits for them.
    ///
    /// # Errors
    ///
    /// Those of [`Pending::wait`], after which the parameters are as before but for what the
    /// moments of the optimiser move; [`Error::StepsLeftOut`] where parameters were left out of this
    /// step or an earlier one.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn step(&mut self) -> Result<ObjectiveEvaluation> {
        let (mut evaluation, mut steps) = self.begin_step()?;
        let timeout = self.objective.context().options().timeout;
        let evaluation = evaluation.wait(timeout)?;
        steps.wait(timeout)?;
        Ok(evaluation)
    }

    /// Makes a step as [`step`](Self::step) does, without blocking.
    ///
    /// # Errors
    ///
    /// Those of [`step`](Self::step) but [`Error::Timeout`].
    pub async fn step_async(&mut self) -> Result<ObjectiveEvaluation> {
        let (evaluation, steps) = self.begin_step()?;
        let evaluation = evaluation.await?;
        steps.await?;
        Ok(evaluation)
    }

    /// Submits a step; what comes of it is on its way.
    fn begin_step(&mut self) -> Result<(Pending<ObjectiveEvaluation>, Pending<u32>)> {
        let context = self.objective.context();
        let Drawn { inputs, labels, weights } = self.drawing.next();
        scoped(context, "a step of training", || {
            context.queue().write_buffer(&self.inputs, 0, bytemuck::cast_slice(&inputs));
            context.queue().write_buffer(&self.labels, 0, bytemuck::cast_slice(&labels));
            if let Some(buffer) = &self.weights {
                context.queue().write_buffer(buffer, 0, bytemuck::cast_slice(&weights));
            }
            let mut encoder = context.device().create_command_encoder(&Default::default());
            self.mlp.record(&mut encoder, &self.forward)?;
            self.objective.record(&mut encoder, &self.embeddings)?;
            self.mlp.record(&mut encoder, &self.backward)?;
            self.optimizer.record(&mut encoder, &self.step)?;
            let evaluation = self.objective.read_back_loss(&mut encoder)?;
            let steps = self.optimizer.read_back(&mut encoder)?;
            context.queue().submit([encoder.finish()]);
            Ok((evaluation, steps))
        })
    }

    /// Replaces the learning rate.
    ///
    /// # Errors
    ///
    /// Those of [`OptimizerPlan::set_learning_rate`].
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        self.optimizer.set_learning_rate(learning_rate)
    }

    /// Reads where the training stands: [`resume`](Self::resume) of another trainer of the same
    /// training goes on from there, on the same device with the same bits.
    ///
    /// # Errors
    ///
    /// Those of [`parameters`](Self::parameters), and [`Error::StepsLeftOut`] where parameters were
    /// left out of a step.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn checkpoint(&self) -> Result<Checkpoint> {
        self.read_checkpoint()?.wait(self.objective.context().options().timeout)
    }

    /// Reads where the training stands as [`checkpoint`](Self::checkpoint) does, without blocking.
    ///
    /// # Errors
    ///
    /// Those of [`checkpoint`](Self::checkpoint) but [`Error::Timeout`].
    pub async fn checkpoint_async(&self) -> Result<Checkpoint> {
        self.read_checkpoint()?.await
    }

    fn read_checkpoint(&self) -> Result<Pending<Checkpoint>> {
        let batches = self.drawing.drawn();
        let sources =
            [(Field::Gradient, &self.parameters)].into_iter().chain(self.optimizer.sources());
        self.read(sources, move |read| {
            let parameters = read.floats(Field::Gradient).ok_or(Error::NotComputed)?;
            let (moments, moments_of_one, steps) = remembered(read, parameters.len())?;
            Ok(Checkpoint { parameters, moments, moments_of_one, steps, batches })
        })
    }

    /// Goes to where a training stood. The learning rate stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Length`] for a checkpoint of another number of parameters, [`Error::NotFinite`] for
    /// NaN and for numbers beyond f32 in it, by the index of the parameter as the row,
    /// [`Error::Parameter`] for moments that Adam cannot have; nothing is changed then.
    /// [`Error::Gpu`], [`Error::OutOfMemory`].
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.check(self.optimizer.optimizer(), self.mlp.mlp().parameters())?;
        let context = self.objective.context();
        scoped(context, "resuming a training", || {
            let parameters = bytemuck::cast_slice(&checkpoint.parameters);
            context.queue().write_buffer(&self.parameters, 0, parameters);
            self.optimizer.restore(checkpoint);
            Ok(())
        })?;
        self.drawing.set_drawn(checkpoint.batches);
        Ok(())
    }

    /// Reads the parameters of the perceptron after the steps so far, in the order of
    /// [`Mlp`](crate::training::Mlp).
    ///
    /// # Errors
    ///
    /// Those of [`Pending::wait`]; [`Error::OutOfMemory`], [`Error::Gpu`].
    #[cfg(not(target_arch = "wasm32"))]
    pub fn parameters(&self) -> Result<Vec<f32>> {
        self.read_parameters()?.wait(self.objective.context().options().timeout)
    }

    /// Reads the parameters as [`parameters`](Self::parameters) does, without blocking.
    ///
    /// # Errors
    ///
    /// Those of [`parameters`](Self::parameters) but [`Error::Timeout`].
    pub async fn parameters_async(&self) -> Result<Vec<f32>> {
        self.read_parameters()?.await
    }

    fn read_parameters(&self) -> Result<Pending<Vec<f32>>> {
        self.read([(Field::Gradient, &self.parameters)], |read| {
            read.floats(Field::Gradient).ok_or(Error::NotComputed)
        })
    }

    /// Copies buffers to the host, and makes of them what `parse` does.
    fn read<'a, T>(
        &'a self,
        buffers: impl IntoIterator<Item = (Field, &'a wgpu::Buffer)>,
        parse: impl Fn(&Staged<'_>) -> Result<T> + Send + Sync + 'static,
    ) -> Result<Pending<T>> {
        let context = self.objective.context();
        let mut encoder = context.device().create_command_encoder(&Default::default());
        let mut sources = Sources::default();
        sources.add(Shape::pointwise(self.mlp.mlp().parameters(), 1), buffers);
        let pending =
            Pending::new(context, &mut encoder, sources, move |read| parse(&read.staged(0)))?;
        context.queue().submit([encoder.finish()]);
        Ok(pending)
    }
}
