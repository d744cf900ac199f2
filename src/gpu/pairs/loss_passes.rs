//! What one loss does on each stripe: its kernels over the rows of the matrix.

use crate::error::Result;
use crate::gpu::cut::loops::{portions_of, positives_per_dispatch};
use crate::gpu::kernel::Kernel;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::list::Order;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::gpu::pairs::sweeps::{Grid, Load, Sweep, Sweeps};
use crate::wgsl::terms::TermsKernel;

/// What one loss does on each stripe, and after them.
pub(crate) struct LossPasses<'a> {
    pub basis: &'a Basis,
    pub part: &'a PlannedLoss,
    pub terms: TermsKernel,
    /// Positives of a row that a dispatch takes, where it cannot take any number.
    pub portion: Option<u64>,
    /// Whether its gradients are finished where they are summed up.
    pub at_once: bool,
    /// Whether no other loss reads the distances of a stripe after its terms: slices of its
    /// gradients may take their place.
    pub is_alone: bool,
}

impl<'a> LossPasses<'a> {
    pub(crate) fn new(basis: &'a Basis, part: &'a PlannedLoss) -> Result<Self> {
        let terms = part.loss.terms_kernel(&basis.shape);
        let portion =
            positives_per_dispatch(terms.shader, &terms.walk, &basis.shape, basis.row_width)?;
        Ok(Self { basis, part, terms, portion, at_once: false, is_alone: false })
    }

    /// The dispatches of the terms: as many as it takes for all positives of a row, where there is
    /// a portion of them.
    pub(crate) fn terms(
        &self,
        sweeps: &Sweeps,
        entry: &'static str,
        portion: Option<u64>,
    ) -> Result<Sweep> {
        self.terms_on(sweeps, Grid::Rows, entry, portion)
    }

    /// The same with workgroups in another grid than one for each row.
    pub(crate) fn terms_on(
        &self,
        sweeps: &Sweeps,
        grid: Grid,
        entry: &'static str,
        portion: Option<u64>,
    ) -> Result<Sweep> {
        let Basis { row_width, .. } = *self.basis;
        let kernel = self.basis.matrix_kind().terms(&self.terms, entry, self.portion, row_width);
        let columns = u64::from(self.basis.stripes.stride);
        let of_chunks = portion.map_or(0, |portion| self.terms.walk.operations(columns, portion));
        let cost = columns * self.terms.operations_per_pair + of_chunks;
        let portions = portions_of(self.basis.shape.references() as u64, portion);
        let load = Load { portions, ..Load::new(grid, cost * u64::from(portions), cost) };
        self.on_rows(sweeps, &kernel, load)
    }

    /// What leaves out the anchors whose term is not within thresholds, where there are any.
    pub(crate) fn within(&self, sweeps: &Sweeps) -> Result<Option<Sweep>> {
        let Some(thresholds) = &self.part.buffers.thresholds else { return Ok(None) };
        let by_statistics = self.terms.statistics.has_both_ends();
        let kernel = self.basis.matrix_kind().within(by_statistics, self.basis.row_width);
        let columns = u64::from(self.basis.stripes.stride);
        let load = Load::new(Grid::Rows, columns, columns);
        self.with_parameters(sweeps, &kernel, thresholds, load).map(Some)
    }

    /// What gives the terms their weights, where there are any and they have not got them.
    pub(crate) fn weigh(&self, sweeps: &Sweeps) -> Result<Option<Sweep>> {
        if !self.terms.weighed || self.terms.statistics.has_both_ends() {
            return Ok(None);
        }
        let kernel = self.basis.matrix_kind().weigh(&self.terms, self.basis.row_width);
        // A multiplication, and with symmetric ones the mean of two weights.
        let cost = if self.terms.chooses { 4 } else { 4 * u64::from(self.basis.stripes.stride) };
        let load = Load::new(Grid::Rows, cost, cost);
        self.on_rows(sweeps, &kernel, load).map(Some)
    }

    /// A kernel with the bindings of terms.
    fn on_rows(&self, sweeps: &Sweeps, kernel: &Kernel, load: Load) -> Result<Sweep> {
        self.with_parameters(sweeps, kernel, &self.part.buffers.parameters, load)
    }

    /// The same with parameters of its own.
    fn with_parameters(
        &self,
        sweeps: &Sweeps,
        kernel: &Kernel,
        parameters: &wgpu::Buffer,
        load: Load,
    ) -> Result<Sweep> {
        let (matrix, all) = (&self.basis.matrix, &self.part.buffers);
        let list = matrix.list.as_ref();
        let order = list.and_then(|list| list.by_target.as_ref()).map(Order::last);
        let buffers = [
            parameters,
            list.map_or(&matrix.queries.labels, |list| &list.kinds),
            order.unwrap_or(&matrix.other().labels),
            &matrix.distances,
            all.coefficients.buffer(),
            &all.rows,
            &all.row_statistics,
            &all.totals,
            &all.learned,
        ];
        sweeps.sweep("terms", kernel, &buffers, load)
    }
}
