//! How long losses take on the visitor's GPU, beside what it can do at most.

use std::future::Future;
use std::time::Duration;
use std::vec::IntoIter;

use serde::Serialize;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use web_time::Instant;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::{
    Adapter, Batch, Binding, Context, Inputs, Loss, Mode, Options, Plan, Record,
};

use crate::{done, objective};

const DIMENSIONS: usize = 128;
const ROWS_OF_A_CLASS: usize = 8;

/// How long a point is timed, after an evaluation that is not.
const LONG: Duration = Duration::from_millis(300);
const MOST_RUNS: usize = 200;

/// Lanes of a workgroup, rounds of its loop, operations of a round: those of limits.wgsl.
const OPERATIONS_OF_A_GROUP: f64 = 256.0 * 2048.0 * 8.0 * 4.0 * 2.0;

/// How long a measurement of the adapter has to take, so that its start does not count.
const LONG_ENOUGH: Duration = Duration::from_millis(100);
const COPIED_BYTES: u64 = 64 << 20;

/// A bench that goes on point by point.
#[wasm_bindgen]
pub struct Bench {
    context: Context,
    limits: Limits,
    points: IntoIter<(&'static str, Loss, usize)>,
}

/// What the adapter can do at most.
#[derive(Clone, Copy, Serialize)]
struct Limits {
    operations_per_second: f64,
    /// Read and written together.
    bytes_per_second: f64,
    empty_submit_us: f64,
}

/// How long a loss took on a batch: loss and gradient, with inputs and outputs on the GPU.
#[derive(Serialize)]
struct Point {
    loss: &'static str,
    n: usize,
    d: usize,
    runs: usize,
    median_ms: f64,
    least_ms: f64,
    /// On the GPU's own clock, where the browser grants it.
    gpu_ms: Option<f64>,
    operations_per_second: f64,
    of_peak: f64,
}

#[wasm_bindgen]
impl Bench {
    /// Opens the adapter, and measures what it can do at most. Batches have 256 rows, and twice as
    /// many up to the largest.
    pub async fn open(largest: usize) -> Result<Self, JsError> {
        let context = Adapter::find_async(None).await?.open_async(Options::default()).await?;
        let limits = Limits::measure(&context).await?;
        let of_batches = |(_, loss): &(_, Loss)| loss.modes().contains(&Mode::Batch);
        let losses = objective::benchmarked().into_iter().filter(of_batches);
        let sizes = std::iter::successors(Some(256), |rows| Some(2 * rows))
            .take_while(move |&rows| rows <= largest);
        let points: Vec<_> = losses
            .flat_map(|(name, loss)| sizes.clone().map(move |rows| (name, loss.clone(), rows)))
            .collect();
        Ok(Self { context, limits, points: points.into_iter() })
    }

    /// What the adapter can do at most, as JSON.
    pub fn limits(&self) -> Result<String, JsError> {
        Ok(serde_json::to_string(&self.limits)?)
    }

    /// How many points are left.
    pub fn left(&self) -> usize {
        self.points.len()
    }

    /// Times the next point; as JSON, or nothing where all are done.
    pub async fn next(&mut self) -> Result<Option<String>, JsError> {
        let Some((name, loss, rows)) = self.points.next() else { return Ok(None) };
        let point = self.time(name, &loss, rows).await?;
        Ok(Some(serde_json::to_string(&point)?))
    }

    async fn time(&self, name: &'static str, loss: &Loss, rows: usize) -> Result<Point, JsError> {
        let embeddings = unit_rows(rows, DIMENSIONS);
        let classes = rows / ROWS_OF_A_CLASS;
        let labels: Vec<u32> = (0..rows).map(|row| (row % classes) as u32).collect();
        let batch = Batch::new(&embeddings, [rows, DIMENSIONS], &labels)?;
        // Not timed: compiles, and tells what is wrong.
        self.context.evaluate(loss, &batch).await?;
        let plan = self.context.plan(loss, *batch.shape())?;
        let [embeddings, labels] =
            [bytemuck::cast_slice(&embeddings), bytemuck::cast_slice(&labels)].map(|contents| {
                let usage = wgpu::BufferUsages::STORAGE;
                let descriptor = BufferInitDescriptor { label: None, contents, usage };
                self.context.device().create_buffer_init(&descriptor)
            });
        let binding = plan.bind(&Inputs::new(&embeddings, &labels))?;
        let record = |encoder: &mut _| plan.record(encoder, &binding);
        let mut times = Vec::new();
        let start = Instant::now();
        while times.is_empty() || (start.elapsed() < LONG && times.len() < MOST_RUNS) {
            times.push(run(&self.context, record).await?);
        }
        times.sort();
        let median = times[times.len() / 2];
        let operations_per_second = plan.operations(&binding) as f64 / median.as_secs_f64();
        Ok(Point {
            loss: name,
            n: rows,
            d: DIMENSIONS,
            runs: times.len(),
            median_ms: in_milliseconds(median),
            least_ms: in_milliseconds(times[0]),
            gpu_ms: self.on_its_own_clock(&plan, &binding).await?.map(in_milliseconds),
            operations_per_second,
            of_peak: operations_per_second / self.limits.operations_per_second,
        })
    }

    async fn on_its_own_clock(
        &self,
        plan: &Plan,
        binding: &Binding,
    ) -> Result<Option<Duration>, JsError> {
        let device = self.context.device();
        if !device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            return Ok(None);
        }
        let timings = plan.timings(binding)?;
        let mut encoder = device.create_command_encoder(&Default::default());
        plan.record_timed(&mut encoder, binding, &timings)?;
        let pending = timings.read_back(&mut encoder)?;
        self.context.queue().submit([encoder.finish()]);
        Ok(Some(pending.await?.into_iter().map(|(_, time)| time).sum()))
    }
}

/// The time from the first call to record until the GPU is done.
fn run(
    context: &Context,
    record: impl FnOnce(&mut wgpu::CommandEncoder) -> wgpu_metric_learning::Result<()>,
) -> impl Future<Output = Result<Duration, JsError>> {
    let start = Instant::now();
    let mut encoder = context.device().create_command_encoder(&Default::default());
    let recorded = record(&mut encoder);
    context.queue().submit([encoder.finish()]);
    let end = done(context.queue());
    async move {
        recorded?;
        end.await?;
        Ok(start.elapsed())
    }
}

impl Limits {
    async fn measure(context: &Context) -> Result<Self, JsError> {
        let mut submits = Vec::new();
        for _ in 0..20 {
            submits.push(run(context, |_| Ok(())).await?);
        }
        let submit = submits.into_iter().min().unwrap_or_default();
        Ok(Self {
            operations_per_second: operations_per_second(context).await?,
            bytes_per_second: bytes_per_second(context).await?,
            empty_submit_us: submit.as_secs_f64() * 1e6,
        })
    }
}

async fn operations_per_second(context: &Context) -> Result<f64, JsError> {
    let device = context.device();
    let shader = wgpu::include_wgsl!("../../../cli/src/bench/limits.wgsl");
    let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some("multiply_add"),
        layout: None,
        module: &device.create_shader_module(shader),
        entry_point: Some("multiply_add"),
        compilation_options: Default::default(),
        cache: None,
    });
    let buffer = buffer(context, 256, wgpu::BufferUsages::STORAGE);
    let sink = device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("sink"),
        layout: &pipeline.get_bind_group_layout(0),
        entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
    });
    let mut groups = 64_u32;
    loop {
        let record = |encoder: &mut wgpu::CommandEncoder| {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            pass.set_pipeline(&pipeline);
            pass.set_bind_group(0, &sink, &[]);
            pass.dispatch_workgroups(groups, 1, 1);
            Ok(())
        };
        let elapsed = run(context, record).await?;
        if elapsed >= LONG_ENOUGH || groups >= 1 << 15 {
            return Ok(f64::from(groups) * OPERATIONS_OF_A_GROUP / elapsed.as_secs_f64());
        }
        groups *= 2;
    }
}

async fn bytes_per_second(context: &Context) -> Result<f64, JsError> {
    let size = COPIED_BYTES.min(context.device().limits().max_buffer_size);
    let [from, to] = [wgpu::BufferUsages::COPY_SRC, wgpu::BufferUsages::COPY_DST]
        .map(|usage| buffer(context, size, usage));
    let mut copies = 1_u32;
    loop {
        let record = |encoder: &mut wgpu::CommandEncoder| {
            (0..copies).for_each(|_| encoder.copy_buffer_to_buffer(&from, 0, &to, 0, size));
            Ok(())
        };
        let elapsed = run(context, record).await?;
        if elapsed >= LONG_ENOUGH || copies >= 1 << 12 {
            return Ok(2.0 * f64::from(copies) * size as f64 / elapsed.as_secs_f64());
        }
        copies *= 2;
    }
}

fn buffer(context: &Context, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let descriptor =
        wgpu::BufferDescriptor { label: Some("bench"), size, usage, mapped_at_creation: false };
    context.device().create_buffer(&descriptor)
}

/// Rows of norm 1, the same on every machine.
fn unit_rows(rows: usize, columns: usize) -> Vec<f32> {
    let mut state = 1_u32;
    let mut values: Vec<f32> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state as f32 / u32::MAX as f32 - 0.5
    })
    .take(rows * columns)
    .collect();
    for row in values.chunks_exact_mut(columns) {
        let norm = row.iter().map(|number| number * number).sum::<f32>().sqrt();
        row.iter_mut().for_each(|number| *number /= norm);
    }
    values
}

fn in_milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
