//! Kernels that run on one stripe after the other, and the distances that all of them need.

use crate::data::mode::Mode;
use crate::error::Result;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::pieces::{MOST_DISPATCHES, Piece};
use crate::gpu::dispatch::uniforms::Uniforms;
use crate::gpu::dispatch::workgroups::{
    OPERATIONS_PER_GROUP, OPERATIONS_PER_ROW, Workgroups, folded,
};
use crate::gpu::kernel::Kernel;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::list::List;
use crate::gpu::pairs::matrix::{Matrix, Set};
use crate::wgsl::layout::{BLOCK, Stripe};

/// Added to any row, beyond all columns, of which there are less than 2^30.
const BEYOND_COLUMNS: u32 = 1 << 30;

/// Pairs that a workgroup of `shaders/distance/listed.wgsl` computes.
pub(crate) const PAIRS_PER_GROUP: u64 = 16;

/// Roughly how many arithmetic operations sorting a place by one digit takes, and the time of how
/// many it takes.
pub(crate) const OPERATIONS_PER_PLACE: [u64; 2] = [16, 600];

/// A kernel that runs on every stripe: its dispatches on each.
pub(crate) struct Sweep {
    on_stripes: Vec<Vec<Dispatch>>,
}

/// What a kernel does on a stripe.
pub(crate) struct Load {
    pub grid: Grid,
    /// Roughly how many arithmetic operations a row of the stripe asks for, of all portions
    /// together.
    pub cost_per_row: u64,
    /// How many a workgroup takes at most in a dispatch, those beyond the edge of a tile and those
    /// of the fullest rows included.
    pub most: u64,
    /// How many dispatches go through the work of a workgroup one after the other.
    pub portions: u32,
    /// Summands of a slice of a gradient, 0 where it has none.
    pub slice: u32,
}

impl Load {
    /// In one portion, without slices.
    pub(crate) fn new(grid: Grid, cost_per_row: u64, most: u64) -> Self {
        Self { grid, cost_per_row, most, portions: 1, slice: 0 }
    }
}

/// How the workgroups of a kernel are laid over a stripe.
#[derive(Clone, Copy)]
pub(crate) enum Grid {
    /// One for each row.
    Rows,
    /// One for every 256 values, this many a row.
    Values(u32),
    /// A fixed number of workgroups, whatever rows the stripe has.
    Fixed(u32),
    /// One for every tile of so many rows, this many across.
    Tiles { across: u32, height: u32 },
    /// The same of a matrix that is symmetric: those below the diagonal have nothing to do.
    Mirrored { across: u32, height: u32 },
    /// One for every tile of so many rows, this many across, which take the columns up to the end
    /// of the stripe, in slices where these have a size.
    ToEnd { across: u32, height: u32, slice: u32 },
    /// A fixed number of workgroups across and down, whatever rows the stripe has.
    FixedTiles([u32; 2]),
    /// A fixed number of workgroups across and down, once, with the stripe that ends at this row:
    /// the last one.
    Once { extent: [u32; 2], end: u32 },
    /// One for every tile of so many of the columns before the stripe, this many across.
    Earlier { across: u32, height: u32 },
}

impl Grid {
    /// The workgroups across and down; those that are numbered through are all across.
    fn extent(self, begin: u32, rows: u32) -> [u32; 2] {
        match self {
            Self::Rows => [rows, 1],
            Self::Values(per_row) => [(rows * per_row).div_ceil(256), 1],
            Self::Fixed(groups) => [groups, 1],
            Self::Once { extent, end } => {
                if begin + rows == end {
                    extent
                } else {
                    [0; 2]
                }
            }
            Self::Tiles { across, height } | Self::Mirrored { across, height } => {
                [across, rows.div_ceil(height)]
            }
            Self::ToEnd { across, height, slice } => {
                [across * slices(begin + rows, slice), rows.div_ceil(height)]
            }
            Self::FixedTiles(extent) => extent,
            Self::Earlier { across, height } => [across, begin.div_ceil(height)],
        }
    }

    /// How many of the columns a row of the stripe takes, where these are `all` rows of a batch.
    fn columns(self, begin: u32, rows: u32, all: u32) -> u32 {
        match self {
            Self::ToEnd { .. } => begin + rows,
            Self::Earlier { .. } => begin,
            _ => all,
        }
    }

    /// How many workgroups of a piece compute something.
    fn working(self, piece: &Piece) -> u64 {
        match self {
            Self::Mirrored { .. } => piece.above_diagonal(),
            _ => piece.count(),
        }
    }
}

/// How many slices of this size, or 0 where there are none, so many summands have.
pub(crate) fn slices(summands: u32, slice: u32) -> u32 {
    if slice == 0 { 1 } else { summands.div_ceil(slice) }
}

/// Collects the dispatches over the stripes of a plan.
pub(crate) struct Sweeps<'a> {
    basis: &'a Basis,
    /// The dispatches so far.
    pub dispatches: Vec<Dispatch>,
}

impl<'a> Sweeps<'a> {
    /// No dispatch yet.
    pub(crate) fn new(basis: &'a Basis) -> Self {
        Self { basis, dispatches: Vec::new() }
    }

    /// The sweeps one after the other on each stripe.
    pub(crate) fn pass<'s>(&mut self, sweeps: impl Iterator<Item = &'s Sweep> + Clone) {
        for stripe in 0..self.basis.stripes.iter().len() {
            self.dispatches
                .extend(sweeps.clone().flat_map(|sweep| &sweep.on_stripes[stripe]).cloned());
        }
    }

    /// Sorts the places of listed pairs by the rows that stand there, and the pairs by their
    /// targets.
    pub(crate) fn incidence(&mut self) -> Result<()> {
        let pairs = self.basis.shape.pairs();
        // Of the whole list, which is one stripe.
        let [operations, most] = OPERATIONS_PER_PLACE;
        for (keys, order) in self.basis.matrix.list.iter().flat_map(List::sorted) {
            let cost_per_row = order.count(pairs) * operations / u64::from(self.basis.stripes.rows);
            for (kernel, buffers, groups) in order.sorting(keys, pairs) {
                let grid = Grid::Fixed(groups);
                let load = Load::new(grid, cost_per_row, BLOCK * most);
                let sweep = self.sweep("incidence", &kernel, &buffers, load)?;
                self.pass([&sweep].into_iter());
            }
        }
        Ok(())
    }

    /// The distances of every pair.
    pub(crate) fn distance(&self) -> Result<Sweep> {
        let Basis { matrix, shape, stripes, .. } = self.basis;
        let Matrix { queries, distances, state, unused, list, .. } = matrix;
        let other = matrix.other();
        let tile = self.basis.tiles.distance;
        let kind = self.basis.matrix_kind();
        let kernel = kind.distances(tile);
        // Of the whole matrix of a batch, half is computed.
        let is_symmetric = shape.mode() == Mode::Batch && stripes.is_single();
        // A tile takes 16 dimensions at a time, or 8.
        let pair = shape.dimensions().next_multiple_of(16) as u64 * 3;
        let (fifth, grid, most) = match list {
            Some(list) => {
                let rows = list.indices.as_ref().map_or(unused, |indices| &indices.rows);
                let groups = shape.pairs().div_ceil(PAIRS_PER_GROUP) as u32;
                (rows, Grid::Fixed(groups), 3 * OPERATIONS_PER_ROW + PAIRS_PER_GROUP * pair)
            }
            None if shape.mode() == Mode::Scores => {
                (state, Grid::Values(stripes.stride / 4), OPERATIONS_PER_GROUP)
            }
            None => {
                let height = kind.distance_tile(tile);
                let across = self.columns().div_ceil(height);
                let grid = if is_symmetric {
                    Grid::Mirrored { across, height }
                } else {
                    Grid::Tiles { across, height }
                };
                (state, grid, u64::from(height).pow(2) * pair)
            }
        };
        let norms = [queries, other].map(Set::norms_of_distances);
        let buffers = [&queries.points, &other.points, norms[0], norms[1], fifth, distances];
        let halves = if is_symmetric { 2 } else { 1 };
        let load = Load::new(grid, self.pair_cost() / halves, most);
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
        self.sweep_with(label, kernel, buffers, &[], load)
    }

    /// A sweep of a kernel that has other bindings after the sizes.
    pub(crate) fn sweep_with(
        &self,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        others: &[Bound<'_>],
        load: Load,
    ) -> Result<Sweep> {
        let Load { grid, cost_per_row, most, portions, slice } = load;
        let stripes = self.basis.stripes.iter();
        let context = &self.basis.context;
        let bound = context.operations_per_dispatch();
        let most_pieces = MOST_DISPATCHES / (stripes.len() as u64 * u64::from(portions)).max(1);
        let mut uniforms = Uniforms::new(
            context,
            size_of::<Stripe>(),
            stripes.len() as u64 * u64::from(portions),
        )?;
        let dispatches_on = |(begin, rows): (u32, u32)| {
            let extent = grid.extent(begin, rows);
            let groups = u64::from(extent[0]) * u64::from(extent[1]);
            let pieces = Piece::cut(extent, (groups * most).div_ceil(bound).min(most_pieces));
            let height = self.basis.stripes.height;
            let columns = u64::from(grid.columns(begin, rows, height));
            let cost = cost_per_row * u64::from(rows) / u64::from(portions);
            let cost = (u128::from(cost) * u128::from(columns) / u128::from(height)) as u64;
            // Every portion builds on the one before it.
            let portions =
                (0..portions).flat_map(|portion| pieces.iter().map(move |piece| (portion, piece)));
            let placed = |(portion, piece): (u32, &Piece)| {
                let stripe = self.stripe(begin, rows, portion, piece.first);
                let uniform = Stripe { slice, ..stripe };
                let load = [grid.working(piece), piece.share(cost, extent)];
                (uniforms.add(&uniform), piece.groups(), load)
            };
            portions.map(placed).collect()
        };
        let dispatches: Vec<Vec<_>> = stripes.map(dispatches_on).collect();
        if dispatches.iter().all(Vec::is_empty) {
            return Ok(Sweep { on_stripes: dispatches.iter().map(|_| Vec::new()).collect() });
        }
        let buffer = uniforms.buffer(context, "stripes")?;
        let own = [&buffer].into_iter().chain(buffers.iter().copied()).chain([&self.basis.sizes]);
        let bound: Vec<_> = own.map(Bound::all).chain(others.iter().copied()).collect();
        let dispatch = kernel.dispatch(context, label, &bound, [0; 3], 0);
        let placed = |all: Vec<(u32, [u32; 3], [u64; 2])>| {
            all.into_iter()
                .map(|(offset, groups, load)| dispatch.on_stripe(offset, groups, load))
                .collect()
        };
        Ok(Sweep { on_stripes: dispatches.into_iter().map(placed).collect() })
    }

    fn stripe(&self, begin: u32, rows: u32, portion: u32, [first_x, first_y]: [u32; 2]) -> Stripe {
        let Basis { shape, stripes, .. } = self.basis;
        Stripe {
            begin,
            rows,
            dimensions: shape.dimensions() as u32,
            vectors: shape.dimensions().div_ceil(4) as u32,
            stride: stripes.stride,
            same_set: (shape.mode() == Mode::Batch).into(),
            own: shape.own_step().unwrap_or(BEYOND_COLUMNS),
            portion,
            slice: 0,
            first_x,
            first_y,
            first_row: shape.first_row() as u32,
        }
    }

    /// Adds a dispatch that belongs to no stripe.
    pub(crate) fn push(
        &mut self,
        label: &'static str,
        kernel: &Kernel,
        bound: &[Bound<'_>],
        groups: u32,
        cost: u64,
    ) {
        let context = &self.basis.context;
        self.dispatches.push(kernel.dispatch(context, label, bound, folded(groups), cost));
    }

    /// Adds dispatches of a kernel whose first binding is a stripe, of which it takes nothing but
    /// the number of its first workgroup.
    pub(crate) fn push_numbered(
        &mut self,
        label: &'static str,
        kernel: &Kernel,
        others: &[Bound<'_>],
        groups: Workgroups,
    ) -> Result<()> {
        let Workgroups { count, most, cost } = groups;
        let context = &self.basis.context;
        let extent = [count, 1];
        let pieces = (u64::from(count) * most).div_ceil(context.operations_per_dispatch());
        let pieces = Piece::cut(extent, pieces.min(MOST_DISPATCHES));
        let mut uniforms = Uniforms::new(context, size_of::<Stripe>(), pieces.len() as u64)?;
        let first = |piece: &Piece| Stripe { first_x: piece.first[0], ..Stripe::default() };
        let offsets: Vec<_> = pieces.iter().map(|piece| uniforms.add(&first(piece))).collect();
        let buffer = uniforms.buffer(context, "first workgroups")?;
        let bound: Vec<_> =
            [Bound::all(&buffer)].into_iter().chain(others.iter().copied()).collect();
        let dispatch = kernel.dispatch(context, label, &bound, [0; 3], 0);
        self.dispatches.extend(pieces.iter().zip(offsets).map(|(piece, offset)| {
            let load = [piece.count(), piece.share(cost, extent)];
            dispatch.on_stripe(offset, piece.groups(), load)
        }));
        Ok(())
    }
}
