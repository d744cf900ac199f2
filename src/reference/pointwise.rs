//! The way of the losses without pairs: row by row.

use super::bounded::Bounded;
use super::expectation::{Expectation, Sums};
use super::sweep::{floored, split};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::definition::loss::scale_of;
use crate::definition::number::{Count, Number};
use crate::definition::pointwise::{Pointwise, Row};

/// Evaluates a loss by its definition, with `values` in the place of the batch's own.
pub(super) fn evaluate<L: Pointwise>(loss: &L, batch: &Batch, values: &[f64]) -> Expectation {
    let rows = loss.rows(batch, values);
    let terms = rows.iter().map(|row| row.terms).sum();
    let nonzero: Count = rows.iter().map(|row| row.nonzero).sum();
    let scale = scale_of(loss.settings().2, terms, nonzero);
    let reduced = floored(rows.iter().map(|row| row.loss).sum::<Bounded>() * scale);
    let slopes = rows.iter().flat_map(|row| &row.slopes).map(|&slope| floored(slope * scale));
    let (gradient, gradient_bounds) = slopes.map(|slope| (slope.value, slope.error)).unzip();
    let per_anchor = loss.per_anchor().then(|| rows.iter().map(|row| floored(row.loss)).collect());
    let (per_anchor, per_anchor_bounds) = split(per_anchor);

    Expectation {
        evaluation: Evaluation {
            loss: reduced.value,
            terms,
            nonzero_terms: nonzero.value,
            gradient,
            per_anchor,
            ..Default::default()
        },
        bounds: Evaluation {
            loss: reduced.error,
            nonzero_terms: nonzero.slack,
            gradient: gradient_bounds,
            per_anchor: per_anchor_bounds,
            ..Default::default()
        },
        dimensions: batch.shape().dimensions(),
        sums: Sums { of_row: of_row(loss, &rows), of_gradient: 1.0 },
    }
}

/// What a row that is a term adds up to; sums of terms are scaled.
fn of_row<L: Pointwise>(loss: &L, rows: &[Row<Bounded>]) -> f64 {
    let losses = rows.iter().filter(|_| loss.per_anchor()).map(|row| row.loss.magnitude());
    losses.fold(0.0, f64::max)
}
