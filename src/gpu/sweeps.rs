//! Kernels that run on one stripe after the other, and the distances that all of them need.

use super::basis::Basis;
use super::buffers::{Matrix, filled};
use super::dispatch::{Bound, MOST_GROUPS, Step, folded};
use super::kernel::Kernel;
use super::layout::Stripe;
use super::list::{BLOCK, List};
use super::stripes::pairs;
use crate::shape::Mode;
use crate::{Error, Result};

/// Rows and columns of a tile in `shaders/distance/pairwise.wgsl` and `shaders/gradient/pairwise.wgsl`.
pub(crate) const TILE: u32 = 64;

/// Pairs, and of a gradient as many values, that a workgroup works on there.
pub(crate) const PAIRS_PER_TILE: u64 = (TILE * TILE) as u64;

/// Roughly how many arithmetic operations a workgroup takes that reads and writes a few values for each of its invocations.
pub(crate) const OPERATIONS_PER_GROUP: u64 = 4096;

/// Of `shaders/distance/listed.wgsl`.
pub(crate) const PAIRS_PER_GROUP: u64 = 16;

/// Roughly how many arithmetic operations sorting a place by one digit takes.
const OPERATIONS_PER_PLACE: u64 = 16;

/// Dispatches of a kernel beyond which none is split any more: each is an object on the host, and a uniform.
const MOST_DISPATCHES: u64 = 1 << 16;

/// A kernel that runs on every stripe: its dispatches on each.
pub(crate) struct Sweep {
    on_stripes: Vec<Vec<Step>>,
}

/// What a kernel does on a stripe.
pub(crate) struct Load {
    pub grid: Grid,
    /// Roughly how many arithmetic operations a row of the stripe asks for, of all portions together.
    pub cost_per_row: u64,
    /// How many a workgroup takes at most in a dispatch, those beyond the edge of a tile and those of the fullest rows included.
    pub most: u64,
    /// How many dispatches go through the work of a workgroup one after the other.
    pub portions: u32,
}

/// How the workgroups of a kernel are laid over a stripe.
#[derive(Clone, Copy)]
pub(crate) enum Grid {
    /// One for each row.
    Rows,
    /// One for every 256 values, this many a row.
    Values(u32),
    /// So many, whatever rows the stripe has.
    Fixed(u32),
    /// One for every tile, this many across.
    Tiles(u32),
    /// So many across and down, whatever rows the stripe has.
    FixedTiles([u32; 2]),
    /// One for every tile of the columns before the stripe, this many across.
    Earlier(u32),
}

impl Grid {
    /// The workgroups across and down; those that are numbered through are all across.
    fn extent(self, begin: u32, rows: u32) -> [u32; 2] {
        match self {
            Self::Rows => [rows, 1],
            Self::Values(per_row) => [(rows * per_row).div_ceil(256), 1],
            Self::Fixed(groups) => [groups, 1],
            Self::Tiles(across) => [across, rows.div_ceil(TILE)],
            Self::FixedTiles(extent) => extent,
            Self::Earlier(across) => [across, begin.div_ceil(TILE)],
        }
    }
}

/// A part of the workgroups of a stripe, from `first` on, that is one dispatch.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    first: [u32; 2],
    size: [u32; 2],
}

impl Piece {
    /// Cuts these workgroups into so many pieces, or a few more: first into rows of workgroups, then those.
    fn cut(extent: [u32; 2], pieces: u64) -> Vec<Self> {
        let [across, down] = extent;
        if extent.contains(&0) {
            return Vec::new();
        }
        if pieces <= 1 {
            return vec![Self { first: [0, 0], size: extent }];
        }
        let [width, height] = [even(across, pieces.div_ceil(down.into())), even(down, pieces)];
        let starts = |count: u32, step: u32| (0..count).step_by(step as usize);
        let columns = |y| starts(across, width).map(move |x| [x, y]);
        let size = |[x, y]: [u32; 2]| [width.min(across - x), height.min(down - y)];
        starts(down, height).flat_map(columns).map(|first| Self { first, size: size(first) }).collect()
    }

    /// As a dispatch. A piece of several is never so large that it has to be folded, which would add to it.
    fn groups(&self) -> [u32; 3] {
        match self.size {
            [across, 1] => folded(across),
            [across, down] => {
                let [down, folds, _] = folded(down);
                [across, down, folds]
            }
        }
    }

    fn count(&self) -> u64 {
        u64::from(self.size[0]) * u64::from(self.size[1])
    }
}

/// How many of `count` each of so many parts has at most, evenly.
fn even(count: u32, parts: u64) -> u32 {
    let most = u64::from(count) / parts.clamp(1, count.into());
    count.div_ceil(count.div_ceil(most.min(MOST_GROUPS.into()) as u32))
}

/// Collects the dispatches over the stripes of a plan.
pub(crate) struct Sweeps<'a> {
    basis: &'a Basis,
    /// So far.
    pub steps: Vec<Step>,
}

impl<'a> Sweeps<'a> {
    /// No dispatch yet.
    pub(crate) fn new(basis: &'a Basis) -> Self {
        Self { basis, steps: Vec::new() }
    }

    /// The sweeps one after the other on each stripe.
    pub(crate) fn pass<'s>(&mut self, sweeps: impl Iterator<Item = &'s Sweep> + Clone) {
        for stripe in 0..self.basis.stripes.iter().len() {
            self.steps.extend(sweeps.clone().flat_map(|sweep| &sweep.on_stripes[stripe]).cloned());
        }
    }

    /// Sorts the places of listed pairs by the rows that stand there.
    pub(crate) fn incidence(&mut self) -> Result<()> {
        let Some(List { indices: Some(indices), .. }) = &self.basis.matrix.list else { return Ok(()) };
        let places = 2 * pairs(&self.basis.shape);
        // Of the whole list, which is one stripe.
        let cost_per_row = places * OPERATIONS_PER_PLACE / u64::from(self.basis.stripes.rows);
        for (kernel, buffers, groups) in indices.sorting(places) {
            let load =
                Load { grid: Grid::Fixed(groups), cost_per_row, most: BLOCK * OPERATIONS_PER_PLACE, portions: 1 };
            let sweep = self.sweep("incidence", &kernel, &buffers, load)?;
            self.pass([&sweep].into_iter());
        }
        Ok(())
    }

    /// The distances of every pair.
    pub(crate) fn distance(&self) -> Result<Sweep> {
        let Basis { matrix, shape, stripes, .. } = self.basis;
        let Matrix { queries, distances, state, unused, list, .. } = matrix;
        let other = matrix.other();
        let kernel = self.basis.matrix_kind().distances();
        // A tile takes 16 dimensions at a time.
        let pair = shape.dimensions().next_multiple_of(16) as u64 * 3;
        let (fifth, grid, most) = match list {
            Some(list) => {
                let rows = list.indices.as_ref().map_or(unused, |indices| &indices.rows);
                let groups = pairs(shape).div_ceil(PAIRS_PER_GROUP) as u32;
                (rows, Grid::Fixed(groups), PAIRS_PER_GROUP * pair)
            }
            None if shape.mode() == Mode::Scores => (state, Grid::Values(stripes.stride / 4), OPERATIONS_PER_GROUP),
            None => (state, Grid::Tiles(self.columns().div_ceil(TILE)), PAIRS_PER_TILE * pair),
        };
        let buffers = [&queries.points, &other.points, &queries.norms, &other.norms, fifth, distances];
        // Of the whole matrix of a batch, half.
        let halves = if shape.mode() == Mode::Batch && stripes.is_single() { 2 } else { 1 };
        let load = Load { grid, cost_per_row: self.pair_cost() / halves, most, portions: 1 };
        self.sweep("distance", &kernel, &buffers, load)
    }

    /// M.
    pub(crate) fn columns(&self) -> u32 {
        self.basis.shape.references() as u32
    }

    /// A subtraction and a multiply-add per pair and dimension, for a row.
    pub(crate) fn pair_cost(&self) -> u64 {
        u64::from(self.basis.stripes.stride) * self.basis.shape.dimensions() as u64 * 3
    }

    /// A kernel whose first binding is the stripe, and whose last the sizes.
    pub(crate) fn sweep(
        &self,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        load: Load,
    ) -> Result<Sweep> {
        let Load { grid, cost_per_row, most, portions } = load;
        let stripes = self.basis.stripes.iter();
        let bound = self.basis.context.options().operations_per_dispatch.max(1);
        let most_pieces = MOST_DISPATCHES / (stripes.len() as u64 * u64::from(portions)).max(1);
        let mut uniforms = Uniforms::new(self.basis, stripes.len() as u64 * u64::from(portions))?;
        let dispatches_on = |(begin, rows): (u32, u32)| {
            let extent = grid.extent(begin, rows);
            let groups = u64::from(extent[0]) * u64::from(extent[1]);
            let pieces = Piece::cut(extent, (groups * most).div_ceil(bound).min(most_pieces));
            let cost = cost_per_row * u64::from(rows) / u64::from(portions);
            let share = |piece: &Piece| (u128::from(cost) * u128::from(piece.count()) / u128::from(groups)) as u64;
            // Every portion builds on the one before it.
            let portions = (0..portions).flat_map(|portion| pieces.iter().map(move |piece| (portion, piece)));
            let placed = |(portion, piece): (u32, &Piece)| {
                (uniforms.add(begin, rows, portion, piece.first), piece.groups(), share(piece))
            };
            portions.map(placed).collect()
        };
        let dispatches: Vec<Vec<_>> = stripes.map(dispatches_on).collect();
        if dispatches.iter().all(Vec::is_empty) {
            return Ok(Sweep { on_stripes: dispatches.iter().map(|_| Vec::new()).collect() });
        }
        let buffer = uniforms.buffer()?;
        let own = [&buffer].into_iter().chain(buffers.iter().copied()).chain([&self.basis.sizes]);
        let bound: Vec<_> = own.map(Bound::all).collect();
        let step = kernel.step(&self.basis.context, label, &bound, [0; 3], 0);
        let steps = |all: Vec<(u32, [u32; 3], u64)>| {
            all.into_iter().map(|(offset, groups, cost)| step.on_stripe(offset, groups, cost)).collect()
        };
        Ok(Sweep { on_stripes: dispatches.into_iter().map(steps).collect() })
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

/// The `Stripe` uniforms of a sweep in one buffer, chosen by dynamic offsets.
struct Uniforms<'a> {
    basis: &'a Basis,
    pitch: u32,
    bytes: Vec<u8>,
}

impl<'a> Uniforms<'a> {
    /// None yet, and so many at least to come.
    fn new(basis: &'a Basis, count: u64) -> Result<Self> {
        let limits = basis.context.device().limits();
        let pitch = (size_of::<Stripe>() as u32).next_multiple_of(limits.min_uniform_buffer_offset_alignment);
        // Dynamic offsets are u32.
        let limit = limits.max_buffer_size.min(u32::MAX.into());
        let needed = count * u64::from(pitch);
        if needed > limit {
            let what = "a uniform for every dispatch (a larger workspace needs fewer)";
            return Err(Error::DeviceLimit { what, needed, name: "maxBufferSize", limit });
        }
        Ok(Self { basis, pitch, bytes: Vec::with_capacity(needed as usize) })
    }

    /// Adds one; its offset.
    fn add(&mut self, begin: u32, rows: u32, portion: u32, [first_x, first_y]: [u32; 2]) -> u32 {
        let Basis { shape, stripes, .. } = self.basis;
        let stripe = Stripe {
            begin,
            rows,
            dimensions: shape.dimensions() as u32,
            vectors: shape.dimensions().div_ceil(4) as u32,
            stride: stripes.stride,
            same_set: (shape.mode() == Mode::Batch).into(),
            portion,
            first_x,
            first_y,
        };
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(bytemuck::bytes_of(&stripe));
        self.bytes.resize(self.bytes.len().next_multiple_of(self.pitch as usize), 0);
        offset
    }

    fn buffer(self) -> Result<wgpu::Buffer> {
        filled(&self.basis.context, "metric-learning stripes", &self.bytes, wgpu::BufferUsages::UNIFORM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which workgroups the pieces hold, as often as they do.
    fn held(extent: [u32; 2], pieces: u64) -> (usize, Vec<[u32; 2]>) {
        let pieces = Piece::cut(extent, pieces);
        let across = |piece: &Piece, y: u32| (0..piece.size[0]).map(|x| [piece.first[0] + x, y]).collect::<Vec<_>>();
        let all =
            |piece: &Piece| (0..piece.size[1]).flat_map(|y| across(piece, piece.first[1] + y)).collect::<Vec<_>>();
        (pieces.len(), pieces.iter().flat_map(all).collect())
    }

    #[test]
    fn pieces_hold_every_workgroup_once() {
        for extent in [[1, 1], [7, 1], [1, 7], [5, 6], [64, 16]] {
            let [across, down] = extent;
            let all: Vec<_> = (0..down).flat_map(|y| (0..across).map(move |x| [x, y])).collect();
            for pieces in [0, 1, 2, 3, 5, 7, 16, 100, 10_000] {
                let (count, mut held) = held(extent, pieces);
                held.sort_by_key(|&[x, y]| [y, x]);
                assert_eq!(held, all, "{extent:?} in {pieces}");
                assert!(count as u64 >= pieces.min(all.len() as u64), "{extent:?} in {pieces}: {count}");
            }
        }
    }

    #[test]
    fn nothing_is_cut_that_need_not_be() {
        assert_eq!(Piece::cut([70_000, 3], 1).len(), 1);
        assert_eq!(Piece::cut([0, 3], 9), []);
    }

    #[test]
    fn a_piece_of_several_is_never_folded() {
        let pieces = Piece::cut([200_000, 1], 2);
        assert!(pieces.iter().all(|piece| piece.groups() == [piece.size[0], 1, 1]), "{pieces:?}");
        assert_eq!(Piece::cut([200_000, 1], 1)[0].groups(), [65_535, 4, 1]);
    }
}
