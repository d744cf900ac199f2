//! Training on the host.

use std::ops::ControlFlow;

use super::Cpu;
use super::objective::evaluate_all;
use crate::cpu::CpuOptimizer;
use crate::data::batch::Batch;
use crate::data::objective::ObjectiveEvaluation;
use crate::error::Result;
use crate::training::{Checkpoint, Drawing, Drawn, Training};

/// A training on the host, step after step: see [`Cpu::trainer`].
#[derive(Clone, Debug)]
pub struct CpuTrainer {
    cpu: Cpu,
    training: Training,
    drawing: Drawing,
    optimizer: CpuOptimizer,
    parameters: Vec<f32>,
}

impl Cpu {
    /// Begins a training on labelled rows, N x I row by row: `training` says of what and how.
    ///
    /// ```
    /// use wgpu_metric_learning::training::{Adam, BalancedSampler, Mlp, Training};
    /// use wgpu_metric_learning::{Contrastive, Cpu, Weighted};
    ///
    /// let training = Training {
    ///     mlp: Mlp { inputs: 2, hidden: vec![8], outputs: 2 },
    ///     objective: vec![Weighted::new(1.0, Contrastive::default(), ())],
    ///     optimizer: Adam { learning_rate: 0.02, ..Default::default() }.into(),
    ///     sampler: BalancedSampler { classes_per_batch: 2, samples_per_class: 2 },
    ///     seed: 0,
    /// };
    /// // The classes are the corners of a square across, which no line parts.
    /// let inputs = [0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0];
    /// let mut trainer = Cpu::default().trainer(training, &inputs, &[7, 7, 8, 8])?;
    /// let first = trainer.step()?.loss;
    /// for _ in 0..200 {
    ///     trainer.step()?;
    /// }
    /// assert!(trainer.step()?.loss < 0.1 * first);
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`Mlp::check`](crate::training::Mlp::check),
    /// [`Optimizer::check`](crate::training::Optimizer::check),
    /// [`BalancedSampler::draw`](crate::training::BalancedSampler::draw) and
    /// [`Loss::check`](crate::Loss::check); [`Error::Empty`](crate::Error::Empty) for an objective
    /// without a loss, [`Error::Parameter`](crate::Error::Parameter) for a weight that is not finite
    /// or a set other than 0; [`Error::Length`](crate::Error::Length) for inputs of another length
    /// than the labels ask for, [`Error::NotFinite`](crate::Error::NotFinite) for NaN and
    /// infinities.
    pub fn trainer(
        &self,
        training: Training,
        inputs: &[f32],
        labels: &[u32],
    ) -> Result<CpuTrainer> {
        let drawing = training.begin(inputs, labels)?;
        let optimizer = CpuOptimizer::new(training.optimizer, training.mlp.parameters())?;
        let parameters = training.mlp.initial_parameters(training.seed)?;
        Ok(CpuTrainer { cpu: self.clone(), training, drawing, optimizer, parameters })
    }
}

impl CpuTrainer {
    /// The training with a weight for every row that it draws from: what the terms of that row as an
    /// anchor are multiplied by, as in [`Batch::with_weights`].
    ///
    /// # Errors
    ///
    /// [`Error::Length`](crate::Error::Length); [`Error::Target`](crate::Error::Target) for a weight
    /// that is not finite or below 0.
    pub fn with_weights(mut self, weights: &[f32]) -> Result<Self> {
        self.drawing.set_weights(weights)?;
        Ok(self)
    }

    /// Draws a batch, evaluates its objective and makes a step; gives losses and counts as they were
    /// before the step, with the gradient of the outputs.
    ///
    /// # Errors
    ///
    /// Those of [`Cpu::evaluate_objective`], after which the parameters are as before;
    /// [`Error::StepsLeftOut`](crate::Error::StepsLeftOut) as [`CpuOptimizer::step`] gives it.
    pub fn step(&mut self) -> Result<ObjectiveEvaluation> {
        let Training { mlp, sampler, .. } = &self.training;
        let Drawn { inputs, labels, weights } = self.drawing.next();
        let activations = self.cpu.forward(mlp, sampler.rows(), &inputs, &self.parameters)?;
        let batch = Batch::new(activations.outputs(), [sampler.rows(), mlp.outputs], &labels)?;
        let batch = if weights.is_empty() { batch } else { batch.with_weights(&weights)? };
        let objective = self.training.objective_over(batch);
        let evaluation = evaluate_all(&self.cpu, &objective, &mut |_| ControlFlow::Continue(()))?;
        let gradient = self.cpu.backward(
            mlp,
            sampler.rows(),
            &inputs,
            &self.parameters,
            &activations,
            &evaluation.gradients[0],
        )?;
        self.optimizer.step(&mut self.parameters, &gradient)?;
        Ok(evaluation)
    }

    /// Replaces the learning rate.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`](crate::Error::Parameter) for one outside its range.
    pub fn set_learning_rate(&mut self, learning_rate: f32) -> Result<()> {
        self.optimizer.set_learning_rate(learning_rate)
    }

    /// Where the training stands: [`resume`](Self::resume) of another trainer of the same training
    /// goes on from there, with the same bits.
    pub fn checkpoint(&self) -> Checkpoint {
        let (moments, steps) = self.optimizer.state();
        Checkpoint {
            parameters: self.parameters.clone(),
            moments: moments.to_vec(),
            moments_of_one: self.optimizer.moments_of_one(),
            steps,
            batches: self.drawing.drawn(),
        }
    }

    /// Goes to where a training stood. The learning rate stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Length`](crate::Error::Length) for a checkpoint of another number of parameters,
    /// [`Error::NotFinite`](crate::Error::NotFinite) for NaN and for numbers beyond f32 in it, by
    /// the index of the parameter as the row, [`Error::Parameter`](crate::Error::Parameter) for
    /// moments that Adam cannot have; nothing is changed then.
    pub fn resume(&mut self, checkpoint: &Checkpoint) -> Result<()> {
        checkpoint.check(self.optimizer.optimizer(), self.parameters.len())?;
        self.parameters.clone_from(&checkpoint.parameters);
        self.optimizer.restore(&checkpoint.moments, checkpoint.steps);
        self.drawing.set_drawn(checkpoint.batches);
        Ok(())
    }

    /// The parameters of the perceptron after the steps so far, in the order of
    /// [`Mlp`](crate::training::Mlp).
    pub fn parameters(&self) -> &[f32] {
        &self.parameters
    }
}
