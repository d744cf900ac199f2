//! The dispatches of a loss's plan, in their order: prepare is made with the inputs (inputs.rs), everything after it here.
//!
//! For each pass and each stripe of rows: distance, terms, gradient; between the passes and after them: finish.

use super::basis::Basis;
use super::buffers::{Buffers, Matrix, Set};
use super::dispatch::{Step, folded};
use super::kernel::{Kernel, Room};
use super::layout::Finish;
use super::list::List;
use super::stripes::pairs;
use super::sweeps::{Grid, Sweep, Sweeps, TILE};
use crate::Result;
use crate::loss::{Loss, Statistics, Terms};
use crate::shader::shader;
use crate::shape::{Mode, Shape};

/// Makes the steps after prepare.
pub(crate) struct Builder<'a> {
    sweeps: Sweeps<'a>,
    basis: &'a Basis,
    shape: &'a Shape,
    loss: &'a Loss,
    terms: Terms,
    buffers: &'a Buffers,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(basis: &'a Basis, loss: &'a Loss, buffers: &'a Buffers) -> Result<Self> {
        let terms = loss.description().terms();
        let sweeps = Sweeps::new(basis, terms.positives_per_dispatch)?;
        Ok(Self { sweeps, basis, shape: &basis.shape, loss, terms, buffers })
    }

    /// Every pass over every stripe, then the finish.
    pub(crate) fn build(mut self) -> Result<Vec<Step>> {
        self.sweeps.incidence();
        let distance = self.sweeps.distance();
        let mut sweeps = vec![&distance];
        let statistics = match self.terms.statistics {
            Statistics::None => None,
            _ => Some(self.terms("statistics", 1)),
        };
        sweeps.extend(&statistics);
        if matches!(self.terms.statistics, Statistics::Rows | Statistics::Totals) {
            self.sweeps.pass(&sweeps);
            // What one stripe holds is still there in the next pass.
            sweeps.truncate(if self.basis.stripes.is_single() { 0 } else { 1 });
        }
        if self.terms.statistics == Statistics::Totals {
            self.totals(false);
        }
        let terms = self.terms("main", self.sweeps.portions());
        let gradients = self.gradients();
        sweeps.push(&terms);
        sweeps.extend(&gradients);
        self.sweeps.pass(&sweeps);
        self.totals(true);
        self.finish()?;
        Ok(self.sweeps.steps)
    }

    fn terms(&self, entry: &'static str, portions: u32) -> Sweep {
        let mut constants = self.terms.constants.clone();
        constants.push(("DISTANCE", self.sweeps.matrix_kind()));
        let kernel = Kernel { entry, ..Kernel::new(Room::Terms, self.terms.shader, constants) };
        let (matrix, all) = (&self.basis.matrix, self.buffers);
        let buffers = [
            &self.buffers.parameters,
            matrix.list.as_ref().map_or(&matrix.queries.labels, |list| &list.kinds),
            &matrix.other().labels,
            &matrix.distances,
            &all.coefficients,
            &all.rows,
            &all.row_statistics,
            &all.totals,
            &all.beta,
        ];
        let sweep = self.sweeps.sweep(
            "terms",
            &kernel,
            &buffers,
            Grid::Rows,
            u64::from(self.basis.stripes.stride) * self.terms.operations_per_pair,
        );
        sweep.in_portions(portions)
    }

    /// By rows, and where the columns have a share of their own by columns.
    fn gradients(&self) -> Vec<Sweep> {
        let Matrix { queries, unused, list, .. } = &self.basis.matrix;
        let Buffers { coefficients, transposed, gradient, gradient_references, .. } = self.buffers;
        if let Some(list) = list {
            return self.listed_gradients(list);
        }
        if self.shape.mode() == Mode::Scores {
            let kernel = Kernel::new(Room::Gradient, shader!("gradient/scores.wgsl"), Vec::new());
            let buffers = [unused, unused, coefficients, gradient, unused];
            return vec![self.sweeps.sweep(
                "gradient",
                &kernel,
                &buffers,
                Grid::Values(self.sweeps.columns()),
                self.sweeps.pair_cost(),
            )];
        }
        let other = self.basis.matrix.other();
        let across = (self.shape.dimensions() as u32).div_ceil(TILE);
        let by_rows = [&queries.points, &other.points, coefficients, gradient, unused];
        let mut sweeps = vec![self.gradient("gradient", 0.0, by_rows, Grid::Tiles(across))];
        if self.joins_ends() {
            let by_columns = [&queries.points, &queries.points, coefficients, gradient, unused];
            sweeps.push(self.gradient("gradient of earlier rows", 1.0, by_columns, Grid::Earlier(across)));
        }
        // The references have a gradient of their own; in batch mode both halves are the embeddings'.
        if let Some(gradient) = gradient_references.as_ref().or(transposed.as_ref()) {
            let by_columns = [&other.points, &queries.points, coefficients, gradient, unused];
            let grid = Grid::Fixed([across, self.sweeps.columns().div_ceil(TILE), 1]);
            sweeps.push(self.gradient("gradient by columns", 1.0, by_columns, grid));
        }
        sweeps
    }

    /// Rows of one set gather the pairs that they are part of; each row of two aligned sets is part of one.
    fn listed_gradients(&self, list: &List) -> Vec<Sweep> {
        let Matrix { queries, unused, .. } = &self.basis.matrix;
        let Buffers { coefficients, gradient, gradient_references, .. } = self.buffers;
        let kernel = |shader| Kernel::new(Room::Gradient, shader, self.sweeps.matrix_constants());
        if let Some(indices) = &list.indices {
            let kernel = kernel(shader!("gradient/listed.wgsl"));
            let [rows, folds, _] = folded(self.shape.queries() as u32);
            let grid = Grid::Fixed([(self.shape.dimensions() as u32).div_ceil(TILE), rows, folds]);
            let buffers = [&queries.points, &indices.rows, coefficients, gradient, indices.order()];
            return vec![self.sweeps.sweep("gradient", &kernel, &buffers, grid, 2 * self.sweeps.pair_cost())];
        }
        let kernel = kernel(shader!("gradient/aligned.wgsl"));
        let vectors = self.shape.dimensions().div_ceil(4) as u64;
        let grid = Grid::Fixed(folded((pairs(self.shape) * vectors).div_ceil(256) as u32));
        let other = self.basis.matrix.other();
        let of = |own: &Set, other: &Set, gradient| {
            let buffers = [&own.points, &other.points, coefficients, gradient, unused];
            self.sweeps.sweep("gradient", &kernel, &buffers, grid, self.sweeps.pair_cost())
        };
        let of_references = gradient_references.as_ref().map(|gradient| of(other, queries, gradient));
        [of(queries, other, gradient)].into_iter().chain(of_references).collect()
    }

    fn gradient(&self, label: &'static str, transposed: f64, buffers: [&wgpu::Buffer; 5], grid: Grid) -> Sweep {
        let mut constants = self.sweeps.matrix_constants();
        constants.push(("TRANSPOSED", transposed));
        constants.push(("TRIANGLE", self.joins_ends().into()));
        let kernel = Kernel::new(Room::Gradient, shader!("gradient/pairwise.wgsl"), constants);
        self.sweeps.sweep(label, &kernel, &buffers, grid, self.sweeps.pair_cost())
    }

    /// Whether every pair is taken once, for both its ends.
    fn joins_ends(&self) -> bool {
        self.shape.mode() == Mode::Batch && self.terms.statistics == Statistics::Ends
    }

    fn totals(&mut self, last: bool) {
        let constants = vec![
            ("REDUCTION", f64::from(self.loss.reduction() as u32)),
            ("SPLIT_MEAN", (self.terms.statistics == Statistics::Totals).into()),
            ("LAST", last.into()),
        ];
        let kernel = Kernel::new(Room::FinishTotals, shader!("finish/totals.wgsl"), constants);
        let Buffers { rows, totals, .. } = self.buffers;
        let state = &self.basis.matrix.state;
        self.sweeps.push("totals", &kernel, &[rows, totals, state], 1, self.shape.queries() as u64 * 16);
    }

    fn finish(&mut self) -> Result<()> {
        let Matrix { queries, references, .. } = &self.basis.matrix;
        let Buffers { gradient, gradient_references, transposed, rows, totals, gradient_beta, .. } = self.buffers;
        if let (Some(gradient_beta), Some(beta)) = (gradient_beta, self.loss.description().beta()) {
            let constants = vec![("BETA_PER_CLASS", beta.per_class.into())];
            let kernel = Kernel::new(Room::FinishBeta, shader!("finish/beta.wgsl"), constants);
            let betas = self.shape.betas().max(1) as u32;
            let cost = u64::from(betas) * self.shape.queries() as u64;
            self.sweeps.push("gradient of beta", &kernel, &[rows, &queries.labels, totals, gradient_beta], betas, cost);
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
            unit: self.basis.on_unit_rows.into(),
            add: add.is_some().into(),
            last: last.into(),
            factor: if halved { 2.0 } else { 1.0 },
            padding: 0,
        };
        let uniform = self.sweeps.uniform("finish", bytemuck::bytes_of(&uniform))?;
        let Matrix { state, unused, .. } = &self.basis.matrix;
        let totals = &self.buffers.totals;
        let buffers = [&uniform, gradient, add.unwrap_or(unused), &set.points, &set.norms, totals, state];
        let kernel = Kernel::new(Room::FinishGradient, shader!("finish/gradient.wgsl"), Vec::new());
        let cost = rows as u64 * self.shape.dimensions() as u64 * 8;
        self.sweeps.push("finish gradient", &kernel, &buffers, rows as u32, cost);
        Ok(())
    }
}
