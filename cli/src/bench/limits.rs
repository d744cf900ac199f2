//! What the adapter can do at most, measured: multiply-adds, copied bytes, empty dispatches and
//! empty submissions.

use std::time::{Duration, Instant};

use serde::Serialize;
use wgpu_metric_learning::Context;

use crate::gpu::Gpu;
use crate::place::Place;
use crate::{Error, Result, table};

/// Lanes of a workgroup, rounds of its loop, multiply-adds of a round: those of limits.wgsl.
const WORKGROUP: f64 = 256.0;
const ROUNDS: f64 = 2048.0;
const PER_ROUND: f64 = 8.0 * 4.0;

/// How long a measurement has to take, so that its start does not count.
const LONG: Duration = Duration::from_millis(100);
const COPIED_BYTES: u64 = 64 << 20;
const DISPATCHES: u32 = 1000;
const SUBMITS: u32 = 50;

/// The limits that kernels are held against.
pub(crate) struct Limits {
    /// Multiplications and additions together, of f32.
    pub operations_per_second: f64,
    /// Read and written together.
    pub bytes_per_second: f64,
    pub dispatch: Duration,
    pub submit: Duration,
}

impl Limits {
    pub(crate) fn measure(context: &Context) -> Result<Self> {
        let bench = Bench::new(context);
        // Wakes the adapter up.
        bench.time(|_| {})?;
        Ok(Self {
            operations_per_second: bench.operations_per_second()?,
            bytes_per_second: bench.bytes_per_second()?,
            dispatch: bench.dispatch()?,
            submit: bench.submit()?,
        })
    }

    /// The limits by their names, for people.
    pub(crate) fn properties(&self) -> Vec<(&'static str, String)> {
        vec![
            ("multiply-adds", format!("{:.1} GFLOP/s", self.operations_per_second / 1e9)),
            ("copies", format!("{:.1} GB/s, read and written", self.bytes_per_second / 1e9)),
            ("empty dispatch", format!("{:.1} us", self.dispatch.as_secs_f64() * 1e6)),
            ("empty submit", format!("{:.1} us", self.submit.as_secs_f64() * 1e6)),
        ]
    }

    pub(crate) fn text(&self, gpu: &Gpu) -> String {
        format!("{}\n{}", gpu.describe(), table::properties(&self.properties()))
    }

    pub(crate) fn line(&self, gpu: &Gpu) -> Line {
        Line {
            limits: true,
            place: gpu.place(),
            operations_per_second: self.operations_per_second,
            bytes_per_second: self.bytes_per_second,
            empty_dispatch_us: self.dispatch.as_secs_f64() * 1e6,
            empty_submit_us: self.submit.as_secs_f64() * 1e6,
        }
    }
}

/// The limits as JSON.
#[derive(Serialize)]
pub(crate) struct Line {
    /// Tells it from the points that follow.
    limits: bool,
    #[serde(flatten)]
    place: Place,
    operations_per_second: f64,
    bytes_per_second: f64,
    empty_dispatch_us: f64,
    empty_submit_us: f64,
}

struct Bench<'a> {
    context: &'a Context,
    multiply_add: wgpu::ComputePipeline,
    empty: wgpu::ComputePipeline,
    sink: wgpu::BindGroup,
}

impl<'a> Bench<'a> {
    fn new(context: &'a Context) -> Self {
        let device = context.device();
        let module = device.create_shader_module(wgpu::include_wgsl!("limits.wgsl"));
        let pipeline = |entry| {
            device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(entry),
                layout: None,
                module: &module,
                entry_point: Some(entry),
                compilation_options: Default::default(),
                cache: None,
            })
        };
        let multiply_add = pipeline("multiply_add");
        let buffer = buffer(context, 256, wgpu::BufferUsages::STORAGE);
        let sink = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("sink"),
            layout: &multiply_add.get_bind_group_layout(0),
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        });
        Self { context, multiply_add, empty: pipeline("empty"), sink }
    }

    /// The time from the submission of what `record` records to its end.
    fn time(&self, record: impl FnOnce(&mut wgpu::CommandEncoder)) -> Result<Duration> {
        let device = self.context.device();
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        record(&mut encoder);
        let commands = encoder.finish();
        let start = Instant::now();
        self.context.queue().submit([commands]);
        super::timing::wait(self.context)
            .map_err(|error| Error::Kernel { error, kernel: "limits.wgsl" })?;
        Ok(start.elapsed())
    }

    fn operations_per_second(&self) -> Result<f64> {
        let mut groups = 256_u32;
        loop {
            let elapsed = self.time(|encoder| {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                pass.set_pipeline(&self.multiply_add);
                pass.set_bind_group(0, &self.sink, &[]);
                pass.dispatch_workgroups(groups, 1, 1);
            })?;
            if elapsed >= LONG || groups >= 1 << 15 {
                return Ok(f64::from(groups) * WORKGROUP * ROUNDS * PER_ROUND * 2.0
                    / elapsed.as_secs_f64());
            }
            groups *= 2;
        }
    }

    fn bytes_per_second(&self) -> Result<f64> {
        let size = COPIED_BYTES.min(self.context.device().limits().max_buffer_size);
        let [from, to] = [wgpu::BufferUsages::COPY_SRC, wgpu::BufferUsages::COPY_DST]
            .map(|usage| buffer(self.context, size, usage | wgpu::BufferUsages::COPY_DST));
        let mut copies = 1_u32;
        loop {
            let elapsed = self.time(|encoder| {
                (0..copies).for_each(|_| encoder.copy_buffer_to_buffer(&from, 0, &to, 0, size));
            })?;
            if elapsed >= LONG || copies >= 1 << 12 {
                return Ok(2.0 * f64::from(copies) * size as f64 / elapsed.as_secs_f64());
            }
            copies *= 2;
        }
    }

    fn dispatch(&self) -> Result<Duration> {
        let elapsed = self.time(|encoder| {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(&self.empty);
            (0..DISPATCHES).for_each(|_| pass.dispatch_workgroups(1, 1, 1));
        })?;
        Ok(elapsed / DISPATCHES)
    }

    fn submit(&self) -> Result<Duration> {
        let times: Result<Vec<_>> = (0..SUBMITS).map(|_| self.time(|_| {})).collect();
        times?.into_iter().min().ok_or_else(|| Error::option("--adapter", "it took no submission"))
    }
}

fn buffer(context: &Context, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    let descriptor =
        wgpu::BufferDescriptor { label: Some("bench"), size, usage, mapped_at_creation: false };
    context.device().create_buffer(&descriptor)
}
