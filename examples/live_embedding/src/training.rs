//! The training on the GPU: a projection of the digits, a loss of what it makes of them, and an
//! optimiser of its weights.

use canvas::{Gpu, Random, Result};
use clap::builder::RangedU64ValueParser;
use wgpu_metric_learning::training::{Adam, Linear, LinearPlan, OptimizerPlan};
use wgpu_metric_learning::{Binding, Inputs, Plan, Record, Shape};

use crate::digits::{DIGITS, Digits, FEATURES};
use crate::objective::{Choice, Measured, Objective};

/// Where the CPU stands in for a GPU.
const DIGITS_IN_SOFTWARE: usize = 600;

/// What can be asked for.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The loss.
    #[arg(long, value_enum, default_value = "contrastive")]
    pub loss: Choice,

    /// The distance it is made of.
    #[arg(long, value_enum, default_value = "euclidean")]
    pub distance: Measured,

    /// Its margin or, where it has one instead, its temperature; left out, one that goes well with
    /// the loss.
    #[arg(long, value_name = "X")]
    pub margin: Option<f32>,

    /// The learning rate of Adam.
    #[arg(long, value_name = "X", default_value = "0.002")]
    pub learning_rate: f32,

    /// Dimensions of the embedding.
    #[arg(long, value_name = "D", default_value = "2", value_parser = RangedU64ValueParser::<usize>::new().range(2..=3))]
    pub dimensions: usize,

    /// How many digits; left out all 1797, and 600 where the CPU stands in for a GPU.
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(10..=DIGITS as u64))]
    pub digits: Option<usize>,

    /// What the first weights and the features depend on.
    #[arg(long, value_name = "S", default_value = "1")]
    pub seed: u32,
}

/// What is trained: all buffers are on the GPU, and stay there.
pub(crate) struct Training {
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
    /// Plans everything.
    ///
    /// # Errors
    ///
    /// Those of the library, for a margin or a learning rate outside its range for instance.
    pub(crate) fn new(gpu: &Gpu, arguments: &Arguments, objective: Objective) -> Result<Self> {
        let usual = if gpu.is_software { DIGITS_IN_SOFTWARE } else { DIGITS };
        let rows = arguments.digits.unwrap_or(usual);
        let mut random = Random::new(arguments.seed);
        let digits = Digits::load(rows, &mut random)?;
        let features = gpu.buffer("features", &digits.features);
        let labels = gpu.buffer("labels", &digits.labels);
        let adam = Adam { learning_rate: arguments.learning_rate, ..Default::default() };
        let projection =
            Projection::new(gpu, &features, [rows, arguments.dimensions], adam, &mut random)?;
        let lesson = Lesson::new(gpu, objective, &projection.linear, &features, &labels)?;
        Ok(Self { gpu: gpu.clone(), random, features, labels, rows, projection, lesson })
    }

    /// Trains with another objective from here on. The pipelines of a loss and distance that were
    /// there before are used again.
    ///
    /// # Errors
    ///
    /// Those of [`wgpu_metric_learning::Context::plan`].
    pub(crate) fn set_objective(&mut self, objective: Objective) -> Result<()> {
        self.lesson = Lesson::new(
            &self.gpu,
            objective,
            &self.projection.linear,
            &self.features,
            &self.labels,
        )?;
        Ok(())
    }

    /// Begins anew, with other weights and in so many dimensions.
    ///
    /// # Errors
    ///
    /// Those of [`wgpu_metric_learning::Context::plan`].
    pub(crate) fn restart(
        &mut self,
        objective: Objective,
        dimensions: usize,
        learning_rate: f32,
    ) -> Result<()> {
        let adam = Adam { learning_rate, ..Default::default() };
        let sizes = [self.rows, dimensions];
        self.projection =
            Projection::new(&self.gpu, &self.features, sizes, adam, &mut self.random)?;
        self.set_objective(objective)
    }

    /// For every step from the next submission on.
    ///
    /// # Errors
    ///
    /// Those of [`OptimizerPlan::set_learning_rate`].
    pub(crate) fn set_learning_rate(&self, learning_rate: f32) -> Result<()> {
        Ok(self.projection.optimizer.set_learning_rate(learning_rate)?)
    }

    /// Records a step: the embeddings, their loss, and with its gradient the next weights.
    ///
    /// # Errors
    ///
    /// None that the plans' own bindings could cause.
    pub(crate) fn record(&self, encoder: &mut wgpu::CommandEncoder) -> Result<()> {
        let Projection { linear, forward, optimizer, step } = &self.projection;
        linear.record(encoder, forward)?;
        self.lesson.plan.record(encoder, &self.lesson.inputs)?;
        linear.record(encoder, &self.lesson.backward)?;
        optimizer.record(encoder, step)?;
        Ok(())
    }

    /// N x D, on the GPU.
    pub(crate) fn embeddings(&self) -> &wgpu::Buffer {
        self.projection.linear.outputs()
    }

    /// The classes, on the GPU.
    pub(crate) fn labels(&self) -> &wgpu::Buffer {
        &self.labels
    }

    /// The loss, the first f32 of this buffer on the GPU.
    pub(crate) fn loss_value(&self) -> &wgpu::Buffer {
        self.lesson.plan.loss_value()
    }

    /// The embeddings' shape.
    pub(crate) fn shape(&self) -> Shape {
        *self.lesson.plan.shape()
    }
}

impl Projection {
    fn new(
        gpu: &Gpu,
        features: &wgpu::Buffer,
        [rows, outputs]: [usize; 2],
        adam: Adam,
        random: &mut Random,
    ) -> Result<Self> {
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

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

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
        let objective = |choice: Choice, distance| Objective {
            choice,
            distance,
            margin: choice.usual_margin(),
        };
        let first = objective(Choice::Contrastive, Measured::Euclidean);
        let arguments = Arguments {
            loss: first.choice,
            distance: first.distance,
            margin: None,
            learning_rate: 0.004,
            dimensions: 2,
            digits: Some(ROWS),
            seed: 3,
        };
        let mut training = Training::new(&gpu, &arguments, first).expect("a training");
        let distances = Measured::value_variants().iter().cycle();
        for ((&choice, &distance), dimensions) in
            Choice::value_variants().iter().zip(distances).zip([2, 3].into_iter().cycle())
        {
            training
                .restart(first, dimensions, arguments.learning_rate)
                .expect("the first objective again");
            steps(&gpu, &training, 1);
            let before = precision(&gpu, &training);
            training.set_objective(objective(choice, distance)).expect("another objective");
            assert_eq!(training.shape(), Shape::batch(ROWS, dimensions));
            steps(&gpu, &training, 40);
            let after = precision(&gpu, &training);
            assert!(
                after > before + 0.2,
                "{choice:?}, {distance:?}, {dimensions}: from {before} to {after}"
            );
        }
    }
}
