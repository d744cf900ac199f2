//! Time of the kernels on the GPU: *prepare* and *finish* of batches, references, listed and
//! row-aligned pairs, *distance* and *gradient* of these with every distance, and of prototypes and
//! scores, *terms* of every loss, and the kernels of the measures and of training.
//!
//! A stage works on what those before it leave behind, so every benchmark runs a whole recording
//! and counts one stage of it. The result of the recording is first checked against the reference.
//!
//! `cargo bench --bench kernels`, with `-- distance` for those whose name has it; see
//! [`Setup::new`] for adapter and sizes.

mod common;

use std::cell::LazyCell;
use std::sync::mpsc::sync_channel;

use common::sample::Random;
use common::{GpuTime, Recording, Setup, check, losses};
use criterion::Criterion;
use wgpu::util::DownloadBuffer;
use wgpu_metric_learning::measures::{MeasurePlan, Retrieval};
use wgpu_metric_learning::profile::Stage;
use wgpu_metric_learning::training::{Adam, Linear, LinearPlan, Optimizer, OptimizerPlan, Sgd};
use wgpu_metric_learning::{
    Batch, Context, Contrastive, Distance, Loss, MultiMargin, Result, reference,
};

fn main() {
    let setup = Setup::new();
    let mut benches = Benches { criterion: setup.criterion(), setup: &setup };
    benches.pairs();
    benches.terms();
    benches.measures();
    benches.linear();
    benches.optimizers();
    benches.criterion.final_summary();
}

struct Benches<'a> {
    setup: &'a Setup,
    criterion: Criterion<GpuTime>,
}

impl Benches<'_> {
    /// The stages that are the same for every loss over pairs.
    fn pairs(&mut self) {
        for distance in Distance::ALL {
            let loss = Contrastive { distance, ..Default::default() }.into();
            for batch in self.setup.batches(&loss) {
                let name = format!("{}/{distance:?}", batch.shape().mode().name());
                self.stages(&name, &loss, &batch, &[Stage::Distance, Stage::Gradient]);
            }
        }
        let [normalized, scores]: [Loss; 2] = [
            Contrastive { normalize: true, ..Default::default() }.into(),
            MultiMargin::default().into(),
        ];
        for batch in self.setup.batches(&normalized) {
            self.stages(
                batch.shape().mode().name(),
                &normalized,
                &batch,
                &[Stage::Prepare, Stage::Finish],
            );
        }
        for batch in self.setup.batches(&scores) {
            self.stages(
                batch.shape().mode().name(),
                &scores,
                &batch,
                &[Stage::Distance, Stage::Gradient],
            );
        }
    }

    fn terms(&mut self) {
        for (name, loss) in losses() {
            let batch = self.setup.batches(&loss)[0];
            self.stages(&name, &loss, &batch, &[Stage::Terms]);
        }
    }

    fn stages(&mut self, name: &str, loss: &Loss, batch: &Batch<'_>, stages: &[Stage]) {
        let recording = LazyCell::new(|| self.setup.checked(loss, batch).expect("the loss runs"));
        for &stage in stages {
            self.setup.bench(&mut self.criterion, &format!("{stage}/{name}"), &[stage], &recording);
        }
    }

    fn measures(&mut self) {
        let batch = self.setup.batches(&Contrastive::default().into())[0];
        let recording = LazyCell::new(|| measures(self.setup, &batch).expect("the measures run"));
        for (stage, kernel) in [(Stage::Terms, "ranks"), (Stage::Finish, "totals")] {
            self.setup.bench(
                &mut self.criterion,
                &format!("measures/{kernel}"),
                &[stage],
                &recording,
            );
        }
    }

    fn linear(&mut self) {
        for way in [Way::Forward, Way::Backward] {
            let recording = LazyCell::new(|| linear(self.setup, way).expect("the projection runs"));
            self.setup.bench(
                &mut self.criterion,
                &format!("training/linear/{way:?}"),
                &Stage::ALL,
                &recording,
            );
        }
    }

    fn optimizers(&mut self) {
        let optimizers: [(&str, Optimizer); 2] =
            [("Sgd", Sgd::default().into()), ("Adam", Adam::default().into())];
        for (name, optimizer) in optimizers {
            let recording =
                LazyCell::new(|| steps(self.setup, optimizer).expect("the optimiser runs"));
            self.setup.bench(
                &mut self.criterion,
                &format!("training/{name}"),
                &Stage::ALL,
                &recording,
            );
        }
    }
}

fn measures(setup: &Setup, batch: &Batch<'_>) -> Result<Recording<MeasurePlan>> {
    let retrieval = Retrieval::default();
    let plan = setup.context.plan_measures(&retrieval, *batch.shape())?;
    let binding = setup.with_inputs(batch, |inputs| plan.bind(inputs))?;
    let recording = Recording::new(plan, binding)?;
    let actual = recording.result(MeasurePlan::read_back)?;
    check("retrieval", &reference::measure_with_bounds(&retrieval, batch)?.compare(&actual));
    Ok(recording)
}

/// Through a projection, from the inputs to the outputs, or from their gradient to that of the
/// weights.
#[derive(Clone, Copy, Debug)]
enum Way {
    Forward,
    Backward,
}

/// N rows from D to D dimensions.
fn linear(setup: &Setup, way: Way) -> Result<Recording<LinearPlan>> {
    let sizes = Linear { rows: setup.n, inputs: setup.d, outputs: setup.d };
    let plan = setup.context.plan_linear(sizes)?;
    let inputs = setup.sample.embeddings.as_slice();
    let of_inputs = setup.upload(inputs);
    let (binding, result, expected) = match way {
        Way::Forward => {
            let weights = Random(3).numbers(sizes.inputs * sizes.outputs, 1.0);
            let binding =
                plan.bind_forward(of_inputs.slice(..), setup.upload(&weights).slice(..))?;
            (binding, plan.outputs().clone(), reference::project(&sizes, inputs, &weights)?)
        }
        Way::Backward => {
            let slopes = setup.sample.references.as_slice();
            let binding =
                plan.bind_backward(of_inputs.slice(..), setup.upload(slopes).slice(..))?;
            (binding, plan.gradient().clone(), reference::project_back(&sizes, inputs, slopes)?)
        }
    };
    let recording = Recording::new(plan, binding)?;
    recording.run(&[])?;
    check(way, &expected.compare(&download(&setup.context, &result)));
    Ok(recording)
}

/// Steps of N x D parameters along the same gradient.
fn steps(setup: &Setup, optimizer: Optimizer) -> Result<Recording<OptimizerPlan>> {
    let [start, slopes] = [setup.sample.embeddings.as_slice(), setup.sample.references.as_slice()];
    let parameters = setup.upload(start);
    let plan = setup.context.plan_optimizer(optimizer, start.len())?;
    let binding = plan.bind(parameters.slice(..), setup.upload(slopes).slice(..))?;
    let recording = Recording::new(plan, binding)?;
    recording.run(&[])?;
    let expected = reference::optimize(optimizer, start, &[slopes])?;
    check(optimizer, &expected.compare(&download(&setup.context, &parameters)));
    Ok(recording)
}

/// The numbers in a buffer, after all that was submitted before.
fn download(context: &Context, buffer: &wgpu::Buffer) -> Vec<f32> {
    let (sender, receiver) = sync_channel(1);
    let send = move |read| sender.send(read).expect("it is waited for");
    DownloadBuffer::read_buffer(context.device(), context.queue(), &buffer.slice(..), send);
    context.device().poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
    let bytes = receiver.recv().expect("an answer").expect("it can be mapped");
    bytemuck::pod_collect_to_vec(&bytes)
}
