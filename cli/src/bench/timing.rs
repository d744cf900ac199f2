//! How long one loss takes on one batch: loss and gradients, with inputs and outputs on the GPU.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use wgpu::util::{BufferInitDescriptor, DeviceExt};
use wgpu_metric_learning::tuning::{RowWidth, Tiles};
use wgpu_metric_learning::{
    Batch, Binding, Context, Error as LibraryError, Inputs as Bound, Loss, Plan, Record,
};

use super::limits::Limits;
use super::report::Point;
use super::stages::{self, StageTime};
use super::subject::{Inputs, Subject};
use crate::gpu::Gpu;
use crate::place::Place;
use crate::progress::Progress;
use crate::table::in_milliseconds;
use crate::{Result, evaluator};

/// No more runs than this, however short they are.
pub(super) const MOST_RUNS: usize = 1000;

/// The times of one loss on one batch.
pub(crate) struct Timing {
    /// The time of each run, from the first call to record until the GPU is done, in ascending
    /// order.
    times: Vec<Duration>,
    /// The host's part of it, in ascending order.
    record: Vec<Duration>,
    dispatches: usize,
    tiles: Option<Tiles>,
    row_width: Option<RowWidth>,
    memory_bytes: u64,
    operations: u64,
    stages: Vec<StageTime>,
    compiled: Duration,
    value: f32,
}

impl Timing {
    /// Runs for so long, after a first evaluation whose value is read back. The pipelines took
    /// `compiled`.
    pub(crate) fn measure(
        context: &Context,
        subject: &Subject,
        inputs: &Inputs,
        compiled: Duration,
        time: Duration,
    ) -> Result<Self> {
        let batch = inputs.batch(&subject.loss)?;
        batch.check(&subject.loss)?;
        // Not timed: makes what only a first evaluation makes. In submissions, so that a kernel that
        // does not end is told.
        let first = evaluator::run(|watch| context.evaluate(&subject.loss, &batch).watch(watch))?;
        let plan = context.plan(&subject.loss, *batch.shape())?;
        let binding = bind(context, &plan, &batch)?;
        let progress = Progress::unknown(format!("timing {}", subject.name));
        let (mut times, mut record) = (Vec::new(), Vec::new());
        let start = Instant::now();
        while times.is_empty() || (start.elapsed() < time && times.len() < MOST_RUNS) {
            let [host, all] = run(context, &plan, &binding)?;
            record.push(host);
            times.push(all);
        }
        times.sort();
        record.sort();
        drop(progress);
        Ok(Self {
            times,
            record,
            dispatches: plan.dispatches(&binding),
            tiles: plan.tiles(),
            row_width: plan.row_width(),
            memory_bytes: plan.memory_bytes(),
            operations: plan.operations(&binding),
            stages: stages::measure(context, &plan, &binding)?,
            compiled,
            value: first.loss,
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
    pub(crate) fn stages(&self, limits: &Limits) -> impl Iterator<Item = String> {
        self.stages.iter().map(|stage| stage.text(limits))
    }

    fn record_us(&self) -> f64 {
        self.record[self.record.len() / 2].as_secs_f64() * 1e6
    }

    fn operations_per_second(&self) -> f64 {
        self.operations as f64 / self.median().as_secs_f64()
    }

    pub(crate) fn line<'a>(
        &self,
        gpu: &Gpu,
        subject: &'a Subject,
        inputs: &Inputs,
        limits: &Limits,
    ) -> Line<'a> {
        Line {
            implementation: env!("CARGO_BIN_NAME"),
            place: gpu.place(),
            loss: &subject.name,
            objective: &subject.loss,
            n: inputs.n,
            d: inputs.d,
            compile_ms: in_milliseconds(self.compiled),
            ms_median: in_milliseconds(self.median()),
            ms_min: in_milliseconds(self.times[0]),
            gpu_ms_median: self.gpu().map(in_milliseconds),
            stages: stages::lines(&self.stages, limits),
            runs: self.times.len(),
            dispatches: self.dispatches,
            tiles: self.tiles.map(TileNames::new),
            row_width: self.row_width.map(RowWidth::name),
            submits: 1,
            host_record_us: self.record_us(),
            memory_bytes: self.memory_bytes,
            operations: self.operations,
            operations_per_second: self.operations_per_second(),
            share_of_peak: self.operations_per_second() / limits.operations_per_second,
            value: self.value,
        }
    }

    /// It as a report has it.
    pub(crate) fn point(&self, subject: &Subject, inputs: &Inputs, limits: &Limits) -> Point {
        Point {
            loss: subject.name.clone(),
            n: inputs.n,
            d: inputs.d,
            milliseconds: in_milliseconds(self.median()),
            cells: self.cells(subject, inputs, limits),
            stages: self.stages(limits).collect(),
        }
    }

    /// The cells of this row, one for each column of the table.
    pub(crate) fn cells(&self, subject: &Subject, inputs: &Inputs, limits: &Limits) -> Vec<String> {
        let share = self.operations_per_second() / limits.operations_per_second;
        vec![
            subject.name.clone(),
            inputs.n.to_string(),
            inputs.d.to_string(),
            format!("{:.1}", in_milliseconds(self.compiled)),
            format!("{:.3}", in_milliseconds(self.median())),
            format!("{:.3}", in_milliseconds(self.times[0])),
            format!("{:.1}", self.record_us()),
            self.dispatches.to_string(),
            format!("{:.1}", self.memory_bytes as f64 / (1 << 20) as f64),
            format!("{:.1} %", 100.0 * share),
        ]
    }
}

/// A point as JSON.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    #[serde(rename = "impl")]
    implementation: &'static str,
    #[serde(flatten)]
    place: Place,
    loss: &'a str,
    objective: &'a Loss,
    n: usize,
    d: usize,
    compile_ms: f64,
    ms_median: f64,
    ms_min: f64,
    gpu_ms_median: Option<f64>,
    stages: BTreeMap<&'static str, stages::Line>,
    runs: usize,
    dispatches: usize,
    tiles: Option<TileNames>,
    row_width: Option<&'static str>,
    submits: u32,
    host_record_us: f64,
    memory_bytes: u64,
    operations: u64,
    operations_per_second: f64,
    share_of_peak: f64,
    value: f32,
}

/// Tiles as JSON.
#[derive(Serialize)]
pub(super) struct TileNames {
    distance: &'static str,
    gradient: &'static str,
}

impl TileNames {
    pub(super) fn new(tiles: Tiles) -> Self {
        Self { distance: tiles.distance.name(), gradient: tiles.gradient.name() }
    }
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
    let buffers = batch.bytes().map(|bytes| upload(bytes));
    Ok(plan.bind(&Bound::of(&buffers))?)
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

/// Until the GPU is done, at most the context's timeout.
pub(crate) fn wait(context: &Context) -> Result<(), LibraryError> {
    let after = context.options().timeout;
    let poll = wgpu::PollType::Wait { submission_index: None, timeout: Some(after) };
    context.device().poll(poll).map(|_| ()).map_err(|_| LibraryError::Timeout { after })
}
