//! The dispatches of losses over one matrix, in their order: prepare is made with the inputs
//! (inputs.rs), everything after it here.
//!
//! For each pass and each stripe of rows: distance, and for each loss terms and gradient; between
//! the passes and after them: finish.

use super::basis::Basis;
use super::buffers::{Buffers, Matrix, Set, uniform};
use super::dispatch::{Bound, Groups, OPERATIONS_PER_GROUP, Step};
use super::kernel::Kernel;
use super::kernels::{self, MAIN, STATISTICS, Summation};
use super::layout::{Finish, Start};
use super::limits::{
    ANCHORS_PER_DISPATCH, PLACES_PER_DISPATCH, portions_of, positives_per_dispatch,
    summands_per_dispatch,
};
use super::list::List;
use super::part::Part;
use super::stripes::pairs;
use super::sweeps::{Grid, Load, Sweep, Sweeps, TILE};
use crate::Result;
use crate::loss::{Statistics, Terms};
use crate::shape::Mode;

/// Rows and dimensions that a workgroup of `shaders/gradient/chosen.wgsl` computes.
pub(crate) const CHOSEN_TILE: [u64; 2] = [8, 128];

/// Roughly how many arithmetic operations it takes the time of to look at an anchor there.
const OPERATIONS_PER_ANCHOR: u64 = 64;

/// The same to add what a pair gives to a dimension.
const OPERATIONS_PER_CHOICE: u64 = 64;

/// Every pass over every stripe, then the finish.
pub(crate) fn steps(basis: &Basis, parts: &[Part]) -> Result<Vec<Step>> {
    match parts {
        [part] if basis.finishes_at_once(&part.loss.description().terms()) => {
            steps_at_once(basis, part)
        }
        _ => steps_by_passes(basis, parts),
    }
}

/// One pass, in which the totals come before the gradient, and nothing after it but the gradient of
/// beta.
fn steps_at_once(basis: &Basis, part: &Part) -> Result<Vec<Step>> {
    let work = Work { at_once: true, ..Work::new(basis, part)? };
    let mut sweeps = Sweeps::new(basis);
    let distance = sweeps.distance()?;
    let terms = work.terms_at_once(&sweeps)?;
    sweeps.pass(std::iter::once(&distance).chain(&terms));
    sweeps.steps.push(totals(basis, part, true));
    let gradients = work.gradients(&sweeps)?;
    sweeps.pass(gradients.iter());
    sweeps.steps.extend(work.finish_beta()?);
    Ok(sweeps.steps)
}

fn steps_by_passes(basis: &Basis, parts: &[Part]) -> Result<Vec<Step>> {
    let works = parts.iter().map(|part| Work::new(basis, part)).collect::<Result<Vec<_>>>()?;
    let mut sweeps = Sweeps::new(basis);
    sweeps.incidence()?;
    let distance = [sweeps.distance()?];
    let before: Vec<_> =
        works.iter().filter_map(|work| work.before(&sweeps)).collect::<Result<_>>()?;
    let mut is_known = false;
    if !before.is_empty() {
        sweeps.pass(distance.iter().chain(&before));
        works.iter().filter(|work| work.terms.statistics == Statistics::Totals).for_each(|work| {
            sweeps.steps.push(totals(basis, work.part, false));
        });
        // What one stripe holds is still there in the next pass.
        is_known = basis.stripes.is_single();
    }
    let mut after = Vec::new();
    for work in &works {
        after.extend(work.after(&sweeps)?);
    }
    sweeps.pass(distance.iter().skip(is_known.into()).chain(&after));
    let last = parts.len() - 1;
    sweeps.steps.extend(parts.iter().enumerate().map(|(at, part)| totals(basis, part, at == last)));
    for work in &works {
        sweeps.steps.extend(work.finish()?);
    }
    Ok(sweeps.steps)
}

/// Adds up the rows of a loss; the last loss also takes the faults over.
pub(crate) fn totals(basis: &Basis, part: &Part, last: bool) -> Step {
    let kernel = kernels::totals(&part.loss, last);
    let Buffers { summands, rows, totals, .. } = &part.buffers;
    let cost = rows.size() / 4;
    let bound = [summands, rows, totals, &basis.matrix.state, &basis.sizes].map(Bound::all);
    kernel.step(&basis.context, "totals", &bound, [1, 1, 1], cost)
}

/// Scales a gradient.
pub(crate) fn finish_gradient(
    basis: &Basis,
    totals: &wgpu::Buffer,
    set: &Set,
    gradient: &wgpu::Buffer,
    add: Option<&wgpu::Buffer>,
    finish: Finish,
) -> Result<Vec<Step>> {
    let Matrix { state, unused, .. } = &basis.matrix;
    let sizes = &basis.sizes;
    let bound = [gradient, add.unwrap_or(unused), &set.points, &set.norms, totals, state, sizes]
        .map(Bound::all);
    let width = u64::from(finish.width);
    let rows = (gradient.size() / 4).div_ceil(width) as u32;
    let groups = Groups::of_rows(rows, width, 8);
    kernels::finish_gradient().steps(&basis.context, "finish gradient", finish, &bound, groups)
}

/// What one loss does on each stripe, and after them.
struct Work<'a> {
    basis: &'a Basis,
    part: &'a Part,
    terms: Terms,
    /// Positives of a row that a dispatch takes, where it cannot take any number.
    portion: Option<u64>,
    /// Whether its gradients are finished where they are summed up.
    at_once: bool,
}

impl<'a> Work<'a> {
    fn new(basis: &'a Basis, part: &'a Part) -> Result<Self> {
        let terms = part.loss.description().terms();
        let portion =
            positives_per_dispatch(terms.shader, &terms.walk, &basis.shape, basis.row_width)?;
        Ok(Self { basis, part, terms, portion, at_once: false })
    }

    /// In a pass of its own, where the loss needs to know something of all rows first.
    fn before(&self, sweeps: &Sweeps) -> Option<Result<Sweep>> {
        let needs_all_rows = matches!(self.terms.statistics, Statistics::Rows | Statistics::Totals);
        needs_all_rows.then(|| self.terms(sweeps, STATISTICS, None))
    }

    /// In the pass that makes the gradient.
    fn after(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let mut all = Vec::new();
        if self.terms.statistics == Statistics::Ends {
            all.push(self.terms(sweeps, STATISTICS, None)?);
        }
        all.push(self.terms(sweeps, MAIN, self.portion)?);
        all.extend(self.gradients(sweeps)?);
        Ok(all)
    }

    /// All that the coefficients need, where one stripe holds every row. The weights of means that
    /// are taken apart come with the gradient.
    fn terms_at_once(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
        let mut all = Vec::new();
        if self.terms.statistics != Statistics::None {
            all.push(self.terms(sweeps, STATISTICS, None)?);
        }
        if self.terms.statistics != Statistics::Totals {
            all.push(self.terms(sweeps, MAIN, self.portion)?);
        }
        Ok(all)
    }

    /// In as many dispatches as it takes for all positives of a row, where there is a portion of
    /// them.
    fn terms(&self, sweeps: &Sweeps, entry: &'static str, portion: Option<u64>) -> Result<Sweep> {
        let kernel =
            self.basis.matrix_kind().terms(&self.terms, entry, self.portion, self.basis.row_width);
        let (matrix, all) = (&self.basis.matrix, &self.part.buffers);
        let buffers = [
            &all.parameters,
            matrix.list.as_ref().map_or(&matrix.queries.labels, |list| &list.kinds),
            &matrix.other().labels,
            &matrix.distances,
            all.coefficients.buffer(),
            &all.rows,
            &all.row_statistics,
            &all.totals,
            &all.beta,
        ];
        let columns = u64::from(self.basis.stripes.stride);
        let of_chunks = portion.map_or(0, |portion| self.terms.walk.operations(columns, portion));
        let cost = columns * self.terms.operations_per_pair + of_chunks;
        let portions = portions_of(self.basis.shape.references() as u64, portion);
        let load = Load {
            grid: Grid::Rows,
            cost_per_row: cost * u64::from(portions),
            most: cost,
            portions,
        };
        sweeps.sweep("terms", &kernel, &buffers, load)
    }

    /// By rows, and where the columns have a share of their own by columns.
    fn gradients(&self, sweeps: &Sweeps) -> Result<Vec<Sweep>> {
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
            let load = Load {
                grid,
                cost_per_row: sweeps.pair_cost(),
                most: OPERATIONS_PER_GROUP,
                portions: 1,
            };
            return Ok(vec![sweeps.sweep("gradient", &kernel, &buffers, load)?]);
        }
        let other = self.basis.matrix.other();
        let height = self.basis.tiles.gradient.side();
        let across = (self.basis.shape.dimensions() as u32).div_ceil(height);
        let columns = u64::from(sweeps.columns());
        let rows = u64::from(self.basis.stripes.rows);
        let by_rows = [&queries.points, &other.points, coefficients, gradient, unused];
        let summation = self.basis.summation(&self.terms);
        let mut all = vec![self.gradient(
            sweeps,
            summation,
            columns,
            by_rows,
            Grid::Tiles { across, height },
        )?];
        if summation == Summation::Triangle {
            let by_columns = [&queries.points, &queries.points, coefficients, gradient, unused];
            all.push(self.gradient(
                sweeps,
                Summation::EarlierRows,
                rows,
                by_columns,
                Grid::Earlier { across, height },
            )?);
        }
        // The references have a gradient of their own; in batch mode both halves are the
        // embeddings'.
        if let Some(gradient) = gradient_references.as_ref().or(transposed.as_ref()) {
            let by_columns = [&other.points, &queries.points, coefficients, gradient, unused];
            let grid = Grid::FixedTiles([across, sweeps.columns().div_ceil(height)]);
            all.push(self.gradient(sweeps, Summation::Columns, rows, by_columns, grid)?);
        }
        Ok(all)
    }

    /// For anchors and what they have chosen at once, or where the references are rows of their own
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

    /// For so many rows, after the last stripe.
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
        };
        let choices = self.part.buffers.coefficients.buffer();
        let buffers = [&own.points, &other.points, choices, gradient, &matrix.unused];
        let label = "gradient of chosen pairs";
        if !self.at_once {
            let kernel = self.basis.matrix_kind().chosen_gradient(summation);
            return sweeps.sweep(label, &kernel, &buffers, load);
        }
        let kernel = self.basis.matrix_kind().finished_chosen_gradient(summation);
        self.finished_gradient(sweeps, label, &kernel, &buffers, summation, load)
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
            let places = 2 * pairs(&self.basis.shape);
            let load = Load {
                grid: Grid::FixedTiles([across as u32, rows as u32]),
                cost_per_row: 2 * sweeps.pair_cost(),
                // A row is in as many pairs as the others, on average.
                most: places * u64::from(TILE) * 3 / rows + OPERATIONS_PER_GROUP,
                portions: portions_of(places, Some(PLACES_PER_DISPATCH)),
            };
            let buffers = [&queries.points, &indices.rows, coefficients, gradient, indices.order()];
            return Ok(vec![sweeps.sweep("gradient", &kernel, &buffers, load)?]);
        }
        let groups = (pairs(&self.basis.shape) * vectors).div_ceil(256) as u32;
        let of = |own: &Set, other: &Set, gradient| {
            let buffers = [&own.points, &other.points, coefficients, gradient, unused];
            let load = Load {
                grid: Grid::Fixed(groups),
                cost_per_row: sweeps.pair_cost(),
                most: OPERATIONS_PER_GROUP,
                portions: 1,
            };
            sweeps.sweep("gradient", &kernel, &buffers, load)
        };
        let mut all = vec![of(queries, self.basis.matrix.other(), gradient)?];
        if let Some(gradient) = gradient_references {
            all.push(of(self.basis.matrix.other(), queries, gradient)?);
        }
        Ok(all)
    }

    /// Every value of it a sum of so many.
    fn gradient(
        &self,
        sweeps: &Sweeps,
        summation: Summation,
        summands: u64,
        buffers: [&wgpu::Buffer; 5],
        grid: Grid,
    ) -> Result<Sweep> {
        let label = match summation {
            Summation::Rows | Summation::Joined | Summation::Triangle => "gradient",
            Summation::Columns => "gradient by columns",
            Summation::EarlierRows => "gradient of earlier rows",
        };
        let tile = self.basis.tiles.gradient;
        let portion = summands_per_dispatch(tile);
        let portions = portions_of(summands, Some(portion));
        let most = tile.pairs() * summands.min(portion) * 3;
        let load = Load { grid, cost_per_row: sweeps.pair_cost(), most, portions };
        if !self.at_once {
            let kernel = self.basis.matrix_kind().tiled_gradient(summation, tile);
            return sweeps.sweep(label, &kernel, &buffers, load);
        }
        let kernel = self.basis.matrix_kind().finished_gradient(summation, tile, &self.terms);
        self.finished_gradient(sweeps, label, &kernel, &buffers, summation, load)
    }

    /// With a kernel that scales what it sums up.
    fn finished_gradient(
        &self,
        sweeps: &Sweeps,
        label: &'static str,
        kernel: &Kernel,
        buffers: &[&wgpu::Buffer],
        summation: Summation,
        load: Load,
    ) -> Result<Sweep> {
        let finish = self.finish_of(false, summation == Summation::Columns);
        let finish = uniform(&self.basis.context, "finish", bytemuck::bytes_of(&finish))?;
        let others = [&self.part.buffers.totals, &self.basis.matrix.state, &finish];
        sweeps.sweep_with(label, kernel, buffers, &others, load)
    }

    /// Gradients with respect to beta, to the references, and at last to the first set.
    fn finish(&self) -> Result<Vec<Step>> {
        let Matrix { queries, references, .. } = &self.basis.matrix;
        let Buffers { gradient, gradient_references, transposed, .. } = &self.part.buffers;
        let mut steps = self.finish_beta()?;
        if let (Some(set), Some(gradient)) = (references, gradient_references) {
            steps.extend(self.finish_gradient(set, gradient, None, true)?);
        }
        steps.extend(self.finish_gradient(queries, gradient, transposed.as_ref(), false)?);
        Ok(steps)
    }

    fn finish_beta(&self) -> Result<Vec<Step>> {
        let Buffers { rows, totals, gradient_beta, .. } = &self.part.buffers;
        let beta = self.part.loss.description().beta();
        let (Some(beta), Some(gradient)) = (beta, gradient_beta) else { return Ok(Vec::new()) };
        let betas = self.basis.shape.betas().max(1) as u32;
        let Matrix { queries, state, .. } = &self.basis.matrix;
        let bound = [rows, &queries.labels, totals, gradient, state].map(Bound::all);
        let groups = Groups::of_rows(betas, self.basis.shape.queries() as u64, 1);
        kernels::finish_beta(beta).steps(
            &self.basis.context,
            "gradient of beta",
            Start::default(),
            &bound,
            groups,
        )
    }

    fn finish_gradient(
        &self,
        set: &Set,
        gradient: &wgpu::Buffer,
        add: Option<&wgpu::Buffer>,
        of_references: bool,
    ) -> Result<Vec<Step>> {
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
            factor: self.terms.gradient_factor * if halved { 2.0 } else { 1.0 },
        }
    }
}
