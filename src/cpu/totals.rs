//! What is left of an anchor when its row is done, and the result of all.

use super::points::Points;
use crate::data::batch::Batch;
use crate::data::checks::{narrow, narrow_all};
use crate::data::evaluation::Evaluation;
use crate::data::mode::Mode;
use crate::definition::anchor::{Anchor, Order};
use crate::definition::loss::{AnchorTerms, Surveyed};
use crate::definition::number::Count;
use crate::error::Result;
use crate::loss::LearnedGradients;
use crate::parallel::prelude::*;

/// What is left of an anchor when its row is done.
pub(super) struct Summary {
    loss: f64,
    contribution: f64,
    terms: u64,
    /// All, of positive pairs, of negative pairs.
    nonzero: [u64; 3],
    learned: Vec<(usize, f64)>,
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
            learned: terms.learned.clone(),
            pairs: kinds.map(|kind| kind.len() as u64),
            distances: kinds.map(|kind| anchor.sum(kind, |distance| distance)),
        }
    }
}

/// Sums of coefficient times direction for the rows of a set, over a factor.
pub(super) struct Gathered<'a> {
    pub points: &'a Points,
    pub sums: Vec<f64>,
    /// Numbers from one row of sums to the next.
    pub stride: usize,
    pub factor: f64,
    /// How the rows stand, where not as they are given.
    pub order: Option<&'a Order>,
}

impl Gathered<'_> {
    /// The gradient with respect to the raw rows of the scaled loss, as they are given.
    fn scaled(&self, scale: f64) -> Result<Vec<f32>> {
        let dimensions = self.points.dimensions();
        let mut gradient = vec![0.0; self.points.len() * dimensions];
        let rows = gradient.par_chunks_mut(dimensions).enumerate();
        rows.try_for_each_init(Vec::new, |sums: &mut Vec<f64>, (name, gradient)| {
            let row = self.order.map_or(name, |order| order.places[name] as usize);
            let of_row = &self.sums[row * self.stride..][..dimensions];
            sums.clear();
            sums.extend(of_row.iter().map(|sum| sum * self.factor));
            self.points.to_raw(row, sums);
            narrow_all("the gradient", sums, scale, gradient)
        })?;
        Ok(gradient)
    }
}

/// Makes the result of the sums.
pub(super) fn conclude(
    loss: &Surveyed<f64>,
    batch: &Batch,
    summaries: Vec<Summary>,
    gradient: Gathered,
    gradient_references: Option<Gathered>,
) -> Result<Evaluation> {
    let summaries = match gradient.order {
        Some(order) => as_given(summaries, order),
        None => summaries,
    };
    let sum = |of: &dyn Fn(&Summary) -> f64| summaries.iter().map(of).sum::<f64>();
    let count = |of: &dyn Fn(&Summary) -> u64| summaries.iter().map(of).sum::<u64>();
    let shape = batch.shape();
    let terms = count(&|summary| summary.terms);
    let nonzero = [0, 1, 2].map(|kind| count(&|summary| summary.nonzero[kind]));
    let scale = (loss.scale_of)(terms, Count::exact(nonzero[0]));
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
    let has_per_anchor = loss.description.per_anchor() && shape.listed() == 0;
    let per_anchor = || {
        let losses = summaries.iter().map(|summary| narrow("the loss", summary.loss));
        losses.collect::<Result<_>>()
    };
    let numbers =
        loss.description.learned().into_iter().map(|learned| learned.numbers(shape)).sum();
    let learned = learned_gradient(numbers, &summaries, scale)?;
    let learned = LearnedGradients::of(loss.description, shape, learned);
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
        gradient_beta: learned.beta,
        gradient_scale: learned.scale,
        gradient_bias: learned.bias,
        per_anchor: has_per_anchor.then(per_anchor).transpose()?,
    })
}

/// What stands in an order, as it is given.
fn as_given(summaries: Vec<Summary>, order: &Order) -> Vec<Summary> {
    let mut summaries: Vec<_> = order.names.iter().zip(summaries).collect();
    summaries.sort_unstable_by_key(|(name, _)| **name);
    summaries.into_iter().map(|(_, summary)| summary).collect()
}

/// The gradient by every number that the loss learns.
fn learned_gradient(numbers: usize, summaries: &[Summary], scale: f64) -> Result<Vec<f32>> {
    let mut sums = vec![0.0; numbers];
    for &(which, slope) in summaries.iter().flat_map(|summary| &summary.learned) {
        sums[which] += slope;
    }
    sums.into_iter().map(|sum| narrow("the gradient", sum * scale)).collect()
}
