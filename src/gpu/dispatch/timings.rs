//! How long the stages of a recording take on the GPU.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::gpu::device::allocate::check_size;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::device::tier::names_of;
use crate::gpu::dispatch::readback::{Field, Pending, Sources};
use crate::gpu::dispatch::section::Section;
use crate::gpu::kernel::stage::Stage;

/// Timestamps of a recording, one at the beginning and one at the end of each [`Section`]: made
/// once for a plan and a binding, written by every recording with it. Several recordings in one
/// submission each need timings of their own.
///
/// ```no_run
/// # use wgpu_metric_learning::{Binding, Plan, Record, Result};
/// # fn application(plan: &Plan, inputs: &Binding, device: &wgpu::Device, queue: &wgpu::Queue) -> Result<()> {
/// let timings = plan.timings(inputs)?; // the device needs wgpu::Features::TIMESTAMP_QUERY
/// let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
/// plan.record_timed(&mut encoder, inputs, &timings)?;
/// let mut pending = timings.read_back(&mut encoder)?;
/// queue.submit([encoder.finish()]);
/// for (stage, duration) in pending.wait(std::time::Duration::from_secs(10))? {
///     println!("{stage}: {duration:?}");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Timings {
    context: Context,
    stages: Vec<Stage>,
    queries: wgpu::QuerySet,
    /// The timestamps as numbers, 8 bytes each.
    resolved: wgpu::Buffer,
}

impl Timings {
    /// Timestamps for these sections: some of a recording, or its dispatches
    /// [apart](Section::apart). [`Plan::timings`] makes them for all sections.
    ///
    /// [`Plan::timings`]: crate::Record::timings
    ///
    /// # Errors
    ///
    /// [`Error::MissingFeature`] for a device without `TIMESTAMP_QUERY`, [`Error::DeviceLimit`] for
    /// more sections than a query set takes; [`Error::OutOfMemory`], [`Error::Gpu`].
    pub fn new(context: &Context, sections: &[Section<'_>]) -> Result<Self> {
        let device = context.device();
        let feature = wgpu::Features::TIMESTAMP_QUERY;
        if !device.features().contains(feature) {
            return Err(Error::MissingFeature {
                what: "a set of timestamps".into(),
                feature: names_of(feature),
            });
        }
        let count = 2 * sections.len() as u64;
        let limit = u64::from(wgpu::QUERY_SET_MAX_QUERIES);
        if count > limit {
            let what = "two timestamps for each section (a larger workspace has fewer)";
            return Err(Error::DeviceLimit {
                what,
                needed: count,
                name: "number of queries in a set",
                limit,
            });
        }
        let size = count * u64::from(wgpu::QUERY_SIZE);
        check_size("timestamps", size, &device.limits())?;
        scoped(context, "making timings", || {
            let queries = device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("metric-learning timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count: count as u32,
            });
            let resolved = context.create_buffer(&wgpu::BufferDescriptor {
                label: Some("metric-learning timestamps"),
                size,
                usage: wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC,
                mapped_at_creation: false,
            })?;
            let stages = sections.iter().map(Section::stage).collect();
            Ok(Self { context: context.clone(), stages, queries, resolved })
        })
    }

    /// Records each section in a pass with its timestamps, then the copies that make numbers of
    /// them.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for sections of other stages than those that the timings were made for.
    pub fn record(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        sections: &[Section<'_>],
    ) -> Result<()> {
        if !sections.iter().map(Section::stage).eq(self.stages.iter().copied()) {
            let problem = "they were made for another plan or binding".into();
            return Err(Error::Buffer { what: "timings", problem });
        }
        for (section, first) in sections.iter().zip((0..).step_by(2)) {
            let timestamps = wgpu::ComputePassTimestampWrites {
                query_set: &self.queries,
                beginning_of_pass_write_index: Some(first),
                end_of_pass_write_index: Some(first + 1),
            };
            let label = Some(section.stage().label());
            let descriptor =
                wgpu::ComputePassDescriptor { label, timestamp_writes: Some(timestamps) };
            section.record_into(&mut encoder.begin_compute_pass(&descriptor));
        }
        encoder.resolve_query_set(
            &self.queries,
            0..2 * self.stages.len() as u32,
            &self.resolved,
            0,
        );
        Ok(())
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been
    /// submitted: the stage of each section and how long it took, in their order. Creates a
    /// buffer.
    ///
    /// Times of sections that another one comes between can be added up; what the GPU does beside
    /// them counts too.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`]; when waiting, [`Error::NotComputed`] where no
    /// recording has written them.
    pub fn read_back(
        &self,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Pending<Vec<(Stage, Duration)>>> {
        let mut sources = Sources::default();
        sources.add_alone(Field::Timestamps, &self.resolved);
        let stages = self.stages.clone();
        let period = f64::from(self.context.queue().get_timestamp_period());
        Pending::new(&self.context, encoder, sources, move |read| {
            let bytes = read.part(0, Field::Timestamps).unwrap_or_default();
            let timestamps: Vec<u64> = bytemuck::pod_collect_to_vec(bytes);
            if timestamps.iter().all(|&timestamp| timestamp == 0) {
                return Err(Error::NotComputed);
            }
            let duration = |pair: &[u64]| {
                let ticks = pair[1].saturating_sub(pair[0]);
                Duration::from_nanos((ticks as f64 * period) as u64)
            };
            Ok(stages.iter().copied().zip(timestamps.chunks_exact(2).map(duration)).collect())
        })
    }
}
