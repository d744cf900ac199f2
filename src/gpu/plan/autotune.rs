//! Measures which tiles are the faster ones.

use std::time::{Duration, Instant};

use crate::data::input::Input;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::tiles::{Tile, Tiles};
use crate::gpu::device::allocate::filled;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::program::PASS;
use crate::gpu::dispatch::record::Record;
use crate::gpu::kernel::stage::Stage;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::plan::loss::Plan;
use crate::loss::Contrastive;

/// A measurement repeats the stage in one submission until it takes about so long, so that the
/// submission does not count.
pub(crate) const AIM: Duration = Duration::from_millis(20);

pub(crate) const MOST_REPEATS: u32 = 64;

/// The least of so many measurements counts.
pub(crate) const RUNS: usize = 3;

impl Context {
    /// Measures which [tiles](Tiles) distances and gradients of this shape are computed fastest
    /// with, and remembers it in this context and its clones, for later plans of shapes whose
    /// N, M and D go up to the same powers of two. It plans, submits, and waits: a tenth of a
    /// second for small shapes.
    ///
    /// With [`Options::tiles`](crate::Options::tiles) nothing is measured, as for modes that have
    /// no tiles. Results do not depend on it.
    ///
    /// # Errors
    ///
    /// Those of [`Context::plan`]; [`Error::Timeout`], [`Error::DeviceLost`].
    pub fn autotune(&self, shape: &Shape) -> Result<Tiles> {
        shape.check()?;
        if self.options().tiles.is_some() || !shape.mode().has_tiles() {
            return Ok(self.tiles_for(shape, shape.queries() as u32));
        }
        let before = self.tuned().get(shape);
        let fastest = self.fastest(shape);
        self.tuned().put(shape, fastest.as_ref().ok().copied().or(before));
        fastest
    }

    fn fastest(&self, shape: &Shape) -> Result<Tiles> {
        // Classes and modes do not matter to these stages, but whether there is a second set.
        let [n, m, d] = [shape.queries(), shape.references(), shape.dimensions()];
        let subject =
            if shape.has_references() { Shape::reference(n, m, d) } else { Shape::batch(n, d) };
        // Planned before anything of these sizes is made: planning checks every limit.
        let plan = |tile| {
            self.tuned().set(shape, Tiles::both(tile));
            self.plan(Contrastive::default(), subject).map(|plan| (tile, plan))
        };
        let plans = Tile::ALL.into_iter().map(plan).collect::<Result<Vec<_>>>()?;
        let [rows, references, labels] = scoped(self, "making rows to tune with", || {
            let labels = filled(
                self,
                "metric-learning labels",
                &vec![0; 4 * n.max(m)],
                wgpu::BufferUsages::STORAGE,
            )?;
            let references =
                if shape.has_references() { self.random_rows(m * d)? } else { labels.clone() };
            Ok([self.random_rows(n * d)?, references, labels])
        })?;
        let mut inputs = Inputs::new(&rows, &labels);
        if shape.has_references() {
            inputs = inputs
                .with(Input::References, references.slice(..))
                .with(Input::ReferenceLabels, labels.slice(..));
        }
        let mut times = Vec::new();
        for (tile, plan) in plans {
            let binding = plan.bind(&inputs)?;
            self.time(|pass| plan.record_into(pass, &binding), 1)?;
            let time = |stage| self.time_of(&plan, &binding, stage);
            times.push((tile, [time(Stage::Distance)?, time(Stage::Gradient)?]));
        }
        let least = |stage: usize| {
            times
                .iter()
                .min_by_key(|(_, times)| times[stage])
                .map_or(Tile::Small, |(tile, _)| *tile)
        };
        Ok(Tiles { distance: least(0), gradient: least(1) }.that_fit(shape))
    }

    /// A stage of a recording.
    fn time_of(&self, plan: &Plan, binding: &Binding, stage: Stage) -> Result<Duration> {
        let sections = plan.sections(binding)?;
        let record = |pass: &mut wgpu::ComputePass<'_>| {
            sections
                .iter()
                .filter(|section| section.stage() == stage)
                .for_each(|section| section.record_into(pass));
            Ok(())
        };
        let once = self.time(record, 1)?;
        let repeats =
            (AIM.as_nanos() / once.as_nanos().max(1)).clamp(1, MOST_REPEATS.into()) as u32;
        let runs = (0..RUNS).map(|_| self.time(record, repeats)).collect::<Result<Vec<_>>>()?;
        Ok(runs.into_iter().min().unwrap_or(once))
    }

    /// The time from the submission until the GPU is done.
    fn time(
        &self,
        record: impl Fn(&mut wgpu::ComputePass<'_>) -> Result<()>,
        repeats: u32,
    ) -> Result<Duration> {
        let descriptor = wgpu::CommandEncoderDescriptor { label: Some("metric-learning autotune") };
        let mut encoder = self.device().create_command_encoder(&descriptor);
        let mut pass = encoder.begin_compute_pass(&PASS);
        (0..repeats).try_for_each(|_| record(&mut pass))?;
        drop(pass);
        let start = Instant::now();
        let index = self.submit(encoder)?;
        let timeout = self.options().timeout;
        let wait = wgpu::PollType::Wait { submission_index: Some(index), timeout: Some(timeout) };
        match self.poll(wait)? {
            true => Ok(start.elapsed() / repeats),
            false => Err(Error::Timeout { after: timeout }),
        }
    }

    /// Random rows, none of them near to another: the distances of duplicates take longer.
    fn random_rows(&self, count: usize) -> Result<wgpu::Buffer> {
        let mut state = 1_u32;
        let values: Vec<f32> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as f32 / u32::MAX as f32
        })
        .take(count)
        .collect();
        filled(
            self,
            "metric-learning rows",
            bytemuck::cast_slice(&values),
            wgpu::BufferUsages::STORAGE,
        )
    }
}
