//! Every loss's way: block by block of anchors, distances become terms, terms become gradients.
//!
//! Nothing of the size of all pairs is ever held. Rows run in parallel, every sum has a fixed
//! order: the same bits every run.

use std::ops::Range;

use super::bounded::Bounded;
use super::distance::Pull;
use super::expectation::{Expectation, Sums};
use super::points::Points;
use super::problem::Problem;
use crate::data::evaluation::Evaluation;
use crate::data::mode::Mode;
use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Definition, Surveyed};
use crate::definition::number::{Count, Number, ROUNDING, SMALLEST};
use crate::loss::LearnedGradients;
use crate::parallel::prelude::*;

/// Anchors whose coefficients are held at a time.
const BLOCK: usize = 256;

/// Evaluates a loss by its definition.
pub(super) fn sweep<L: Definition>(loss: &L, problem: &Problem) -> Expectation {
    let known = loss.survey(problem);
    let surveyed = Surveyed {
        description: loss,
        terms_of: &|anchor, weights| loss.reduced(loss.terms_of(anchor, &known), anchor, weights),
        scale_of: &|terms, nonzero| loss.scale(terms, nonzero),
    };
    sweep_surveyed(&surveyed, problem)
}

fn sweep_surveyed(loss: &Surveyed<Bounded>, problem: &Problem) -> Expectation {
    let mut gradient = Gradient::of(&problem.queries);
    // Fixed references have one too: what pulls at them belongs to no query.
    let mut gradient_references = problem.references.as_ref().map(Gradient::of);
    let mut summaries = Vec::new();
    for start in (0..problem.anchors()).step_by(BLOCK) {
        let rows = start..(start + BLOCK).min(problem.anchors());
        let block = problem.map_some_anchors(rows.clone(), &|anchor| {
            let terms = (loss.terms_of)(&anchor, &problem.weights);
            let pulls = pulls(problem, &anchor, &terms);
            (Summary::new(&anchor, terms), pulls)
        });
        let (found, pulls): (Vec<_>, Vec<_>) = block.into_iter().unzip();
        summaries.extend(found);
        if let Some(list) = &problem.list {
            let pulls =
                list.pairs(rows).iter().map(|pair| pair.rows).zip(pulls.into_iter().flatten());
            add_pairs(problem, pulls, &mut gradient, gradient_references.as_mut());
            continue;
        }
        gradient.add_rows(problem, rows.clone(), &pulls);
        gradient_references.as_mut().unwrap_or(&mut gradient).add_columns(problem, rows, &pulls);
    }
    conclude(loss, problem, &summaries, gradient, gradient_references)
}

/// The coefficients of an anchor's pairs. Scores pull at themselves.
fn pulls(problem: &Problem, anchor: &Anchor<Bounded>, terms: &AnchorTerms<Bounded>) -> Vec<Pull> {
    if problem.shape.mode() == Mode::Scores {
        return terms.slopes.iter().map(|&slope| Pull::of_score(slope)).collect();
    }
    let rounding = (3.0 + (problem.pairs_of_a_row as f64).sqrt()) * ROUNDING;
    let pull = |([i, j], (&slope, &distance)): ([usize; 2], _)| {
        problem.distance.pull(
            slope,
            distance,
            problem.queries.row(i),
            problem.columns().row(j),
            rounding,
        )
    };
    let slopes = terms.slopes.iter().zip(anchor.distances.iter());
    match &problem.list {
        Some(list) => {
            let pairs = list.pairs(anchor.index..anchor.index + 1).iter().map(|pair| pair.rows);
            pairs.zip(slopes).map(pull).collect()
        }
        None => (0..).map(|j| [anchor.index, j]).zip(slopes).map(pull).collect(),
    }
}

/// What listed pairs pull at their two rows.
fn add_pairs(
    problem: &Problem,
    pulls: impl Iterator<Item = ([usize; 2], Pull)>,
    gradient: &mut Gradient,
    mut gradient_references: Option<&mut Gradient>,
) {
    for ([i, j], pull) in pulls {
        let (x, y) = (problem.queries.row(i), problem.columns().row(j));
        gradient.for_rows(i..i + 1, |_, values, errors| {
            pull.add(problem.distance, x, y, values, errors)
        });
        let others = gradient_references.as_deref_mut().unwrap_or(gradient);
        others.for_rows(j..j + 1, |_, values, errors| {
            pull.add(problem.distance, y, x, values, errors)
        });
    }
}

/// A gradient with respect to rows, and how far f32 may be from it.
struct Gradient {
    values: Vec<f64>,
    errors: Vec<f64>,
    dimensions: usize,
}

impl Gradient {
    fn of(points: &Points) -> Self {
        let zeros = vec![0.0; points.len() * points.dimensions()];
        Self { values: zeros.clone(), errors: zeros, dimensions: points.dimensions() }
    }

    /// Runs over the rows in parallel.
    fn for_rows(&mut self, rows: Range<usize>, add: impl Fn(usize, &mut [f64], &mut [f64]) + Sync) {
        let range = rows.start * self.dimensions..rows.end * self.dimensions;
        let values = self.values[range.clone()].par_chunks_mut(self.dimensions);
        let errors = self.errors[range].par_chunks_mut(self.dimensions);
        values.zip(errors).zip(rows).for_each(|((values, errors), row)| add(row, values, errors));
    }

    /// What the pairs of these anchors pull at the anchors.
    fn add_rows(&mut self, problem: &Problem, rows: Range<usize>, pulls: &[Vec<Pull>]) {
        let first = rows.start;
        self.for_rows(rows, |i, values, errors| {
            if problem.shape.mode() == Mode::Scores {
                return Pull::add_scores(&pulls[i - first], values, errors);
            }
            let x = problem.queries.row(i);
            for (j, pull) in pulls[i - first].iter().enumerate() {
                pull.add(problem.distance, x, problem.columns().row(j), values, errors);
            }
        });
    }

    /// What they pull at the columns.
    fn add_columns(&mut self, problem: &Problem, rows: Range<usize>, pulls: &[Vec<Pull>]) {
        if problem.shape.mode() == Mode::Scores {
            return;
        }
        self.for_rows(0..problem.columns().len(), |j, values, errors| {
            let y = problem.columns().row(j);
            for (i, pulls) in rows.clone().zip(pulls) {
                pulls[j].add(problem.distance, y, problem.queries.row(i), values, errors);
            }
        });
    }

    /// The gradient with respect to the raw rows of the scaled loss: values and bounds. Kernels
    /// multiply by `factor` at the end, and may have `flushed` so many summands.
    fn finish(
        mut self,
        points: &Points,
        scale: Bounded,
        factor: f64,
        flushed: f64,
    ) -> (Vec<f64>, Vec<f64>) {
        // Some are flushed after they are scaled, some before.
        let flushed = flushed * factor.max(1.0) * scale.magnitude().max(1.0);
        self.for_rows(0..points.len(), |row, values, errors| {
            points.to_raw(row, values, errors);
            let flushed = flushed * points.flushed_gradient(row);
            for (value, error) in values.iter_mut().zip(errors) {
                let gathered = Bounded::new(*value, *error);
                if gathered != Bounded::ZERO {
                    let scaled = gathered * scale;
                    (*value, *error) = (scaled.value, scaled.error + flushed);
                }
            }
        });
        (self.values, self.errors)
    }
}

/// What is left of an anchor when its row is done.
struct Summary {
    loss: Bounded,
    contribution: Bounded,
    terms: u64,
    /// All, of positive pairs, of negative pairs.
    nonzero: [Count; 3],
    learned: Vec<(usize, Bounded)>,
    /// No less than the largest sum that kernels make of the row: of terms, also where they are
    /// differences of distances, and of distances.
    largest: f64,
    /// How many positive and negative pairs, and the sums of their distances.
    pairs: [u64; 2],
    distances: [Bounded; 2],
}

impl Summary {
    fn new(anchor: &Anchor<Bounded>, terms: AnchorTerms<Bounded>) -> Self {
        let kinds = [&anchor.positives, &anchor.negatives];
        let farthest = anchor.distances.iter().map(|d| d.magnitude()).fold(0.0, f64::max);
        let summands = terms.terms.max(anchor.distances.len() as u64) as f64;
        Self {
            largest: terms.loss.magnitude().max(farthest * summands),
            loss: terms.loss,
            contribution: terms.contribution,
            terms: terms.terms,
            nonzero: [terms.nonzero, terms.nonzero_positive, terms.nonzero_negative],
            learned: terms.learned,
            pairs: kinds.map(|kind| kind.len() as u64),
            distances: kinds.map(|kind| kind.iter().map(|j| anchor.distance(j)).sum()),
        }
    }
}

/// Makes the result from the sums.
fn conclude(
    loss: &Surveyed<Bounded>,
    problem: &Problem,
    summaries: &[Summary],
    gradient: Gradient,
    gradient_references: Option<Gradient>,
) -> Expectation {
    let terms = summaries.iter().map(|summary| summary.terms).sum();
    let nonzero =
        [0, 1, 2].map(|kind| summaries.iter().map(|summary| summary.nonzero[kind]).sum::<Count>());
    let scale = (loss.scale_of)(terms, nonzero[0]);
    let sum: Bounded = summaries.iter().map(|summary| summary.contribution).sum();
    let reduced = floored(sum * scale);

    // Scores are not pairs.
    let (pairs, means) =
        if problem.shape.mode() == Mode::Scores { Default::default() } else { pairs(summaries) };
    let factor = loss.description.gradient_factor().into();
    let flushed = 4.0 + problem.pairs_of_a_row as f64;
    let finish = |gradient: Gradient, points| gradient.finish(points, scale, factor, flushed);
    let (gradient, gradient_bounds) = finish(gradient, &problem.queries);
    let gradient_references =
        gradient_references.filter(|_| problem.shape.has_reference_gradient());
    let (gradient_references, gradient_references_bounds) =
        gradient_references.map(|gradient| finish(gradient, problem.columns())).unzip();
    let learned = LearnedGradients::of(
        loss.description,
        &problem.shape,
        learned_gradient(problem, summaries, scale),
    );
    let (gradient_beta, gradient_beta_bounds) = split(learned.beta);
    let has_per_anchor = loss.description.per_anchor() && problem.list.is_none();
    let (per_anchor, per_anchor_bounds) = split(
        has_per_anchor.then(|| summaries.iter().map(|summary| floored(summary.loss)).collect()),
    );

    Expectation {
        evaluation: Evaluation {
            loss: reduced.value,
            terms,
            nonzero_terms: nonzero[0].value,
            nonzero_positive_terms: nonzero[1].value,
            nonzero_negative_terms: nonzero[2].value,
            positive_pairs: pairs[0],
            negative_pairs: pairs[1],
            mean_positive_distance: means[0].value,
            mean_negative_distance: means[1].value,
            gradient,
            gradient_references,
            gradient_beta,
            gradient_scale: learned.scale.map(|slope| slope.value),
            gradient_bias: learned.bias.map(|slope| slope.value),
            per_anchor,
        },
        bounds: Evaluation {
            loss: reduced.error,
            nonzero_terms: nonzero[0].slack,
            nonzero_positive_terms: nonzero[1].slack,
            nonzero_negative_terms: nonzero[2].slack,
            mean_positive_distance: means[0].error,
            mean_negative_distance: means[1].error,
            gradient: gradient_bounds,
            gradient_references: gradient_references_bounds,
            gradient_beta: gradient_beta_bounds,
            gradient_scale: learned.scale.map(|slope| slope.error),
            gradient_bias: learned.bias.map(|slope| slope.error),
            per_anchor: per_anchor_bounds,
            ..Default::default()
        },
        dimensions: problem.shape.dimensions(),
        sums: Sums {
            of_row: summaries.iter().map(|summary| summary.largest).fold(0.0, f64::max),
            of_gradient: terms as f64,
        },
    }
}

/// How many positive and negative pairs, and their mean distances.
fn pairs(summaries: &[Summary]) -> ([u64; 2], [Bounded; 2]) {
    let counts =
        [0, 1].map(|kind| summaries.iter().map(|summary| summary.pairs[kind]).sum::<u64>());
    let sums =
        [0, 1].map(|kind| summaries.iter().map(|summary| summary.distances[kind]).sum::<Bounded>());
    let means = [0, 1].map(|kind| floored(sums[kind] * Count::exact(counts[kind]).reciprocal()));
    (counts, means)
}

fn learned_gradient(problem: &Problem, summaries: &[Summary], scale: Bounded) -> Vec<Bounded> {
    let of = |which| {
        summaries.iter().flat_map(|summary| &summary.learned).filter(move |(of, _)| *of == which)
    };
    (0..problem.learned.len())
        .map(|which| floored(of(which).map(|&(_, slope)| slope).sum::<Bounded>() * scale))
        .collect()
}

/// f32 may flush what is smaller than its smallest normal number, on the way too.
pub(super) fn floored(number: Bounded) -> Bounded {
    if number == Bounded::ZERO {
        return number;
    }
    Bounded::new(number.value, number.error + 4.0 * SMALLEST)
}

pub(super) fn split(numbers: Option<Vec<Bounded>>) -> (Option<Vec<f64>>, Option<Vec<f64>>) {
    numbers
        .map(|numbers| numbers.into_iter().map(|number| (number.value, number.error)).unzip())
        .unzip()
}
