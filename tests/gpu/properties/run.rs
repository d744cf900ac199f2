//! A property on many cases and every adapter, and results beside each other.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use support::adapters::{Device, one_by_one};
use support::bits::bits;
use support::changed::changed;
use wgpu_metric_learning::reference::{self, Expectation};
use wgpu_metric_learning::{Batch, Evaluation, Loss};

use super::case::Case;

/// What a device makes of a batch, and what is expected.
pub(crate) struct Run {
    pub actual: Evaluation,
    pub expected: Expectation,
}

pub(crate) type Outcome<T> = Result<T, TestCaseError>;

pub(crate) fn run(device: &Device, loss: &Loss, batch: &Batch) -> Outcome<Run> {
    let failed = |error| TestCaseError::fail(format!("{}: {loss:?}: {error}", device.name));
    let expected = reference::evaluate_with_bounds(loss, batch).map_err(failed)?;
    Ok(Run { actual: evaluate(device, loss, batch)?, expected })
}

pub(crate) fn evaluate(device: &Device, loss: &Loss, batch: &Batch) -> Outcome<Evaluation> {
    let failed = |error| TestCaseError::fail(format!("{}: {loss:?}: {error}", device.name));
    device.context.evaluate(loss, batch).wait().map_err(failed)
}

pub(crate) fn same_bits(
    device: &Device,
    loss: &Loss,
    one: &Evaluation,
    other: &Evaluation,
) -> Outcome<()> {
    prop_assert_eq!(bits(one), bits(other), "{}: {:?}", device.name, loss);
    Ok(())
}

/// Whether two results are no farther apart than the sum of their bounds.
pub(crate) fn agree(device: &Device, loss: &Loss, one: &Run, other: &Run) -> Outcome<()> {
    let mut sum = one.expected.clone();
    sum.evaluation = one.actual.clone().map(f64::from);
    sum.bounds = sum_of(&one.expected.bounds, &other.expected.bounds);
    let comparison = sum.compare(&other.actual);
    prop_assert!(comparison.agrees(), "{}: {:?}\n{}", device.name, loss, comparison);
    Ok(())
}

/// The sum of every number and every count.
pub(crate) fn sum_of(one: &Evaluation<f64>, other: &Evaluation<f64>) -> Evaluation<f64> {
    let table = |one: &Vec<f64>, other: &Vec<f64>| -> Vec<f64> {
        assert_eq!(one.len(), other.len(), "tables of different lengths");
        one.iter().zip(other).map(|(one, other)| one + other).collect()
    };
    let optional = |one: &Option<Vec<f64>>, other: &Option<Vec<f64>>| {
        Some(table(one.as_ref()?, other.as_ref()?))
    };
    changed(one.clone(), |sum| {
        sum.loss += other.loss;
        sum.terms += other.terms;
        sum.nonzero_terms += other.nonzero_terms;
        sum.nonzero_positive_terms += other.nonzero_positive_terms;
        sum.nonzero_negative_terms += other.nonzero_negative_terms;
        sum.positive_pairs += other.positive_pairs;
        sum.negative_pairs += other.negative_pairs;
        sum.mean_positive_distance += other.mean_positive_distance;
        sum.mean_negative_distance += other.mean_negative_distance;
        sum.gradient = table(&one.gradient, &other.gradient);
        sum.gradient_references = optional(&one.gradient_references, &other.gradient_references);
        sum.gradient_beta = optional(&one.gradient_beta, &other.gradient_beta);
        sum.per_anchor = optional(&one.per_anchor, &other.per_anchor);
    })
}

/// Tries a property on every device; says whether it saw a gradient on one.
pub(crate) fn on_every(property: impl Fn(&Device) -> Outcome<bool>) -> Outcome<bool> {
    one_by_one().try_fold(false, |has_any, device| Ok(property(&device)? | has_any))
}

/// Demands the same bits of a loss on either case.
pub(crate) fn same_on_either(loss: &Loss, [one, other]: [&Case; 2]) -> Outcome<bool> {
    on_every(|device| {
        let [one, other] = [one, other].map(|case| evaluate(device, loss, &case.batch(loss)));
        let one = one?;
        same_bits(device, loss, &one, &other?)?;
        Ok(has_gradient(&one))
    })
}

/// Tries a property on so many cases, the same in every run. It says whether it saw a gradient that
/// is not 0, as it must in a third of them.
pub(crate) fn hold<S: Strategy>(
    cases: u32,
    inputs: S,
    property: impl Fn(S::Value) -> Outcome<bool>,
) {
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen = Cell::new(0);
    let result = TestRunner::new_with_rng(config, random).run(&inputs, |case| {
        seen.set(seen.get() + u32::from(property(case)?));
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(3 * seen.get() >= cases, "{} of {cases} cases have a gradient", seen.get());
}

pub(crate) fn has_gradient(evaluation: &Evaluation) -> bool {
    evaluation.gradient.iter().any(|&number| number != 0.0)
}
