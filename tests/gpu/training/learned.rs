//! The numbers that a loss learns are parameters as any: an optimiser takes their gradients, and
//! nothing is read back on the way.

use std::time::Duration;

use support::adapters::one_by_one;
use support::buffers::{download, upload};
use support::sample::Random;
use wgpu::BufferUsages;
use wgpu_metric_learning::training::{Adam, CpuOptimizer};
use wgpu_metric_learning::{Batch, Context, Cpu, Input, Inputs, Record, Shape, SigLip};

const N: usize = 24;
const D: usize = 6;
const STEPS: usize = 20;
const TIMEOUT: Duration = Duration::from_secs(60);
/// What scale and bias begin with: other numbers than those of the loss.
const FIRST: [f32; 2] = [4.0, -2.0];

/// Two towers: the texts are the images with some noise, and every fourth text is another's too.
struct Towers {
    images: Vec<f32>,
    texts: Vec<f32>,
    labels: Vec<u32>,
}

impl Towers {
    fn new() -> Self {
        let images = Random(5).numbers(N * D, 1.0);
        let noise = Random(6).numbers(N * D, 0.5);
        let texts = images.iter().zip(noise).map(|(image, noise)| image + noise).collect();
        let labels = (0..N as u32).map(|row| if row % 4 == 3 { row - 1 } else { row }).collect();
        Self { images, texts, labels }
    }

    fn adam() -> Adam {
        Adam { learning_rate: 0.05, ..Default::default() }
    }

    /// Scale and bias after every step on the GPU, in one submission, and the loss at last.
    fn on_gpu(&self, context: &Context) -> ([f32; 2], f32) {
        let storage = BufferUsages::STORAGE | BufferUsages::COPY_SRC;
        let buffer = |bytes: &[u8]| upload(context, bytes, storage);
        let [images, texts] =
            [&self.images, &self.texts].map(|rows| buffer(bytemuck::cast_slice(rows)));
        let labels = buffer(bytemuck::cast_slice(&self.labels));
        let [scale, bias] = FIRST.map(|number| buffer(&number.to_ne_bytes()));
        let shape = Shape::reference(N, N, D).with_scale().with_bias();
        let loss = context.plan(SigLip::default(), shape).expect("a valid loss");
        let inputs = Inputs::new(&images, &labels)
            .with(Input::References, texts.slice(..))
            .with(Input::ReferenceLabels, labels.slice(..))
            .with(Input::Scale, scale.slice(..))
            .with(Input::Bias, bias.slice(..));
        let inputs = loss.bind(&inputs).expect("valid buffers");
        let gradients = [loss.gradient_scale(), loss.gradient_bias()];
        let optimizers = [&scale, &bias].into_iter().zip(gradients).map(|(number, gradient)| {
            let plan = context.plan_optimizer(Self::adam(), 1).expect("a valid optimiser");
            let gradient = gradient.expect("the loss learns it").slice(..);
            let binding = plan.bind(number.slice(..), gradient).expect("valid buffers");
            (plan, binding)
        });
        let optimizers: Vec<_> = optimizers.collect();
        let mut encoder = context.device().create_command_encoder(&Default::default());
        for _ in 0..STEPS {
            loss.record(&mut encoder, &inputs).expect("its own binding");
            for (plan, binding) in &optimizers {
                plan.record(&mut encoder, binding).expect("its own binding");
            }
        }
        loss.record(&mut encoder, &inputs).expect("its own binding");
        let mut last = loss.read_back(&mut encoder).expect("a read-back");
        context.queue().submit([encoder.finish()]);
        let loss = last.wait(TIMEOUT).expect("a loss").loss;
        ([&scale, &bias].map(|number| download(context, number)[0]), loss)
    }

    /// The same by the engine of the CPU, with the loss before and after.
    fn on_cpu(&self) -> ([f32; 2], [f32; 2]) {
        let [mut scale, mut bias] = FIRST.map(|number| [number]);
        let optimizer = || CpuOptimizer::new(Self::adam(), 1).expect("a valid optimiser");
        let [mut of_scale, mut of_bias] = [optimizer(), optimizer()];
        let evaluate = |scale: &f32, bias: &f32| {
            let batch = Batch::new(&self.images, [N, D], &self.labels);
            let batch = batch.and_then(|rows| rows.with_references(&self.texts, N, &self.labels));
            let batch = batch.and_then(|batch| batch.with_scale(scale)?.with_bias(bias));
            let batch = batch.expect("a valid batch");
            Cpu::default().evaluate(SigLip::default(), &batch).wait().expect("a result")
        };
        let before = evaluate(&scale[0], &bias[0]).loss;
        for _ in 0..STEPS {
            let evaluation = evaluate(&scale[0], &bias[0]);
            let slope = |slope: Option<f32>| [slope.expect("the loss learns it")];
            of_scale.step(&mut scale, &slope(evaluation.gradient_scale)).expect("a step");
            of_bias.step(&mut bias, &slope(evaluation.gradient_bias)).expect("a step");
        }
        ([scale[0], bias[0]], [before, evaluate(&scale[0], &bias[0]).loss])
    }
}

#[test]
fn scale_and_bias_are_fitted_in_one_submission() {
    let towers = Towers::new();
    let (expected, [before, after]) = towers.on_cpu();
    assert!(after < 0.8 * before, "the loss fell from {before} to {after}");
    for device in one_by_one() {
        let (found, loss) = towers.on_gpu(&device.context);
        for (found, expected) in
            found.into_iter().chain([loss]).zip(expected.into_iter().chain([after]))
        {
            let difference = (found - expected).abs() / expected.abs();
            assert!(difference < 1e-4, "{}: {found} is not {expected}", device.name);
        }
    }
}
