//! The gradients of one loss, summed up from its coefficients and scaled.

use crate::data::mode::Mode;
use crate::error::Result;
use crate::gpu::cut::loops::{
    ANCHORS_PER_DISPATCH, PLACES_PER_DISPATCH, portions_of, summands_per_dispatch,
};
use crate::gpu::cut::slices::{slice_of_stripe, slice_of_whole};
use crate::gpu::cut::tiles::TILE;
use crate::gpu::device::allocate::uniform;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::workgroups::{OPERATIONS_PER_GROUP, Workgroups};
use crate::gpu::kernel::matrix::Summation;
use crate::gpu::kernel::{Kernel, catalogue};
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::finish::finish_gradient;
use crate::gpu::pairs::list::List;
use crate::gpu::pairs::loss_passes::LossPasses;
use crate::gpu::pairs::matrix::{Matrix, Set};
use crate::gpu::pairs::planned_loss::Buffers;
use crate::gpu::pairs::sweeps::{Grid, Load, Sweep, Sweeps, slices};
use crate::loss::Learned;
use crate::wgsl::layout::{Finish, Start};

/// Rows and dimensions that a workgroup of `shaders/gradient/chosen.wgsl` computes.
pub(crate) const CHOSEN_TILE: [u64; 2] = [8, 128];

/// Roughly how many arithmetic operations it takes the time of to look at an anchor there.
pub(crate) const OPERATIONS_PER_ANCHOR: u64 = 64;

/// Roughly how many arithmetic operations it takes the time of to add what a pair gives to a
/// dimension.
pub(crate) const OPERATIONS_PER_CHOICE: u64 = 64;

impl<'a> LossPasses<'a> {
    /// The gradient by rows, and by columns where these have a share of their own.
    pub(crate) fn gradients(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let Matrix { queries, unused, list, .. } = &self.basis.matrix;
        let Buffers { coefficients, transposed, gradient, gradient_references, .. } =
            &self.part.buffers;
        let coefficients = coefficients.buffer();
        if let Some(list) = list {
            return self.listed_gradients(sweeps, list);
        }
        if self.terms.chooses {
            return self.chosen_gradients(sweeps);
        }
        if self.basis.shape.mode() == Mode::Scores {
            let kernel = self.basis.matrix_kind().gradient();
            let buffers = [unused, unused, coefficients, gradient, unused];
            let grid = Grid::Values(sweeps.columns());
            let load = Load::new(grid, sweeps.pair_cost(), OPERATIONS_PER_GROUP);
            return Ok(vec![sweeps.sweep("gradient", &kernel, &buffers, load)?]);
        }
        let other = self.basis.matrix.other();
        // Where distances are expanded they tell which pairs are near.
        let is_expanded = self.basis.matrix_kind().is_expanded();
        let fifth = if is_expanded { &self.basis.matrix.distances } else { unused };
        let by_rows = [&queries.points, &other.points, coefficients, gradient, fifth];
        let summation = self.basis.summation(&self.terms);
        let mut all = self.gradient(sweeps, summation, by_rows)?;
        if summation == Summation::Triangle {
            let earlier = [&queries.points, &queries.points, coefficients, gradient, fifth];
            all.extend(self.gradient(sweeps, Summation::EarlierRows, earlier)?);
        }
        // The references have a gradient of their own; in batch mode both halves are the
        // embeddings'.
        if let Some(gradient) = gradient_references.as_ref().or(transposed.as_ref()) {
            let by_columns = [&other.points, &queries.points, coefficients, gradient, fifth];
            all.extend(self.gradient(sweeps, Summation::Columns, by_columns)?);
        }
        Ok(all)
    }

    /// The gradient of chosen pairs, for anchors and what they have chosen at once, or where the
    /// references are rows of their own
    /// for each.
    fn chosen_gradients(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let Matrix { queries, .. } = &self.basis.matrix;
        let Buffers { gradient, gradient_references, .. } = &self.part.buffers;
        let other = self.basis.matrix.other();
        let summation = self.basis.summation(&self.terms);
        let rows = self.basis.shape.queries();
        let mut all =
            vec![self.chosen_gradient(sweeps, summation, [queries, other], gradient, rows)?];
        if let Some(gradient) = gradient_references {
            let rows = self.basis.shape.references();
            all.push(self.chosen_gradient(
                sweeps,
                Summation::Columns,
                [other, queries],
                gradient,
                rows,
            )?);
        }
        Ok(all)
    }

    /// The gradient of chosen pairs for so many rows, after the last stripe.
    fn chosen_gradient(
        &self,
        sweeps: &Sweeps,
        summation: Summation,
        [own, other]: [&Set; 2],
        gradient: &wgpu::Buffer,
        rows: usize,
    ) -> Result<Sweep> {
        let Basis { shape, stripes, matrix, .. } = self.basis;
        let [height, width] = CHOSEN_TILE;
        let extent = [(shape.dimensions() as u64).div_ceil(width), (rows as u64).div_ceil(height)];
        // Only those that are chosen look for who has.
        let anchors = if summation == Summation::Rows { 0 } else { shape.queries() as u64 };
        // Anchors choose two rows each: so many choose those of a workgroup, on average.
        let choosers = (2 * height * anchors).div_ceil(rows as u64);
        let most = OPERATIONS_PER_GROUP
            + anchors.min(ANCHORS_PER_DISPATCH) * OPERATIONS_PER_ANCHOR
            + choosers * width * OPERATIONS_PER_CHOICE;
        let cost = extent[0] * extent[1] * anchors * 2
            + 4 * shape.queries() as u64 * shape.dimensions() as u64 * 3;
        let load = Load {
            grid: Grid::Once { extent: extent.map(|count| count as u32), end: stripes.height },
            cost_per_row: cost / stripes.rows_of_last(),
            most,
            portions: portions_of(anchors, Some(ANCHORS_PER_DISPATCH)).max(1),
            slice: 0,
        };
        let choices = self.part.buffers.coefficients.buffer();
        let buffers = [&own.points, &other.points, choices, gradient, &matrix.unused];
        let kernel = match self.at_once {
            true => self.basis.matrix_kind().finished_chosen_gradient(summation),
            false => self.basis.matrix_kind().chosen_gradient(summation),
        };
        self.sweep(sweeps, "gradient of chosen pairs", &kernel, &buffers, summation, load)
    }

    /// Rows of one set gather the pairs that they are part of; each row of two aligned sets is part
    /// of one.
    fn listed_gradients(&self, sweeps: &Sweeps, list: &List) -> Result<Vec<Sweep>> {
        let Matrix { queries, unused, .. } = &self.basis.matrix;
        let Buffers { coefficients, gradient, gradient_references, .. } = &self.part.buffers;
        let coefficients = coefficients.buffer();
        let kernel = self.basis.matrix_kind().gradient();
        let vectors = self.basis.shape.dimensions().div_ceil(4) as u64;
        if let Some(indices) = &list.indices {
            let [rows, across] =
                [self.basis.shape.queries() as u64, vectors.div_ceil(u64::from(TILE / 4))];
            let places = 2 * self.basis.shape.pairs();
            let load = Load {
                grid: Grid::FixedTiles([across as u32, rows as u32]),
                cost_per_row: 2 * sweeps.pair_cost(),
                // A row is in as many pairs as the others, on average.
                most: places * u64::from(TILE) * 3 / rows + OPERATIONS_PER_GROUP,
                portions: portions_of(places, Some(PLACES_PER_DISPATCH)),
                slice: 0,
            };
            let order = indices.by_row.last();
            let buffers = [&queries.points, &indices.rows, coefficients, gradient, order];
            return Ok(vec![sweeps.sweep("gradient", &kernel, &buffers, load)?]);
        }
        let groups = (self.basis.shape.pairs() * vectors).div_ceil(256) as u32;
        let of = |own: &Set, other: &Set, gradient| {
            let buffers = [&own.points, &other.points, coefficients, gradient, unused];
            let load = Load::new(Grid::Fixed(groups), sweeps.pair_cost(), OPERATIONS_PER_GROUP);
            sweeps.sweep("gradient", &kernel, &buffers, load)
        };
        let mut all = vec![of(queries, self.basis.matrix.other(), gradient)?];
        if let Some(gradient) = gradient_references {
            all.push(of(self.basis.matrix.other(), queries, gradient)?);
        }
        Ok(all)
    }

    /// Sums up pairs into every value of the gradient, in tiles. Where it has slices, their sums are
    /// added up by a sweep of their own.
    fn gradient(
        &self,
        sweeps: &Sweeps,
        summation: Summation,
        [own, other, coefficients, gradient, fifth]: [&wgpu::Buffer; 5],
    ) -> Result<Vec<Sweep>> {
        let label = match summation {
            Summation::Rows | Summation::Joined | Summation::Triangle => "gradient",
            Summation::Columns => "gradient by columns",
            Summation::EarlierRows => "gradient of earlier rows",
        };
        let Basis { shape, stripes, tiles, matrix, .. } = self.basis;
        let kind = self.basis.matrix_kind();
        let [height, width] = kind.gradient_tile(tiles.gradient);
        let across = (shape.dimensions() as u32).div_ceil(width);
        let columns = sweeps.columns();
        let summands = match summation {
            Summation::Columns | Summation::EarlierRows => stripes.rows,
            _ => columns,
        };
        let slice = self.slice(summation, summands.into()).unwrap_or(0);
        let all_across = across * slices(summands, slice);
        let grid = match summation {
            Summation::Columns => Grid::FixedTiles([all_across, columns.div_ceil(height)]),
            Summation::Triangle => Grid::ToEnd { across, height, slice },
            Summation::EarlierRows => Grid::Earlier { across, height },
            Summation::Rows | Summation::Joined => Grid::Tiles { across: all_across, height },
        };
        let (portion, portions) = match slice {
            0 => {
                let portion = summands_per_dispatch(tiles.gradient, kind.is_expanded());
                (portion, portions_of(summands.into(), Some(portion)))
            }
            slice => (slice.into(), 1),
        };
        let most = u64::from(height) * u64::from(width) * portion.min(summands.into()) * 3;
        let load = Load { grid, cost_per_row: sweeps.pair_cost(), most, portions, slice };
        let kernel = match self.at_once {
            true => kind.finished_gradient(summation, tiles.gradient, &self.terms),
            false => kind.tiled_gradient(summation, tiles.gradient),
        };
        let target = if slice > 0 { &matrix.distances } else { gradient };
        let buffers = [own, other, coefficients, target, fifth];
        let mut all = vec![self.sweep(sweeps, label, &kernel, &buffers, summation, load)?];
        if slice > 0 {
            all.push(self.sum_of_slices(sweeps, summation, gradient, summands, slice)?);
        }
        Ok(all)
    }

    /// How many summands a slice of the gradient has, where it has any. Stripes that the columns
    /// are summed up over have the tiles of all columns.
    fn slice(&self, summation: Summation, summands: u64) -> Option<u32> {
        let Basis { context, shape, stripes, .. } = self.basis;
        // Expanded distances tell the gradient which pairs are near.
        let has_room = self.is_alone && !self.basis.matrix_kind().is_expanded();
        if !has_room || !context.has_many_units() {
            return None;
        }
        let dimensions = shape.dimensions() as u64;
        match summation {
            Summation::EarlierRows => None,
            Summation::Columns if stripes.is_single() => {
                slice_of_whole(shape.references() as u64, dimensions, summands)
            }
            Summation::Columns => None,
            _ if stripes.is_single() => slice_of_whole(stripes.rows.into(), dimensions, summands),
            _ => slice_of_stripe(dimensions, summands),
        }
    }

    /// Adds up the slices of a gradient.
    fn sum_of_slices(
        &self,
        sweeps: &Sweeps,
        summation: Summation,
        gradient: &wgpu::Buffer,
        summands: u32,
        slice: u32,
    ) -> Result<Sweep> {
        let Matrix { distances, unused, .. } = &self.basis.matrix;
        let dimensions = self.basis.shape.dimensions() as u32;
        // Those of one stripe are all numbers of the gradient.
        let grid = match summation {
            Summation::Columns => Grid::Fixed((gradient.size() / 4).div_ceil(256) as u32),
            _ => Grid::Values(dimensions),
        };
        let slices = u64::from(slices(summands, slice));
        let load = Load {
            grid,
            cost_per_row: slices * u64::from(dimensions),
            most: OPERATIONS_PER_GROUP.max(256 * slices),
            portions: 1,
            slice,
        };
        let kernel = summation.sum_of_slices(self.at_once);
        let buffers = [unused, unused, distances, gradient, unused];
        self.sweep(sweeps, "slices", &kernel, &buffers, summation, load)
    }

    /// The sweep of a kernel that sums up, and where it finishes at once, of what it scales with.
    fn sweep(
        &self,
        sweeps: &Sweeps,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        summation: Summation,
        load: Load,
    ) -> Result<Sweep> {
        if !self.at_once {
            return sweeps.sweep(label, kernel, buffers, load);
        }
        let finish = self.finish_of(false, summation == Summation::Columns);
        let finish = uniform(&self.basis.context, "finish", bytemuck::bytes_of(&finish))?;
        let others = [&self.part.buffers.totals, &self.basis.matrix.state, &finish].map(Bound::all);
        sweeps.sweep_with(label, kernel, buffers, &others, load)
    }

    /// Gradients with respect to learned numbers, to the references, and at last to the first set.
    pub(crate) fn finish(&self) -> Result<Vec<Dispatch>> {
        let Matrix { queries, references, .. } = &self.basis.matrix;
        let Buffers { gradient, gradient_references, transposed, .. } = &self.part.buffers;
        let mut dispatches = self.finish_learned()?;
        if let (Some(set), Some(gradient)) = (references, gradient_references) {
            dispatches.extend(self.finish_gradient(set, gradient, None, true)?);
        }
        dispatches.extend(self.finish_gradient(queries, gradient, transposed.as_ref(), false)?);
        Ok(dispatches)
    }

    pub(crate) fn finish_learned(&self) -> Result<Vec<Dispatch>> {
        let learned = self.part.loss.description().learned().into_iter();
        let gradients = learned.filter_map(|learned| {
            let gradient = self.part.gradient_learned(learned.input)?;
            Some(self.finish_one_learned(learned, gradient))
        });
        Ok(gradients.collect::<Result<Vec<_>>>()?.concat())
    }

    fn finish_one_learned(
        &self,
        learned: Learned,
        gradient: &wgpu::Buffer,
    ) -> Result<Vec<Dispatch>> {
        let Basis { context, shape, matrix, .. } = self.basis;
        let Buffers { rows, totals, .. } = &self.part.buffers;
        let Matrix { queries, state, .. } = matrix;
        let bound = [rows, &queries.labels, totals, gradient, state].map(Bound::all);
        let numbers = learned.numbers(shape) as u32;
        let groups = Workgroups::for_rows(numbers, shape.queries() as u64, 1);
        let kernel = catalogue::finish_learned(learned);
        kernel.dispatches(context, "gradient of learned", Start::default(), &bound, groups)
    }

    fn finish_gradient(
        &self,
        set: &Set,
        gradient: &wgpu::Buffer,
        add: Option<&wgpu::Buffer>,
        of_references: bool,
    ) -> Result<Vec<Dispatch>> {
        let finish = self.finish_of(add.is_some(), of_references);
        finish_gradient(self.basis, &self.part.buffers.totals, set, gradient, add, finish)
    }

    fn finish_of(&self, add: bool, of_references: bool) -> Finish {
        let halved = self.basis.shape.mode() == Mode::Batch && self.terms.symmetric;
        Finish {
            first: 0,
            of_references: of_references.into(),
            dimensions: self.basis.shape.dimensions() as u32,
            width: self.basis.shape.dimensions() as u32,
            vectors: self.basis.shape.dimensions().div_ceil(4) as u32,
            unit: self.basis.on_unit_rows.into(),
            add: add.into(),
            // The references come first.
            last: (!of_references).into(),
            factor: self.part.loss.description().gradient_factor() * if halved { 2.0 } else { 1.0 },
        }
    }
}
