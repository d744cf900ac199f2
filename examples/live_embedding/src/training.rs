//! The training on the GPU: a projection of the digits, a loss of what it makes of them, and an
//! optimiser of its weights.

use canvas::{Gpu, Random, Result};
use wgpu_metric_learning::training::{Adam, Linear, LinearPlan, OptimizerPlan};
use wgpu_metric_learning::{Binding, Inputs, Plan, Record, Shape};

use crate::digits::{DIGITS, Digits, FEATURES};
use crate::live::Controls;
use crate::objective::Objective;

/// Where the CPU stands in for a GPU.
const DIGITS_IN_SOFTWARE: usize = 600;

/// What is trained: all buffers are on the GPU, and stay there.
pub struct Training {
    gpu: Gpu,
    random: Random,
    features: wgpu::Buffer,
    labels: wgpu::Buffer,
    rows: usize,
    projection: Projection,
    lesson: Lesson,
}

/// The projection of the features, with the optimiser of its weights.
struct Projection {
    linear: LinearPlan,
    forward: Binding,
    optimizer: OptimizerPlan,
    step: Binding,
}

/// The loss of the embeddings, and the way back from its gradient to that of the weights.
struct Lesson {
    plan: Plan,
    inputs: Binding,
    backward: Binding,
}

impl Training {
    /// Plans everything, for so many of the digits; weights and features depend on the seed. Left
    /// out, all are taken, and 600 where the CPU stands in for a GPU.
    ///
    /// # Errors
    ///
    /// Those of the library, for a margin or a learning rate outside its range for instance.
    pub fn new(gpu: &Gpu, digits: Option<usize>, seed: u32, controls: Controls) -> Result<Self> {
        let usual = if gpu.is_software { DIGITS_IN_SOFTWARE } else { DIGITS };
        let mut random = Random::new(seed);
        let digits = Digits::load(digits.unwrap_or(usual), &mut random)?;
        let rows = digits.labels.len();
        let features = gpu.buffer("features", &digits.features);
        let labels = gpu.buffer("labels", &digits.labels);
        let projection = Projection::new(gpu, &features, rows, controls, &mut random)?;
        let lesson = Lesson::new(gpu, controls.objective, &projection.linear, &features, &labels)?;
        Ok(Self { gpu: gpu.clone(), random, features, labels, rows, projection, lesson })
    }

    /// Trains with another objective from here on. The pipelines of a loss and distance that were
    /// there before are used again.
    ///
    /// # Errors
    ///
    /// Those of [`wgpu_metric_learning::Context::plan`].
    pub fn set_objective(&mut self, objective: Objective) -> Result<()> {
        self.lesson = Lesson::new(
            &self.gpu,
            objective,
            &self.projection.linear,
            &self.features,
            &self.labels,
        )?;
        Ok(())
    }

    /// Begins anew, with other weights.
    ///
    /// # Errors
    ///
    /// Those of [`wgpu_metric_learning::Context::plan`].
    pub fn restart(&mut self, controls: Controls) -> Result<()> {
        let Self { gpu, random, features, rows, .. } = self;
        self.projection = Projection::new(gpu, features, *rows, controls, random)?;
        self.set_objective(controls.objective)
    }

    /// For every step from the next submission on.
    ///
    /// # Errors
    ///
    /// Those of [`OptimizerPlan::set_learning_rate`].
    pub fn set_learning_rate(&self, learning_rate: f32) -> Result<()> {
        Ok(self.projection.optimizer.set_learning_rate(learning_rate)?)
    }

    /// Records a step: the embeddings, their loss, and with its gradient the next weights.
    ///
    /// # Errors
    ///
    /// None that the plans' own bindings could cause.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        let Projection { linear, forward, optimizer, step } = &self.projection;
        linear.record(encoder, forward)?;
        self.lesson.plan.record(encoder, &self.lesson.inputs)?;
        linear.record(encoder, &self.lesson.backward)?;
        optimizer.record(encoder, step)?;
        Ok(())
    }

    /// N x D, on the GPU.
    pub fn embeddings(&self) -> &wgpu::Buffer {
        self.projection.linear.outputs()
    }

    /// The classes, on the GPU.
    pub fn labels(&self) -> &wgpu::Buffer {
        &self.labels
    }

    /// The loss, the first f32 of this buffer on the GPU.
    pub fn loss_value(&self) -> &wgpu::Buffer {
        self.lesson.plan.loss_value()
    }

    /// The embeddings' shape.
    pub fn shape(&self) -> Shape {
        *self.lesson.plan.shape()
    }
}

impl Projection {
    fn new(
        gpu: &Gpu,
        features: &wgpu::Buffer,
        rows: usize,
        controls: Controls,
        random: &mut Random,
    ) -> Result<Self> {
        let Controls { dimensions: outputs, learning_rate, .. } = controls;
        let adam = Adam { learning_rate, ..Default::default() };
        let deviation = (FEATURES as f32).sqrt().recip();
        let weights: Vec<f32> =
            (0..FEATURES * outputs).map(|_| deviation * random.normal()).collect();
        let weights = gpu.buffer("weights", &weights);
        let linear = gpu.context.plan_linear(Linear { rows, inputs: FEATURES, outputs })?;
        let forward = linear.bind_forward(features.slice(..), weights.slice(..))?;
        let optimizer = gpu.context.plan_optimizer(adam, FEATURES * outputs)?;
        let step = optimizer.bind(weights.slice(..), linear.gradient().slice(..))?;
        Ok(Self { linear, forward, optimizer, step })
    }
}

impl Lesson {
    fn new(
        gpu: &Gpu,
        objective: Objective,
        linear: &LinearPlan,
        features: &wgpu::Buffer,
        labels: &wgpu::Buffer,
    ) -> Result<Self> {
        let Linear { rows, outputs, .. } = *linear.linear();
        let plan = gpu.context.plan(objective.loss(), Shape::batch(rows, outputs))?;
        let inputs = plan.bind(&Inputs::new(linear.outputs(), labels))?;
        let backward = linear.bind_backward(features.slice(..), plan.gradient().slice(..))?;
        Ok(Self { plan, inputs, backward })
    }
}

#[cfg(all(test, feature = "window"))]
mod tests {
    use wgpu_metric_learning::Mining;

    use super::*;
    use crate::objective::{Choice, distances};

    const ROWS: usize = 50;

    fn precision(gpu: &Gpu, training: &Training) -> f32 {
        gpu.precision_at_1(training.embeddings(), training.labels(), training.shape())
            .expect("a measure")
    }

    fn steps(gpu: &Gpu, training: &Training, count: usize) {
        for _ in 0..count {
            let mut encoder = gpu.context.device().create_command_encoder(&Default::default());
            training.record(&mut encoder).expect("a step");
            gpu.context.queue().submit([encoder.finish()]);
        }
        gpu.wait().expect("no failure");
    }

    /// Each is taken over from another one while the training goes on, as the controls do.
    #[test]
    fn every_loss_and_distance_trains_in_both_dimensions() {
        let gpu = Gpu::headless(None).expect("an adapter");
        let losses = Choice::ALL.map(|choice| (choice, Mining::All)).into_iter();
        let losses = losses.chain([(Choice::Triplet, Mining::Hard)]);
        let first = Controls { learning_rate: 0.004, ..Default::default() };
        let mut training = Training::new(&gpu, Some(ROWS), 3, first).expect("a training");
        let distances = distances().collect::<Vec<_>>().into_iter().cycle();
        for (((choice, mining), distance), dimensions) in
            losses.zip(distances).zip([2, 3].into_iter().cycle())
        {
            let again = Controls { dimensions, ..first };
            training.restart(again).expect("the first objective again");
            steps(&gpu, &training, 1);
            let before = precision(&gpu, &training);
            let objective = Objective { choice, mining, distance, margin: choice.usual_margin() };
            training.set_objective(objective).expect("another objective");
            assert_eq!(training.shape(), Shape::batch(ROWS, dimensions));
            steps(&gpu, &training, 40);
            let after = precision(&gpu, &training);
            assert!(
                after > before + 0.2,
                "{choice:?}, {mining}, {distance}, {dimensions}: from {before} to {after}"
            );
        }
    }
}
