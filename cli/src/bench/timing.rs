//! How long one loss takes on one batch: loss and gradients, with inputs and outputs on the GPU.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::tuning::{RowWidth, Tiles};
use wgpu_metric_learning::{Batch, Binding, Context, Inputs as Bound, Plan, Record};

use super::limits::Limits;
use super::stages::{self, StageTime};
use super::subject::{Inputs, Subject};
use crate::gpu::Gpu;
use crate::{Result, objective};

/// No more runs than this, however short they are.
const MOST_RUNS: usize = 1000;

/// The times of one loss on one batch.
pub struct Timing {
    /// From the first call to record until the GPU is done, in ascending order.
    times: Vec<Duration>,
    /// The host's part of it, in ascending order.
    record: Vec<Duration>,
    dispatches: usize,
    tiles: Option<Tiles>,
    row_width: Option<RowWidth>,
    memory_bytes: u64,
    operations: u64,
    stages: Vec<StageTime>,
    value: f32,
}

impl Timing {
    /// Runs for so long, after a first evaluation whose value is read back.
    pub fn measure(
        context: &Context,
        subject: &Subject,
        inputs: &Inputs,
        time: Duration,
    ) -> Result<Self> {
        let batch = inputs.batch(&subject.loss)?;
        batch.check(&subject.loss)?;
        let plan = context.plan(&subject.loss, *batch.shape())?;
        let binding = bind(context, &plan, &batch)?;
        let value = first(context, &plan, &binding)?;
        let (mut times, mut record) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while times.is_empty() || (start.elapsed() < time && times.len() < MOST_RUNS) {
            let [host, all] = run(context, &plan, &binding)?;
            record.push(host);
            times.push(all);
        }
        times.sort();
        record.sort();
        Ok(Self {
            times,
            record,
            dispatches: plan.dispatches(&binding),
            tiles: plan.tiles(),
            row_width: plan.row_width(),
            memory_bytes: plan.memory_bytes(),
            operations: plan.operations(&binding),
            stages: stages::measure(context, &plan, &binding)?,
            value,
        })
    }

    fn median(&self) -> Duration {
        self.times[self.times.len() / 2]
    }

    /// The time of all stages on the GPU, where the device has timestamps.
    fn gpu(&self) -> Option<Duration> {
        (!self.stages.is_empty()).then(|| self.stages.iter().map(StageTime::median).sum())
    }

    /// A line for every stage.
    pub fn stages(&self, limits: &Limits) -> impl Iterator<Item = String> {
        self.stages.iter().map(|stage| stage.text(limits))
    }

    fn record_us(&self) -> f64 {
        self.record[self.record.len() / 2].as_secs_f64() * 1e6
    }

    fn operations_per_second(&self) -> f64 {
        self.operations as f64 / self.median().as_secs_f64()
    }

    pub fn json(&self, gpu: &Gpu, subject: &Subject, inputs: &Inputs, limits: &Limits) -> Value {
        let info = gpu.adapter.info();
        json!({
            "impl": env!("CARGO_BIN_NAME"),
            "adapter": info.name,
            "backend": info.backend.to_str(),
            "loss": subject.name,
            "objective": objective::to_json(&subject.loss),
            "n": inputs.n,
            "d": inputs.d,
            "ms_median": milliseconds(self.median()),
            "ms_min": milliseconds(self.times[0]),
            "gpu_ms_median": self.gpu().map(milliseconds),
            "stages": stages::json(&self.stages, limits),
            "runs": self.times.len(),
            "dispatches": self.dispatches,
            "tiles": self.tiles.map(|tiles| json!({ "distance": tiles.distance.name(), "gradient": tiles.gradient.name() })),
            "row_width": self.row_width.map(RowWidth::name),
            "submits": 1,
            "host_record_us": self.record_us(),
            "memory_bytes": self.memory_bytes,
            "operations": self.operations,
            "operations_per_second": self.operations_per_second(),
            "share_of_peak": self.operations_per_second() / limits.operations_per_second,
            "value": self.value,
        })
    }

    /// For the columns of the table.
    pub fn cells(&self, subject: &Subject, inputs: &Inputs, limits: &Limits) -> Vec<String> {
        let share = self.operations_per_second() / limits.operations_per_second;
        vec![
            subject.name.clone(),
            inputs.n.to_string(),
            inputs.d.to_string(),
            format!("{:.3}", milliseconds(self.median())),
            format!("{:.3}", milliseconds(self.times[0])),
            format!("{:.1}", self.record_us()),
            self.dispatches.to_string(),
            format!("{:.1}", self.memory_bytes as f64 / (1 << 20) as f64),
            format!("{:.1} %", 100.0 * share),
        ]
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn bind(context: &Context, plan: &Plan, batch: &Batch<'_>) -> Result<Binding> {
    let upload = |contents: &[u8]| {
        let usage = wgpu::BufferUsages::STORAGE;
        context.device().create_buffer_init(&BufferInitDescriptor {
            label: Some("bench input"),
            contents,
            usage,
        })
    };
    let embeddings = upload(bytemuck::cast_slice(batch.embeddings()));
    let labels = upload(bytemuck::cast_slice(batch.labels()));
    let references =
        batch.shape().has_references().then(|| upload(bytemuck::cast_slice(batch.references())));
    let mut inputs = Bound::new(&embeddings, &labels);
    inputs.references = references.as_ref().map(|references| references.slice(..));
    Ok(plan.bind(&inputs)?)
}

/// Not timed: makes what only the first evaluation makes. Returns the loss, if the inputs and the
/// result are in order.
fn first(context: &Context, plan: &Plan, binding: &Binding) -> Result<f32> {
    let mut encoder =
        context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    plan.record(&mut encoder, binding)?;
    let pending = plan.read_back(&mut encoder)?;
    context.queue().submit([encoder.finish()]);
    Ok(pending.wait(context.options().timeout)?.loss)
}

/// The host's time to record, and the time of all.
fn run(context: &Context, plan: &Plan, binding: &Binding) -> Result<[Duration; 2]> {
    let start = Instant::now();
    let mut encoder =
        context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    plan.record(&mut encoder, binding)?;
    let recorded = start.elapsed();
    context.queue().submit([encoder.finish()]);
    wait(context)?;
    Ok([recorded, start.elapsed()])
}

/// Until the GPU is done.
pub fn wait(context: &Context) -> Result<()> {
    let timeout = context.options().timeout;
    let poll = wgpu::PollType::Wait { submission_index: None, timeout: Some(timeout) };
    context
        .device()
        .poll(poll)
        .map_err(|_| wgpu_metric_learning::Error::Timeout { after: timeout })?;
    Ok(())
}
