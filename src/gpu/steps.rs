//! The dispatches of a plan, in their order: prepare is made with the inputs (inputs.rs), everything after it here.
//!
//! For each pass and each stripe of rows: distance, terms, gradient; between the passes and after them: finish.

use super::buffers::{Buffers, Set, filled};
use super::context::Context;
use super::dispatch::{Bound, Step, folded};
use super::kernel::{Kernel, Room};
use super::layout::{Finish, Stripe};
use super::list::List;
use super::stripes::{Stripes, pairs};
use crate::loss::{Loss, Statistics, Terms};
use crate::shader::shader;
use crate::shape::{Mode, Shape};
use crate::{Distance, Error, Result};

/// Rows and columns of a tile in `shaders/distance/pairwise.wgsl` and `shaders/gradient/pairwise.wgsl`.
pub(crate) const TILE: u32 = 64;

/// Of `shaders/distance/listed.wgsl`.
pub(crate) const PAIRS_PER_GROUP: u64 = 16;

/// Whether the kernels work on unit rows.
pub(crate) fn on_unit_rows(loss: &Loss, shape: &Shape) -> bool {
    shape.mode() != Mode::Scores && (loss.normalize() || loss.distance().is_some_and(Distance::is_of_unit_rows))
}

/// A kernel that runs on every stripe.
struct Sweep {
    step: Step,
    grid: Grid,
    cost_per_row: u64,
    /// How many dispatches share the work of a stripe.
    portions: u32,
}

/// How the workgroups of a kernel are laid over a stripe.
#[derive(Clone, Copy)]
enum Grid {
    /// One for each row.
    Rows,
    /// One for every 256 values, this many a row.
    Values(u32),
    /// One for every tile, this many across.
    Tiles(u32),
    /// So many, whatever rows the stripe has.
    Fixed([u32; 3]),
}

impl Grid {
    fn groups(self, rows: u32) -> [u32; 3] {
        match self {
            Self::Rows => folded(rows),
            Self::Values(per_row) => folded((rows * per_row).div_ceil(256)),
            Self::Tiles(across) => [across, rows.div_ceil(TILE), 1],
            Self::Fixed(groups) => groups,
        }
    }
}

/// The `Parameters` of a loss's kernel.
pub(crate) fn parameters(context: &Context, terms: &Terms) -> Result<wgpu::Buffer> {
    let mut values: Vec<f32> = terms.parameters.iter().map(|&(_, value)| value).collect();
    values.resize(values.len().next_multiple_of(4).max(4), 0.0);
    uniform(context, "parameters", bytemuck::cast_slice(&values))
}

fn uniform(context: &Context, what: &str, bytes: &[u8]) -> Result<wgpu::Buffer> {
    filled(context.device(), &format!("metric-learning {what}"), bytes, wgpu::BufferUsages::UNIFORM)
}

/// Adds up the rows.
pub(crate) fn totals(context: &Context, loss: &Loss, buffers: &Buffers, last: bool, rows: u64) -> Step {
    let constants = vec![
        ("REDUCTION", f64::from(loss.reduction() as u32)),
        ("SPLIT_MEAN", (loss.description().terms().statistics == Statistics::Totals).into()),
        ("LAST", last.into()),
    ];
    let kernel = Kernel::new(Room::FinishTotals, shader!("finish/totals.wgsl"), constants);
    let bound = [&buffers.rows, &buffers.totals, &buffers.state].map(Bound::all);
    kernel.step(context, "totals", &bound, [1, 1, 1], rows * 16)
}

/// Scales a gradient.
pub(crate) fn finish_gradient(
    context: &Context,
    buffers: &Buffers,
    set: &Set,
    gradient: &wgpu::Buffer,
    add: Option<&wgpu::Buffer>,
    finish: &Finish,
) -> Result<Step> {
    let uniform = uniform(context, "finish", bytemuck::bytes_of(finish))?;
    let Buffers { totals, state, unused, .. } = buffers;
    let bound = [&uniform, gradient, add.unwrap_or(unused), &set.points, &set.norms, totals, state].map(Bound::all);
    let kernel = Kernel::new(Room::FinishGradient, shader!("finish/gradient.wgsl"), Vec::new());
    let cost = u64::from(finish.count) * u64::from(finish.dimensions) * 8;
    Ok(kernel.step(context, "finish gradient", &bound, folded(finish.count), cost))
}

/// Makes the steps after prepare.
pub(crate) struct Builder<'a> {
    context: &'a Context,
    loss: &'a Loss,
    terms: Terms,
    shape: &'a Shape,
    stripes: &'a Stripes,
    buffers: &'a Buffers,
    uniforms: Uniforms,
    steps: Vec<Step>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(
        context: &'a Context,
        loss: &'a Loss,
        shape: &'a Shape,
        stripes: &'a Stripes,
        buffers: &'a Buffers,
    ) -> Result<Self> {
        let terms = loss.description().terms();
        let portions = terms.positives_per_dispatch.map_or(1, |most| shape.references().div_ceil(most)) as u32;
        let uniforms = Uniforms::new(context.device(), shape, stripes, portions)?;
        Ok(Self { context, loss, terms, shape, stripes, buffers, uniforms, steps: Vec::new() })
    }

    /// Every pass over every stripe, then the finish.
    pub(crate) fn build(mut self) -> Result<Vec<Step>> {
        self.incidence();
        let distance = self.distance();
        if self.terms.statistics != Statistics::None {
            let statistics = self.terms("statistics", 1)?;
            self.pass(&[&distance, &statistics]);
        }
        if self.terms.statistics == Statistics::Totals {
            self.totals(false);
        }
        let terms = self.terms("main", self.uniforms.portions)?;
        let gradients = self.gradients();
        let mut sweeps = vec![&terms];
        sweeps.extend(&gradients);
        // What one stripe holds is still there from the pass before.
        if self.terms.statistics == Statistics::None || !self.stripes.is_single() {
            sweeps.insert(0, &distance);
        }
        self.pass(&sweeps);
        self.totals(true);
        self.finish()?;
        Ok(self.steps)
    }

    /// The sweeps one after the other on each stripe.
    fn pass(&mut self, sweeps: &[&Sweep]) {
        for (stripe, (_, rows)) in self.stripes.iter().enumerate() {
            for sweep in sweeps {
                for portion in 0..sweep.portions {
                    let offset = self.uniforms.offset(stripe, portion);
                    let cost = sweep.cost_per_row * u64::from(rows);
                    self.steps.push(sweep.step.on_stripe(offset, sweep.grid.groups(rows), cost));
                }
            }
        }
    }

    /// Sorts the places of listed pairs by the rows that stand there.
    fn incidence(&mut self) {
        let Some(List { indices: Some(indices), .. }) = &self.buffers.list else { return };
        let places = 2 * pairs(self.shape);
        for (kernel, buffers, groups) in indices.sorting(places) {
            let sweep = self.sweep("incidence", &kernel, &buffers, Grid::Fixed(groups), 0);
            self.pass(&[&sweep]);
        }
    }

    fn distance(&self) -> Sweep {
        let Buffers { queries, distances, state, .. } = self.buffers;
        let other = self.buffers.other();
        if let Some(list) = &self.buffers.list {
            let mut constants = self.matrix_constants();
            constants.push(("ROW_ALIGNED", list.indices.is_none().into()));
            let kernel = Kernel::new(Room::Distance, shader!("distance/listed.wgsl"), constants);
            let rows = list.indices.as_ref().map_or(&self.buffers.unused, |indices| &indices.rows);
            let buffers = [&queries.points, &other.points, &queries.norms, &other.norms, rows, distances];
            let grid = Grid::Fixed(folded(pairs(self.shape).div_ceil(PAIRS_PER_GROUP) as u32));
            return self.sweep("distance", &kernel, &buffers, grid, self.pair_cost());
        }
        let (shader, grid) = if self.shape.mode() == Mode::Scores {
            (shader!("distance/scores.wgsl"), Grid::Values(self.stripes.stride / 4))
        } else {
            (shader!("distance/pairwise.wgsl"), Grid::Tiles(self.columns().div_ceil(TILE)))
        };
        let kernel = Kernel::new(Room::Distance, shader, self.matrix_constants());
        let buffers = [&queries.points, &other.points, &queries.norms, &other.norms, state, distances];
        self.sweep("distance", &kernel, &buffers, grid, self.pair_cost())
    }

    fn terms(&self, entry: &'static str, portions: u32) -> Result<Sweep> {
        let parameters = parameters(self.context, &self.terms)?;
        let mut constants = self.terms.constants.clone();
        constants.push(("DISTANCE", self.matrix_kind()));
        let kernel = Kernel { entry, ..Kernel::new(Room::Terms, self.terms.shader, constants) };
        let all = self.buffers;
        let buffers = [
            &parameters,
            all.list.as_ref().map_or(&all.queries.labels, |list| &list.kinds),
            &all.other().labels,
            &all.distances,
            &all.coefficients,
            &all.rows,
            &all.row_statistics,
            &all.totals,
            &all.beta,
        ];
        let sweep = self.sweep(
            "terms",
            &kernel,
            &buffers,
            Grid::Rows,
            u64::from(self.stripes.stride) * self.terms.operations_per_pair,
        );
        Ok(Sweep { portions, ..sweep })
    }

    /// By rows, and where the columns have a share of their own by columns.
    fn gradients(&self) -> Vec<Sweep> {
        let Buffers { queries, coefficients, unused, transposed, gradient, gradient_references, list, .. } =
            self.buffers;
        if let Some(list) = list {
            return self.listed_gradients(list);
        }
        if self.shape.mode() == Mode::Scores {
            let kernel = Kernel::new(Room::Gradient, shader!("gradient/scores.wgsl"), Vec::new());
            let buffers = [unused, unused, coefficients, gradient, unused];
            return vec![self.sweep("gradient", &kernel, &buffers, Grid::Values(self.columns()), self.pair_cost())];
        }
        let other = self.buffers.other();
        let across = (self.shape.dimensions() as u32).div_ceil(TILE);
        let by_rows = [&queries.points, &other.points, coefficients, gradient, unused];
        let mut sweeps = vec![self.gradient("gradient", 0.0, by_rows, Grid::Tiles(across))];
        // The references have a gradient of their own; in batch mode both halves are the embeddings'.
        if let Some(gradient) = gradient_references.as_ref().or(transposed.as_ref()) {
            let by_columns = [&other.points, &queries.points, coefficients, gradient, unused];
            let grid = Grid::Fixed([across, self.columns().div_ceil(TILE), 1]);
            sweeps.push(self.gradient("gradient by columns", 1.0, by_columns, grid));
        }
        sweeps
    }

    /// Rows of one set gather the pairs that they are part of; each row of two aligned sets is part of one.
    fn listed_gradients(&self, list: &List) -> Vec<Sweep> {
        let Buffers { queries, coefficients, unused, gradient, gradient_references, .. } = self.buffers;
        let kernel = |shader| Kernel::new(Room::Gradient, shader, self.matrix_constants());
        if let Some(indices) = &list.indices {
            let kernel = kernel(shader!("gradient/listed.wgsl"));
            let [rows, folds, _] = folded(self.shape.queries() as u32);
            let grid = Grid::Fixed([(self.shape.dimensions() as u32).div_ceil(TILE), rows, folds]);
            let buffers = [&queries.points, &indices.rows, coefficients, gradient, indices.order()];
            return vec![self.sweep("gradient", &kernel, &buffers, grid, 2 * self.pair_cost())];
        }
        let kernel = kernel(shader!("gradient/aligned.wgsl"));
        let vectors = self.shape.dimensions().div_ceil(4) as u64;
        let grid = Grid::Fixed(folded((pairs(self.shape) * vectors).div_ceil(256) as u32));
        let other = self.buffers.other();
        let of = |own: &Set, other: &Set, gradient| {
            let buffers = [&own.points, &other.points, coefficients, gradient, unused];
            self.sweep("gradient", &kernel, &buffers, grid, self.pair_cost())
        };
        let of_references = gradient_references.as_ref().map(|gradient| of(other, queries, gradient));
        [of(queries, other, gradient)].into_iter().chain(of_references).collect()
    }

    fn gradient(&self, label: &'static str, transposed: f64, buffers: [&wgpu::Buffer; 5], grid: Grid) -> Sweep {
        let mut constants = self.matrix_constants();
        constants.push(("TRANSPOSED", transposed));
        let kernel = Kernel::new(Room::Gradient, shader!("gradient/pairwise.wgsl"), constants);
        self.sweep(label, &kernel, &buffers, grid, self.pair_cost())
    }

    fn totals(&mut self, last: bool) {
        self.steps.push(totals(self.context, self.loss, self.buffers, last, self.shape.queries() as u64));
    }

    fn finish(&mut self) -> Result<()> {
        let Buffers {
            queries, references, gradient, gradient_references, transposed, rows, totals, gradient_beta, ..
        } = self.buffers;
        if let (Some(gradient_beta), Some(beta)) = (gradient_beta, self.loss.description().beta()) {
            let constants = vec![("BETA_PER_CLASS", beta.per_class.into())];
            let kernel = Kernel::new(Room::FinishBeta, shader!("finish/beta.wgsl"), constants);
            let betas = self.shape.betas().max(1) as u32;
            let cost = u64::from(betas) * self.shape.queries() as u64;
            self.push("gradient of beta", &kernel, &[rows, &queries.labels, totals, gradient_beta], betas, cost);
        }
        if let (Some(set), Some(gradient)) = (references, gradient_references) {
            self.finish_gradient(set, gradient, self.shape.references(), None, false)?;
        }
        self.finish_gradient(queries, gradient, self.shape.queries(), transposed.as_ref(), true)
    }

    fn finish_gradient(
        &mut self,
        set: &Set,
        gradient: &wgpu::Buffer,
        rows: usize,
        add: Option<&wgpu::Buffer>,
        last: bool,
    ) -> Result<()> {
        let halved = self.shape.mode() == Mode::Batch && self.terms.symmetric;
        let uniform = Finish {
            count: rows as u32,
            dimensions: self.shape.dimensions() as u32,
            vectors: self.shape.dimensions().div_ceil(4) as u32,
            unit: on_unit_rows(self.loss, self.shape).into(),
            add: add.is_some().into(),
            last: last.into(),
            factor: if halved { 2.0 } else { 1.0 },
            padding: 0,
        };
        self.steps.push(finish_gradient(self.context, self.buffers, set, gradient, add, &uniform)?);
        Ok(())
    }

    fn columns(&self) -> u32 {
        self.shape.references() as u32
    }

    /// A subtraction and a multiply-add per pair and dimension, for a row.
    fn pair_cost(&self) -> u64 {
        u64::from(self.stripes.stride) * self.shape.dimensions() as u64 * 3
    }

    /// What the matrix is made of, as `shaders/shared/distance.wgsl` numbers it: a distance, or scores.
    fn matrix_kind(&self) -> f64 {
        let distance = self.loss.distance().filter(|_| self.shape.mode() != Mode::Scores);
        f64::from(distance.map_or(Distance::ALL.len() as u32, |distance| distance as u32))
    }

    /// The kernels of scores have no distance.
    fn matrix_constants(&self) -> Vec<(&'static str, f64)> {
        if self.shape.mode() == Mode::Scores { Vec::new() } else { vec![("DISTANCE", self.matrix_kind())] }
    }

    /// A kernel whose first binding is the stripe.
    fn sweep(
        &self,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        grid: Grid,
        cost_per_row: u64,
    ) -> Sweep {
        let bound: Vec<_> =
            [&self.uniforms.buffer].into_iter().chain(buffers.iter().copied()).map(Bound::all).collect();
        let step = kernel.step(self.context, label, &bound, grid.groups(0), 0);
        Sweep { step, grid, cost_per_row, portions: 1 }
    }

    fn push(&mut self, label: &'static str, kernel: &Kernel, buffers: &[&wgpu::Buffer], groups: u32, cost: u64) {
        let bound: Vec<_> = buffers.iter().copied().map(Bound::all).collect();
        self.steps.push(kernel.step(self.context, label, &bound, folded(groups), cost));
    }
}

/// The `Stripe` uniforms of all stripes and portions, in one buffer, chosen by dynamic offsets.
struct Uniforms {
    buffer: wgpu::Buffer,
    pitch: u32,
    portions: u32,
}

impl Uniforms {
    fn new(device: &wgpu::Device, shape: &Shape, stripes: &Stripes, portions: u32) -> Result<Self> {
        let pitch = (size_of::<Stripe>() as u32).next_multiple_of(device.limits().min_uniform_buffer_offset_alignment);
        // Dynamic offsets are u32.
        let limit = device.limits().max_buffer_size.min(u32::MAX.into());
        let needed = stripes.iter().len() as u64 * u64::from(portions) * u64::from(pitch);
        if needed > limit {
            let what = "a uniform for every dispatch (a larger workspace needs fewer)";
            return Err(Error::DeviceLimit { what, needed, name: "maxBufferSize", limit });
        }
        let mut bytes = Vec::with_capacity(needed as usize);
        for (begin, rows) in stripes.iter() {
            for portion in 0..portions {
                let stripe = Stripe {
                    begin,
                    rows,
                    references: shape.references() as u32,
                    dimensions: shape.dimensions() as u32,
                    vectors: shape.dimensions().div_ceil(4) as u32,
                    stride: stripes.stride,
                    same_set: (shape.mode() == Mode::Batch).into(),
                    portion,
                    listed: pairs(shape) as u32,
                };
                bytes.extend_from_slice(bytemuck::bytes_of(&stripe));
                bytes.resize(bytes.len().next_multiple_of(pitch as usize), 0);
            }
        }
        let buffer = filled(device, "metric-learning stripes", &bytes, wgpu::BufferUsages::UNIFORM)?;
        Ok(Self { buffer, pitch, portions })
    }

    fn offset(&self, stripe: usize, portion: u32) -> u32 {
        (stripe as u32 * self.portions + portion) * self.pitch
    }
}
