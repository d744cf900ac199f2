//! The dispatches of losses over one matrix, in their order: prepare is made with the inputs (inputs.rs), everything after it
//! here.
//!
//! For each pass and each stripe of rows: distance, and for each loss terms and gradient; between the passes and after them:
//! finish.

use super::basis::Basis;
use super::buffers::{Buffers, Matrix, Set, uniform};
use super::dispatch::{Bound, Step, folded};
use super::kernels::{self, MAIN, STATISTICS, Summation};
use super::layout::Finish;
use super::limits::{SUMMANDS_PER_DISPATCH, portions_of, positives_per_dispatch};
use super::list::List;
use super::part::Part;
use super::stripes::pairs;
use super::sweeps::{Grid, Sweep, Sweeps, TILE};
use crate::Result;
use crate::loss::{Statistics, Terms};
use crate::shape::Mode;

/// Every pass over every stripe, then the finish.
pub(crate) fn steps(basis: &Basis, parts: &[Part]) -> Result<Vec<Step>> {
    let works = parts.iter().map(|part| Work::new(basis, part)).collect::<Result<Vec<_>>>()?;
    let portions = works.iter().map(Work::portions).max().unwrap_or(1);
    let mut sweeps = Sweeps::new(basis, portions.max(gradient_portions(basis)))?;
    sweeps.incidence();
    let distance = [sweeps.distance()];
    let before: Vec<_> = works.iter().flat_map(|work| work.before(&sweeps)).collect();
    let mut is_known = false;
    if !before.is_empty() {
        sweeps.pass(distance.iter().chain(&before));
        works.iter().filter(|work| work.terms.statistics == Statistics::Totals).for_each(|work| {
            sweeps.steps.push(totals(basis, work.part, false));
        });
        // What one stripe holds is still there in the next pass.
        is_known = basis.stripes.is_single();
    }
    let after: Vec<_> = works.iter().flat_map(|work| work.after(&sweeps)).collect();
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
    let Buffers { weight, rows, totals, .. } = &part.buffers;
    let cost = rows.size() / 4;
    kernel.step(&basis.context, "totals", &[weight, rows, totals, &basis.matrix.state].map(Bound::all), [1, 1, 1], cost)
}

/// Scales a gradient.
pub(crate) fn finish_gradient(
    basis: &Basis,
    totals: &wgpu::Buffer,
    set: &Set,
    gradient: &wgpu::Buffer,
    add: Option<&wgpu::Buffer>,
    finish: &Finish,
) -> Result<Step> {
    let uniform = uniform(&basis.context, "finish", bytemuck::bytes_of(finish))?;
    let Matrix { state, unused, .. } = &basis.matrix;
    let bound = [&uniform, gradient, add.unwrap_or(unused), &set.points, &set.norms, totals, state].map(Bound::all);
    let cost = u64::from(finish.count) * u64::from(finish.dimensions) * 8;
    Ok(kernels::finish_gradient().step(&basis.context, "finish gradient", &bound, folded(finish.count), cost))
}

/// What one loss does on each stripe, and after them.
struct Work<'a> {
    basis: &'a Basis,
    part: &'a Part,
    terms: Terms,
    /// Positives of a row that a dispatch takes, where it cannot take any number.
    portion: Option<u64>,
}

/// In how many dispatches a gradient is summed up: by rows over the columns, of a list over the places where one row may stand.
fn gradient_portions(basis: &Basis) -> u32 {
    let summands = match &basis.matrix.list {
        Some(_) => 2 * pairs(&basis.shape),
        None => basis.shape.references() as u64,
    };
    portions_of(summands, Some(SUMMANDS_PER_DISPATCH))
}

impl<'a> Work<'a> {
    fn new(basis: &'a Basis, part: &'a Part) -> Result<Self> {
        let terms = part.loss.description().terms();
        let portion = positives_per_dispatch(terms.shader, &terms.walk, &basis.shape)?;
        Ok(Self { basis, part, terms, portion })
    }

    /// In how many dispatches the positives of a row are worked on.
    fn portions(&self) -> u32 {
        portions_of(self.basis.shape.references() as u64, self.portion)
    }

    /// In a pass of its own, where the loss needs to know something of all rows first.
    fn before(&self, sweeps: &Sweeps) -> Option<Sweep> {
        let needs_all_rows = matches!(self.terms.statistics, Statistics::Rows | Statistics::Totals);
        needs_all_rows.then(|| self.terms(sweeps, STATISTICS, 1))
    }

    /// In the pass that makes the gradient.
    fn after(&self, sweeps: &Sweeps) -> Vec<Sweep> {
        let statistics = (self.terms.statistics == Statistics::Ends).then(|| self.terms(sweeps, STATISTICS, 1));
        let terms = self.terms(sweeps, MAIN, self.portions());
        statistics.into_iter().chain([terms]).chain(self.gradients(sweeps)).collect()
    }

    fn terms(&self, sweeps: &Sweeps, entry: &'static str, portions: u32) -> Sweep {
        let kernel = self.basis.matrix_kind().terms(&self.terms, entry, self.portion);
        let (matrix, all) = (&self.basis.matrix, &self.part.buffers);
        let buffers = [
            &all.parameters,
            matrix.list.as_ref().map_or(&matrix.queries.labels, |list| &list.kinds),
            &matrix.other().labels,
            &matrix.distances,
            &all.coefficients,
            &all.rows,
            &all.row_statistics,
            &all.totals,
            &all.beta,
        ];
        let sweep = sweeps.sweep(
            "terms",
            &kernel,
            &buffers,
            Grid::Rows,
            u64::from(self.basis.stripes.stride) * self.terms.operations_per_pair,
        );
        sweep.in_portions(portions)
    }

    /// By rows, and where the columns have a share of their own by columns.
    fn gradients(&self, sweeps: &Sweeps) -> Vec<Sweep> {
        let Matrix { queries, unused, list, .. } = &self.basis.matrix;
        let Buffers { coefficients, transposed, gradient, gradient_references, .. } = &self.part.buffers;
        if let Some(list) = list {
            return self.listed_gradients(sweeps, list);
        }
        if self.basis.shape.mode() == Mode::Scores {
            let kernel = self.basis.matrix_kind().gradient();
            let buffers = [unused, unused, coefficients, gradient, unused];
            return vec![sweeps.sweep(
                "gradient",
                &kernel,
                &buffers,
                Grid::Values(sweeps.columns()),
                sweeps.pair_cost(),
            )];
        }
        let other = self.basis.matrix.other();
        let across = (self.basis.shape.dimensions() as u32).div_ceil(TILE);
        let by_rows = [&queries.points, &other.points, coefficients, gradient, unused];
        let summation = self.basis.summation(&self.terms);
        let rows = self.gradient(sweeps, "gradient", summation, by_rows, Grid::Tiles(across));
        let mut all = vec![rows.in_portions(gradient_portions(self.basis))];
        if summation == Summation::Triangle {
            let by_columns = [&queries.points, &queries.points, coefficients, gradient, unused];
            let label = "gradient of earlier rows";
            all.push(self.gradient(sweeps, label, Summation::EarlierRows, by_columns, Grid::Earlier(across)));
        }
        // The references have a gradient of their own; in batch mode both halves are the embeddings'.
        if let Some(gradient) = gradient_references.as_ref().or(transposed.as_ref()) {
            let by_columns = [&other.points, &queries.points, coefficients, gradient, unused];
            let grid = Grid::Fixed([across, sweeps.columns().div_ceil(TILE), 1]);
            all.push(self.gradient(sweeps, "gradient by columns", Summation::Columns, by_columns, grid));
        }
        all
    }

    /// Rows of one set gather the pairs that they are part of; each row of two aligned sets is part of one.
    fn listed_gradients(&self, sweeps: &Sweeps, list: &List) -> Vec<Sweep> {
        let Matrix { queries, unused, .. } = &self.basis.matrix;
        let Buffers { coefficients, gradient, gradient_references, .. } = &self.part.buffers;
        let kernel = self.basis.matrix_kind().gradient();
        if let Some(indices) = &list.indices {
            let [rows, folds, _] = folded(self.basis.shape.queries() as u32);
            let grid = Grid::Fixed([(self.basis.shape.dimensions() as u32).div_ceil(TILE), rows, folds]);
            let buffers = [&queries.points, &indices.rows, coefficients, gradient, indices.order()];
            let sweep = sweeps.sweep("gradient", &kernel, &buffers, grid, 2 * sweeps.pair_cost());
            return vec![sweep.in_portions(gradient_portions(self.basis))];
        }
        let vectors = self.basis.shape.dimensions().div_ceil(4) as u64;
        let grid = Grid::Fixed(folded((pairs(&self.basis.shape) * vectors).div_ceil(256) as u32));
        let other = self.basis.matrix.other();
        let of = |own: &Set, other: &Set, gradient| {
            let buffers = [&own.points, &other.points, coefficients, gradient, unused];
            sweeps.sweep("gradient", &kernel, &buffers, grid, sweeps.pair_cost())
        };
        let of_references = gradient_references.as_ref().map(|gradient| of(other, queries, gradient));
        [of(queries, other, gradient)].into_iter().chain(of_references).collect()
    }

    fn gradient(
        &self,
        sweeps: &Sweeps,
        label: &'static str,
        summation: Summation,
        buffers: [&wgpu::Buffer; 5],
        grid: Grid,
    ) -> Sweep {
        let kernel = self.basis.matrix_kind().tiled_gradient(summation);
        sweeps.sweep(label, &kernel, &buffers, grid, sweeps.pair_cost())
    }

    /// Gradients with respect to beta, to the references, and at last to the first set.
    fn finish(&self) -> Result<Vec<Step>> {
        let Matrix { queries, references, .. } = &self.basis.matrix;
        let Buffers { gradient, gradient_references, transposed, .. } = &self.part.buffers;
        let mut steps = Vec::from_iter(self.finish_beta());
        if let (Some(set), Some(gradient)) = (references, gradient_references) {
            steps.push(self.finish_gradient(set, gradient, self.basis.shape.references(), None, false)?);
        }
        let rows = self.basis.shape.queries();
        steps.push(self.finish_gradient(queries, gradient, rows, transposed.as_ref(), true)?);
        Ok(steps)
    }

    fn finish_beta(&self) -> Option<Step> {
        let Buffers { rows, totals, gradient_beta, .. } = &self.part.buffers;
        let beta = self.part.loss.description().beta()?;
        let kernel = kernels::finish_beta(beta);
        let betas = self.basis.shape.betas().max(1) as u32;
        let bound = [rows, &self.basis.matrix.queries.labels, totals, gradient_beta.as_ref()?].map(Bound::all);
        let cost = u64::from(betas) * self.basis.shape.queries() as u64;
        Some(kernel.step(&self.basis.context, "gradient of beta", &bound, folded(betas), cost))
    }

    fn finish_gradient(
        &self,
        set: &Set,
        gradient: &wgpu::Buffer,
        rows: usize,
        add: Option<&wgpu::Buffer>,
        last: bool,
    ) -> Result<Step> {
        let halved = self.basis.shape.mode() == Mode::Batch && self.terms.symmetric;
        let finish = Finish {
            count: rows as u32,
            dimensions: self.basis.shape.dimensions() as u32,
            vectors: self.basis.shape.dimensions().div_ceil(4) as u32,
            unit: self.basis.on_unit_rows.into(),
            add: add.is_some().into(),
            last: last.into(),
            factor: self.terms.gradient_factor * if halved { 2.0 } else { 1.0 },
            padding: 0,
        };
        finish_gradient(self.basis, &self.part.buffers.totals, set, gradient, add, &finish)
    }
}
