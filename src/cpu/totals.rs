//! What is left of an anchor when its row is done, and the result of all.

use super::points::Points;
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::shape::Mode;
use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Definition};
use crate::definition::number::Count;
use crate::error::{Error, Result};

/// What is left of an anchor when its row is done.
pub(super) struct Summary {
    loss: f64,
    contribution: f64,
    terms: u64,
    /// All, of positive pairs, of negative pairs.
    nonzero: [u64; 3],
    beta: Option<(usize, f64)>,
    /// How many positive and negative pairs, and the sums of their distances.
    pairs: [u64; 2],
    distances: [f64; 2],
}

impl Summary {
    pub(super) fn new(anchor: &Anchor<f64>, terms: &AnchorTerms<f64>) -> Self {
        let kinds = [&anchor.positives, &anchor.negatives];
        let nonzero = [terms.nonzero, terms.nonzero_positive, terms.nonzero_negative];
        Self {
            loss: terms.loss,
            contribution: terms.contribution,
            terms: terms.terms,
            nonzero: nonzero.map(|count| count.value),
            beta: terms.beta,
            pairs: kinds.map(|kind| kind.len() as u64),
            distances: kinds.map(|kind| kind.iter().map(|&j| anchor.distances[j]).sum()),
        }
    }
}

/// Sums of coefficient times direction for the rows of a set.
pub(super) struct Gathered<'a> {
    pub points: &'a Points,
    pub sums: Vec<f64>,
}

impl Gathered<'_> {
    /// The gradient with respect to the raw rows of the scaled loss.
    fn scaled(mut self, scale: f64) -> Result<Vec<f32>> {
        let rows = self.sums.chunks_exact_mut(self.points.dimensions()).enumerate();
        rows.for_each(|(row, gradient)| self.points.to_raw(row, gradient));
        self.sums.iter().map(|sum| narrow("the gradient", sum * scale)).collect()
    }
}

/// From the sums to the result.
pub(super) fn conclude<L: Definition>(
    loss: &L,
    batch: &Batch,
    summaries: &[Summary],
    gradient: Gathered,
    gradient_references: Option<Gathered>,
) -> Result<Evaluation> {
    let sum = |of: &dyn Fn(&Summary) -> f64| summaries.iter().map(of).sum::<f64>();
    let count = |of: &dyn Fn(&Summary) -> u64| summaries.iter().map(of).sum::<u64>();
    let shape = batch.shape();
    let terms = count(&|summary| summary.terms);
    let nonzero = [0, 1, 2].map(|kind| count(&|summary| summary.nonzero[kind]));
    let scale: f64 = loss.scale(terms, Count::exact(nonzero[0]));
    // Scores are not pairs.
    let of_pairs = |kind: usize| match shape.mode() {
        Mode::Scores => (0, 0.0),
        _ => {
            let pairs = count(&|summary| summary.pairs[kind]);
            (
                pairs,
                sum(&|summary| summary.distances[kind]) * Count::exact(pairs).reciprocal::<f64>(),
            )
        }
    };
    let [positive, negative] = [0, 1].map(of_pairs);
    let has_per_anchor = loss.per_anchor() && shape.listed() == 0;
    let per_anchor = || {
        let losses = summaries.iter().map(|summary| narrow("the loss", summary.loss));
        losses.collect::<Result<_>>()
    };
    Ok(Evaluation {
        loss: narrow("the loss", sum(&|summary| summary.contribution) * scale)?,
        terms,
        nonzero_terms: nonzero[0],
        nonzero_positive_terms: nonzero[1],
        nonzero_negative_terms: nonzero[2],
        positive_pairs: positive.0,
        negative_pairs: negative.0,
        mean_positive_distance: narrow("the sum of the positive distances", positive.1)?,
        mean_negative_distance: narrow("the sum of the negative distances", negative.1)?,
        gradient: gradient.scaled(scale)?,
        gradient_references: gradient_references
            .map(|gradient| gradient.scaled(scale))
            .transpose()?,
        gradient_beta: loss
            .beta()
            .map(|_| beta_gradient(shape.betas(), summaries, scale))
            .transpose()?,
        per_anchor: has_per_anchor.then(per_anchor).transpose()?,
    })
}

/// The gradient by every beta; the default where none is given is one.
fn beta_gradient(betas: usize, summaries: &[Summary], scale: f64) -> Result<Vec<f32>> {
    let mut sums = vec![0.0; betas.max(1)];
    for (class, slope) in summaries.iter().filter_map(|summary| summary.beta) {
        sums[class] += slope;
    }
    sums.into_iter().map(|sum| narrow("the gradient", sum * scale)).collect()
}

/// The number in f32.
///
/// # Errors
///
/// [`Error::Overflow`] where it is beyond f32.
pub(super) fn narrow(what: &'static str, number: f64) -> Result<f32> {
    // Sums of nothing are -0.
    let narrow = (number + 0.0) as f32;
    if narrow.is_finite() { Ok(narrow) } else { Err(Error::Overflow { what }) }
}
