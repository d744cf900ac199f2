//! The losses without pairs: what a row of values adds up to, and the way over the rows.

mod binary_cross_entropy;
mod cross_entropy;
mod elastic_net;
mod hinge;
mod huber;
mod l1;
mod l2;
mod mean_squared_error;
mod softmax;
mod uniform_entropy;

use rayon::prelude::*;

use super::bounded::{Bounded, Count, Term};
use super::definition::scale_of;
use super::expectation::{Expectation, Sums};
use super::sweep::{floored, split};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::loss::Description;

/// A loss by its definition, row by row.
pub(super) trait Pointwise: Description + Sync {
    /// What a row of values adds to the result, beside its targets or its class, as the loss has
    /// them.
    fn row_of(&self, values: &[Bounded], targets: &[f32], class: usize) -> Row;
}

/// A loss whose terms are single values.
pub(super) trait Elementwise: Description + Sync {
    /// The term of a value and its target; 0 where the loss has no targets.
    fn term_of(&self, value: Bounded, target: Bounded) -> Term;
}

impl<L: Elementwise> Pointwise for L {
    fn row_of(&self, values: &[Bounded], targets: &[f32], _: usize) -> Row {
        let targets =
            targets.iter().copied().map(Bounded::input).chain(std::iter::repeat(Bounded::ZERO));
        let terms: Vec<_> = values
            .iter()
            .zip(targets)
            .map(|(&value, target)| self.term_of(value, target))
            .collect();
        Row {
            loss: terms.iter().map(|term| term.value.or_flushed()).sum(),
            terms: terms.len() as u64,
            nonzero: terms.iter().map(|term| term.nonzero).sum(),
            slopes: terms.iter().map(|term| term.slope).collect(),
        }
    }
}

/// What one row adds to the result.
pub(super) struct Row {
    /// The sum of the terms.
    loss: Bounded,
    terms: u64,
    nonzero: Count,
    /// The derivative of the sum by every value.
    slopes: Vec<Bounded>,
}

impl Row {
    /// A row that is one term, an entropy: greater than 0 wherever there are several classes.
    fn of_one_entropy(loss: Bounded, slopes: Vec<Bounded>) -> Self {
        let nonzero = Count::exact(u64::from(slopes.len() > 1));
        Self { loss: loss.or_flushed(), terms: 1, nonzero, slopes }
    }
}

/// Evaluates a loss by its definition, with `values` in the place of the batch's own.
pub(super) fn evaluate<L: Pointwise>(loss: &L, batch: &Batch, values: &[f64]) -> Expectation {
    let dimensions = batch.shape().dimensions();
    let row_of = |(row, values): (usize, &[f64])| {
        let values: Vec<_> = values.iter().copied().map(Bounded::input).collect();
        let targets = batch.targets().chunks(dimensions).nth(row).unwrap_or_default();
        let class = batch.labels().get(row).map_or(0, |&label| label as usize);
        loss.row_of(&values, targets, class)
    };
    let rows: Vec<_> = values.par_chunks(dimensions).enumerate().map(row_of).collect();

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
        dimensions,
        sums: Sums { of_row: of_row(loss, &rows), of_gradient: 1.0 },
    }
}

/// What a row that is a term adds up to; sums of terms are scaled.
fn of_row<L: Pointwise>(loss: &L, rows: &[Row]) -> f64 {
    let losses = rows.iter().filter(|_| loss.per_anchor()).map(|row| row.loss.magnitude());
    losses.fold(0.0, f64::max)
}
