//! Weighted sums of losses.

use super::bounded::Bounded;
use super::comparison::{Comparison, Deviation, unsure, worst_of};
use super::expectation::Expectation;
use super::{evaluate_with_bounds_in, floored};
use crate::data::arithmetic::Arithmetic;
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::input::{Input, InputSet, Numbers};
use crate::data::objective::{ObjectiveEvaluation, Weighted, check_batches};
use crate::definition::number::{Number, ROUNDING};
use crate::error::Result;

/// The result of an objective by its definition, and how far from each of its numbers correct f32
/// kernels may be.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectiveExpectation {
    /// The result in f64.
    pub evaluation: ObjectiveEvaluation<f64>,
    /// The allowed absolute deviation of every number of it.
    pub bounds: ObjectiveEvaluation<f64>,
    losses: Vec<Expectation>,
    /// Columns of every set.
    columns: Vec<usize>,
    may_overflow: bool,
}

impl ObjectiveExpectation {
    /// Compares every number of an f32 result with the expected one.
    pub fn compare(&self, actual: &ObjectiveEvaluation<f32>) -> Comparison {
        let [expected, bounds] = [&self.evaluation, &self.bounds];
        let mut deviations = vec![Deviation::new(
            "loss of the objective",
            expected.loss,
            actual.loss.into(),
            bounds.loss,
        )];
        let lengths = [
            ("number of losses", [expected.losses.len(), actual.losses.len()]),
            ("number of gradients", [expected.gradients.len(), actual.gradients.len()]),
        ];
        let wrong = lengths.into_iter().filter(|(_, [expected, actual])| expected != actual);
        deviations
            .extend(wrong.map(|(name, lengths)| Deviation::of_length(name, lengths.map(Some))));
        for (set, actual) in actual.gradients.iter().enumerate().take(self.columns.len()) {
            let names = ["gradient of the objective", "length of gradient of the objective"];
            let tables = [expected, bounds].map(|of| of.gradients.get(set));
            deviations.extend(worst_of(names, self.columns[set], tables, Some(actual)));
        }
        for (part, actual) in self.losses.iter().zip(&actual.losses) {
            deviations.extend_from_slice(part.compare(actual).deviations());
        }
        Comparison::of(deviations, self.unsure())
    }

    /// How many numbers have a bound above half of themselves: [`Comparison::unsure`].
    pub fn unsure(&self) -> usize {
        let Self { evaluation, bounds, .. } = self;
        let gradients = evaluation.gradients.iter().flatten();
        unsure([(&evaluation.loss, &bounds.loss)])
            + unsure(gradients.zip(bounds.gradients.iter().flatten()))
            + self.losses.iter().map(Expectation::unsure).sum::<usize>()
    }

    /// Whether a number of a loss may be beyond f32, weighted or not, so that kernels may refuse
    /// the objective: [`Expectation::may_overflow`].
    pub fn may_overflow(&self) -> bool {
        self.may_overflow
    }

    /// Whether the comparison would notice that the loss and the gradients are off by this part of
    /// themselves; `None` where all are 0.
    pub fn notices(&self, actual: &ObjectiveEvaluation<f32>, part: f32) -> Option<bool> {
        if actual.loss == 0.0 && actual.gradients.iter().flatten().all(|&number| number == 0.0) {
            return None;
        }
        let factor = 1.0 + part;
        let scaled = |gradient: &Vec<f32>| gradient.iter().map(|number| number * factor).collect();
        let gradients = actual.gradients.iter().map(scaled).collect();
        Some(
            !self
                .compare(&ObjectiveEvaluation {
                    loss: actual.loss * factor,
                    gradients,
                    ..actual.clone()
                })
                .agrees(),
        )
    }
}

/// A weighted sum of losses by its definition, in f64.
///
/// # Errors
///
/// Those of [`Context::evaluate_objective`](crate::Context::evaluate_objective) that are about its
/// inputs.
pub fn evaluate_objective(objective: &[Weighted<Batch>]) -> Result<ObjectiveEvaluation<f64>> {
    evaluate_objective_with_bounds(objective).map(|expectation| expectation.evaluation)
}

/// The rows that the losses of a set share.
fn rows_of<'a>(set: &InputSet<Numbers<'a>>) -> &'a [f32] {
    set.get(Input::Embeddings).map_or(&[], Numbers::floats)
}

/// A weighted sum of losses by its definition, in f64, and how far correct f32 kernels may be from
/// every number of it.
///
/// # Errors
///
/// Those of [`evaluate_objective`].
pub fn evaluate_objective_with_bounds(
    objective: &[Weighted<Batch>],
) -> Result<ObjectiveExpectation> {
    evaluate_objective_with_bounds_in(Arithmetic::Exact, objective)
}

/// The same for f32 kernels of this arithmetic: of `Options::arithmetic`.
///
/// # Errors
///
/// Those of [`evaluate_objective`].
pub fn evaluate_objective_with_bounds_in(
    arithmetic: Arithmetic,
    objective: &[Weighted<Batch>],
) -> Result<ObjectiveExpectation> {
    let sets = check_batches(objective)?;
    let mut gradients: Vec<_> =
        sets.iter().map(|set| vec![Bounded::ZERO; rows_of(set).len()]).collect();
    let mut columns = vec![0; sets.len()];
    let mut values = Vec::new();
    let mut losses = Vec::new();
    let mut may_overflow = false;
    for Weighted { weight, loss, inputs, set } in objective {
        let weight = Bounded::exact((*weight).into());
        let mut part = evaluate_with_bounds_in(arithmetic, loss, inputs)?;
        may_overflow |= part.may_overflow_times(weight.value);
        values.push(weight * Bounded::new(part.evaluation.loss, part.bounds.loss));
        let [gradient, errors] =
            [&mut part.evaluation, &mut part.bounds].map(|of| std::mem::take(&mut of.gradient));
        for ((sum, value), error) in gradients[*set].iter_mut().zip(gradient).zip(errors) {
            *sum = *sum + weigh(weight, value, error);
        }
        weigh_tables(weight, &mut part);
        columns[*set] = inputs.shape().dimensions();
        losses.push(part);
    }
    let (gradients, gradient_bounds) = gradients
        .into_iter()
        .map(|gradient| {
            gradient.into_iter().map(|sum| (sum.value, sum.error)).unzip::<_, _, Vec<_>, Vec<_>>()
        })
        .unzip();
    let loss = floored(values.into_iter().sum());
    let parts = |of: fn(&Expectation) -> &Evaluation<f64>| {
        losses.iter().map(|part| of(part).clone()).collect()
    };
    Ok(ObjectiveExpectation {
        evaluation: ObjectiveEvaluation {
            loss: loss.value,
            losses: parts(|part| &part.evaluation),
            gradients,
        },
        bounds: ObjectiveEvaluation {
            loss: loss.error,
            losses: parts(|part| &part.bounds),
            gradients: gradient_bounds,
        },
        losses,
        columns,
        may_overflow,
    })
}

/// Kernels multiply the common scale by the weight before they scale with it: two roundings more.
fn weigh(weight: Bounded, value: f64, error: f64) -> Bounded {
    floored((weight * Bounded::new(value, error)).widened(2.0 * ROUNDING))
}

/// The gradients that a loss keeps for itself.
fn weigh_tables(weight: Bounded, part: &mut Expectation) {
    let Expectation { evaluation, bounds, .. } = part;
    let tables = [
        (&mut evaluation.gradient_references, &mut bounds.gradient_references),
        (&mut evaluation.gradient_beta, &mut bounds.gradient_beta),
    ];
    for (values, errors) in tables {
        for (value, error) in values.iter_mut().flatten().zip(errors.iter_mut().flatten()) {
            let weighed = weigh(weight, *value, *error);
            (*value, *error) = (weighed.value, weighed.error);
        }
    }
    let singles = [
        (&mut evaluation.gradient_scale, &mut bounds.gradient_scale),
        (&mut evaluation.gradient_bias, &mut bounds.gradient_bias),
    ];
    for (value, error) in singles {
        if let (Some(value), Some(error)) = (value, error) {
            let weighed = weigh(weight, *value, *error);
            (*value, *error) = (weighed.value, weighed.error);
        }
    }
}
