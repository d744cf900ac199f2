//! The list of all kernels has every one, and a context those that it may keep.

use super::one_of_each_kind;
use crate::gpu::kernel::{Kernel, catalogue};
use crate::gpu::{Context, Options};
use crate::measures::{Retrieval, Verification};
use crate::reference::samples::{Sample, representatives, thresholded};
use crate::search::Search;
use crate::training::{Linear, Optimizer};
use crate::{Contrastive, Error, Run, Weighted};

/// A context on a device that compiles and computes nothing: what is made of a kernel is of no
/// concern here.
fn context() -> Context {
    let (device, queue) = wgpu::Device::noop(&wgpu::DeviceDescriptor {
        required_features: wgpu::Features::SUBGROUP,
        ..Default::default()
    });
    Context::configured(&device, &queue, Options::default()).expect("a device of wgpu's own")
}

/// Every kernel that planning all losses in all their modes makes, an objective, measuring
/// retrieval, verification, and training.
fn planned() -> Vec<Kernel> {
    let context = context();
    let sample = Sample::new(5, 3, 1.0);
    for loss in representatives().into_iter().chain(thresholded()) {
        for batch in sample.batches(&loss).into_iter().chain(sample.weighted_batches(&loss)) {
            context.plan(&loss, *batch.shape()).expect("a valid sample");
        }
    }
    let loss = Contrastive::default().into();
    for batch in sample.weighted_batches(&loss) {
        recorded(context.evaluate(&loss, &batch));
    }
    // What comes before all losses is made when inputs are bound.
    for loss in one_of_each_kind() {
        for batch in sample.batches(&loss) {
            recorded(context.evaluate(&loss, &batch));
        }
    }
    for batch in sample.retrieval_batches() {
        recorded(context.measure(&Retrieval::default(), &batch));
        recorded(context.verify(&Verification::default(), &batch));
        let weighted = Weighted::new(1.0, Contrastive::default(), batch);
        recorded(context.evaluate_objective(&[weighted.clone(), weighted]));
    }
    let search = Search { k: 2, ..Default::default() };
    recorded(context.search(&search, 1, &[0.0], &[1.0, 2.0]));
    for optimizer in Optimizer::all() {
        let plan = context.plan_optimizer(optimizer, 4).expect("a valid optimiser");
        let [parameters, gradient] = [(); 2].map(|()| values(&context, 4));
        plan.bind(parameters.slice(..), gradient.slice(..)).expect("valid buffers");
    }
    let linear =
        context.plan_linear(Linear { rows: 2, inputs: 2, outputs: 2 }).expect("valid sizes");
    let [inputs, other] = [(); 2].map(|()| values(&context, 4));
    linear.bind_forward(inputs.slice(..), other.slice(..)).expect("valid buffers");
    linear.bind_backward(inputs.slice(..), other.slice(..)).expect("valid buffers");
    context.pipelines().kernels()
}

/// All of it is recorded and submitted, and nothing is written.
fn recorded<T>(run: Run<T>) {
    assert_eq!(run.wait().err(), Some(Error::NotComputed));
}

fn values(context: &Context, count: u64) -> wgpu::Buffer {
    let usage = wgpu::BufferUsages::STORAGE;
    let descriptor =
        wgpu::BufferDescriptor { label: None, size: count * 4, usage, mapped_at_creation: false };
    context.device().create_buffer(&descriptor)
}

#[test]
fn every_kernel_that_is_planned_is_listed() {
    let all = catalogue::all();
    let planned = planned();
    assert!(planned.len() > 60, "only {} kernels", planned.len());
    for kernel in planned {
        assert!(all.contains(&kernel), "{kernel:?} is not listed");
    }
}

/// Two threads whose plans fail forget what either has made, in whatever order.
#[test]
fn what_fails_is_forgotten() {
    let context = context();
    let pipelines = context.pipelines();
    let [whole, one, other] =
        [catalogue::prepare_sizes(), catalogue::prepare_rows(), catalogue::accumulate()];
    context.pipeline(&whole);
    let first = pipelines.now();
    context.pipeline(&one);
    let second = pipelines.now();
    pipelines.forget_since(first);
    assert_eq!(pipelines.kernels(), [whole]);
    context.pipeline(&other);
    pipelines.forget_since(second);
    assert!(!pipelines.kernels().contains(&other));
}
