//! Several results as a table.

use wgpu_metric_learning::{Evaluation, Loss, Mode};

use super::descriptions;
use super::evaluator::Outcome;
use super::report::{agreement, norm};
use super::table::{self, Column};

/// The table of several results: one row each, printed as they come.
pub(crate) struct Summary {
    columns: [Column; 8],
}

impl Summary {
    /// A table for these objectives.
    pub(crate) fn new(objectives: &[(Loss, Mode)]) -> Self {
        let widest = objectives
            .iter()
            .map(|(loss, _)| descriptions::describe(loss).len())
            .max()
            .unwrap_or_default();
        let columns = [
            Column::Left("objective", widest),
            Column::Left("mode", 12),
            Column::Right("terms", 11),
            Column::Right("loss", 12),
            Column::Right("gradient norm", 13),
            Column::Right("compiled", 11),
            Column::Right("run", 11),
            Column::Left("agreement with the reference", 0),
        ];
        Self { columns }
    }

    pub(crate) fn titles(&self) -> String {
        table::titles(&self.columns)
    }

    pub(crate) fn row(
        &self,
        loss: &Loss,
        mode: Mode,
        outcome: &Outcome<Evaluation<f64>>,
    ) -> String {
        let evaluation = &outcome.result;
        let texts = [
            descriptions::describe(loss),
            mode.name().into(),
            evaluation.terms.to_string(),
            table::number(evaluation.loss),
            table::number(norm(&evaluation.gradient)),
            outcome.compiled.map(table::milliseconds).unwrap_or_default(),
            table::milliseconds(outcome.elapsed),
            agreement(&outcome.agreement),
        ];
        table::row(&self.columns, texts)
    }
}
