//! What the benchmarks share: the adapter, the clock, the inputs, the losses, and how each result
//! is checked.

mod gpu_time;
mod losses;
mod recording;
pub(crate) mod sample;

use std::ops::Deref;
use std::time::Duration;

use criterion::Criterion;
use sample::Sample;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::profile::Stage;
use wgpu_metric_learning::reference::{self, Comparison};
use wgpu_metric_learning::{Batch, Context, Inputs, Loss, Plan, Record, Result};

pub(crate) use gpu_time::GpuTime;
pub(crate) use losses::losses;
pub(crate) use recording::Recording;

/// What every benchmark is made on.
pub(crate) struct Setup {
    pub context: Context,
    pub n: usize,
    pub d: usize,
    pub sample: Sample,
    clock: GpuTime,
}

impl Setup {
    /// On the best adapter; `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose another. The variables
    /// `N`, `D` and `CLASS_SIZE` say how many rows there are, how long they are, and how many
    /// have a label in common.
    pub(crate) fn new() -> Self {
        let context = Context::headless().expect("an adapter");
        let clock = if recording::takes_timestamps(&context) {
            "timestamps of the GPU"
        } else {
            "the wall clock"
        };
        let info = context.device().adapter_info();
        println!("on {} ({}), by {clock}", info.name, info.backend);
        let [n, d, class_size] = [("N", 512), ("D", 128), ("CLASS_SIZE", 8)].map(size);
        let sample = Sample::new(n, d, (n / class_size).max(1));
        Self { context, n, d, sample, clock: GpuTime::default() }
    }

    /// With criterion's options of the command line.
    pub(crate) fn criterion(&self) -> Criterion<GpuTime> {
        let criterion = Criterion::default().with_measurement(self.clock.clone());
        let [warm_up, measurement] = [1, 3].map(Duration::from_secs);
        criterion
            .sample_size(10)
            .warm_up_time(warm_up)
            .measurement_time(measurement)
            .configure_from_args()
    }

    /// Benchmarks the stages that count. A recording that is lazy is made, and its result checked,
    /// only where the command line chooses the benchmark.
    pub(crate) fn bench<P: Record>(
        &self,
        criterion: &mut Criterion<GpuTime>,
        name: &str,
        counted: &[Stage],
        recording: &impl Deref<Target = Recording<P>>,
    ) {
        criterion.bench_function(&format!("{name}/{}x{}", self.n, self.d), |bencher| {
            let recording = recording.deref();
            bencher.iter(|| self.clock.advance(recording.run(counted).expect("the GPU computes")));
        });
    }

    /// A batch for every mode that the loss has.
    pub(crate) fn batches(&self, loss: &Loss) -> Vec<Batch<'_>> {
        self.sample.batches(loss).expect("the sample is one for every loss")
    }

    /// A loss on a batch, its result checked.
    pub(crate) fn checked(&self, loss: &Loss, batch: &Batch<'_>) -> Result<Recording<Plan>> {
        let plan = self.context.plan(loss, *batch.shape())?;
        let binding = self.with_inputs(batch, |inputs| plan.bind(inputs))?;
        let recording = Recording::new(plan, binding)?;
        let actual = recording.result(Plan::read_back)?;
        check(loss, &reference::evaluate_with_bounds(loss, batch)?.compare(&actual));
        Ok(recording)
    }

    /// Hands the inputs of a batch on in buffers.
    pub(crate) fn with_inputs<T>(
        &self,
        batch: &Batch<'_>,
        bind: impl FnOnce(&Inputs<'_>) -> T,
    ) -> T {
        let buffers = batch.bytes().map(|bytes| self.upload(bytes));
        bind(&Inputs::of(&buffers))
    }

    /// Numbers in a buffer that can be bound and downloaded.
    pub(crate) fn upload<T: bytemuck::NoUninit>(&self, numbers: &[T]) -> wgpu::Buffer {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC;
        let contents = bytemuck::cast_slice(numbers);
        let descriptor = BufferInitDescriptor { label: None, contents, usage };
        self.context.device().create_buffer_init(&descriptor)
    }
}

/// Stops the benchmarks where a result is not what the reference says.
pub(crate) fn check(what: impl std::fmt::Debug, comparison: &Comparison) {
    assert!(comparison.agrees(), "{what:?} disagrees with the reference:\n{comparison}");
}

/// A number from the environment, or its default.
fn size((name, default): (&str, usize)) -> usize {
    match std::env::var(name) {
        Ok(text) => text
            .parse()
            .ok()
            .filter(|&size| size > 0)
            .unwrap_or_else(|| panic!("{name}={text} is no size")),
        Err(_) => default,
    }
}
