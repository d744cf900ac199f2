//! Kernels that run on one stripe after the other, and the distances that all of them need.

use super::basis::Basis;
use super::buffers::{Matrix, filled};
use super::dispatch::{Bound, Step, folded};
use super::kernel::Kernel;
use super::layout::Stripe;
use super::list::List;
use super::stripes::pairs;
use crate::shape::Mode;
use crate::{Error, Result};

/// Rows and columns of a tile in `shaders/distance/pairwise.wgsl` and `shaders/gradient/pairwise.wgsl`.
pub(crate) const TILE: u32 = 64;

/// Of `shaders/distance/listed.wgsl`.
pub(crate) const PAIRS_PER_GROUP: u64 = 16;

/// Roughly how many arithmetic operations sorting a place by one digit takes.
const OPERATIONS_PER_PLACE: u64 = 16;

/// A kernel that runs on every stripe.
pub(crate) struct Sweep {
    step: Step,
    grid: Grid,
    cost_per_row: u64,
    /// How many dispatches share the work of a stripe.
    portions: u32,
}

impl Sweep {
    /// The same work in so many dispatches a stripe.
    pub(crate) fn in_portions(self, portions: u32) -> Self {
        Self { portions, ..self }
    }
}

/// How the workgroups of a kernel are laid over a stripe.
#[derive(Clone, Copy)]
pub(crate) enum Grid {
    /// One for each row.
    Rows,
    /// One for every 256 values, this many a row.
    Values(u32),
    /// One for every tile, this many across.
    Tiles(u32),
    /// So many, whatever rows the stripe has.
    Fixed([u32; 3]),
    /// One for every tile of the columns before the stripe, this many across.
    Earlier(u32),
}

impl Grid {
    fn groups(self, begin: u32, rows: u32) -> [u32; 3] {
        match self {
            Self::Rows => folded(rows),
            Self::Values(per_row) => folded((rows * per_row).div_ceil(256)),
            Self::Tiles(across) => [across, rows.div_ceil(TILE), 1],
            Self::Fixed(groups) => groups,
            Self::Earlier(across) => [across, begin.div_ceil(TILE), 1],
        }
    }
}

/// Collects the dispatches over the stripes of a plan.
pub(crate) struct Sweeps<'a> {
    basis: &'a Basis,
    uniforms: Uniforms,
    /// So far.
    pub steps: Vec<Step>,
}

impl<'a> Sweeps<'a> {
    /// No dispatch yet, and none in more than so many portions.
    pub(crate) fn new(basis: &'a Basis, portions: u32) -> Result<Self> {
        let uniforms = Uniforms::new(basis, portions)?;
        Ok(Self { basis, uniforms, steps: Vec::new() })
    }

    /// The sweeps one after the other on each stripe.
    pub(crate) fn pass<'s>(&mut self, sweeps: impl Iterator<Item = &'s Sweep> + Clone) {
        for (stripe, (begin, rows)) in self.basis.stripes.iter().enumerate() {
            for sweep in sweeps.clone() {
                let groups = sweep.grid.groups(begin, rows);
                if groups.contains(&0) {
                    continue;
                }
                for portion in 0..sweep.portions {
                    let offset = self.uniforms.offset(stripe, portion);
                    let cost = sweep.cost_per_row * u64::from(rows);
                    self.steps.push(sweep.step.on_stripe(offset, groups, cost));
                }
            }
        }
    }

    /// Sorts the places of listed pairs by the rows that stand there.
    pub(crate) fn incidence(&mut self) {
        let Some(List { indices: Some(indices), .. }) = &self.basis.matrix.list else { return };
        let places = 2 * pairs(&self.basis.shape);
        // Of the whole list, which is one stripe.
        let cost_per_row = places * OPERATIONS_PER_PLACE / u64::from(self.basis.stripes.rows);
        for (kernel, buffers, groups) in indices.sorting(places) {
            let sweep = self.sweep("incidence", &kernel, &buffers, Grid::Fixed(groups), cost_per_row);
            self.pass([&sweep].into_iter());
        }
    }

    /// The distances of every pair.
    pub(crate) fn distance(&self) -> Sweep {
        let Basis { matrix, shape, stripes, .. } = self.basis;
        let Matrix { queries, distances, state, unused, list, .. } = matrix;
        let other = matrix.other();
        let kernel = self.basis.matrix_kind().distances();
        if let Some(list) = list {
            let rows = list.indices.as_ref().map_or(unused, |indices| &indices.rows);
            let buffers = [&queries.points, &other.points, &queries.norms, &other.norms, rows, distances];
            let grid = Grid::Fixed(folded(pairs(shape).div_ceil(PAIRS_PER_GROUP) as u32));
            return self.sweep("distance", &kernel, &buffers, grid, self.pair_cost());
        }
        let grid = match shape.mode() {
            Mode::Scores => Grid::Values(stripes.stride / 4),
            _ => Grid::Tiles(self.columns().div_ceil(TILE)),
        };
        let buffers = [&queries.points, &other.points, &queries.norms, &other.norms, state, distances];
        // Of the whole matrix of a batch, half.
        let halves = if shape.mode() == Mode::Batch && stripes.is_single() { 2 } else { 1 };
        self.sweep("distance", &kernel, &buffers, grid, self.pair_cost() / halves)
    }

    /// M.
    pub(crate) fn columns(&self) -> u32 {
        self.basis.shape.references() as u32
    }

    /// A subtraction and a multiply-add per pair and dimension, for a row.
    pub(crate) fn pair_cost(&self) -> u64 {
        u64::from(self.basis.stripes.stride) * self.basis.shape.dimensions() as u64 * 3
    }

    /// A kernel whose first binding is the stripe.
    pub(crate) fn sweep(
        &self,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        grid: Grid,
        cost_per_row: u64,
    ) -> Sweep {
        let bound: Vec<_> =
            [&self.uniforms.buffer].into_iter().chain(buffers.iter().copied()).map(Bound::all).collect();
        let step = kernel.step(&self.basis.context, label, &bound, grid.groups(0, 0), 0);
        Sweep { step, grid, cost_per_row, portions: 1 }
    }

    /// Adds a dispatch that belongs to no stripe.
    pub(crate) fn push(
        &mut self,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        groups: u32,
        cost: u64,
    ) {
        let bound: Vec<_> = buffers.iter().copied().map(Bound::all).collect();
        self.steps.push(kernel.step(&self.basis.context, label, &bound, folded(groups), cost));
    }
}

/// The `Stripe` uniforms of all stripes and portions, in one buffer, chosen by dynamic offsets.
struct Uniforms {
    buffer: wgpu::Buffer,
    pitch: u32,
    portions: u32,
}

impl Uniforms {
    fn new(basis: &Basis, portions: u32) -> Result<Self> {
        let Basis { context, shape, stripes, .. } = basis;
        let device = context.device();
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
        let buffer = filled(context, "metric-learning stripes", &bytes, wgpu::BufferUsages::UNIFORM)?;
        Ok(Self { buffer, pitch, portions })
    }

    fn offset(&self, stripe: usize, portion: u32) -> u32 {
        (stripe as u32 * self.portions + portion) * self.pitch
    }
}
