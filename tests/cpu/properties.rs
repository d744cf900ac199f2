//! What must hold whatever the inputs are, on the cases that GPUs are held by. Failing cases shrink,
//! and are printed.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use support::bits::bits;
use wgpu_metric_learning::{Cpu, Evaluation, Loss, Margin, reference};

use super::case::{CLASSES, Case, EUCLIDEAN_FAMILY, GRID, Scaling, case};

type Outcome = Result<bool, TestCaseError>;

fn evaluate(loss: &Loss, case: &Case) -> Result<Evaluation, TestCaseError> {
    let failed = |error| TestCaseError::fail(format!("{loss:?}: {error}"));
    Cpu::default().evaluate(loss, &case.batch(loss)).wait().map_err(failed)
}

fn has_gradient(evaluation: &Evaluation) -> bool {
    evaluation.gradient.iter().any(|&slope| slope != 0.0)
}

/// Tries a property on so many cases, the same in every run. It says whether it saw a gradient that
/// is not 0, as it must in a third of them.
fn hold<S: Strategy>(cases: u32, inputs: S, property: impl Fn(S::Value) -> Outcome) {
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

/// Demands the same bits of a loss on either case.
fn same_on_either(loss: &Loss, [one, other]: [&Case; 2]) -> Outcome {
    let one = evaluate(loss, one)?;
    prop_assert_eq!(bits(&one), bits(&evaluate(loss, other)?), "{:?}", loss);
    Ok(has_gradient(&one))
}

#[test]
fn results_are_within_the_bounds() {
    hold(300, case(1..=70), |case| {
        let loss = case.any_loss();
        let expected = reference::evaluate_with_bounds(&loss, &case.batch(&loss)).unwrap();
        let actual = evaluate(&loss, &case)?;
        let comparison = expected.compare(&actual);
        prop_assert!(comparison.agrees(), "{:?}\n{}", loss, comparison);
        Ok(has_gradient(&actual))
    });
}

/// Rows stand by their labels, whose order is that of their names: within the bounds of the
/// reference it is another result, which names without a change of order leave as it is.
#[test]
fn names_of_labels_in_the_same_order_do_not_matter() {
    let names = prop::sample::subsequence(vec![0, 3, 5, 77, 1 << 31, u32::MAX - 1, u32::MAX], 4);
    hold(100, (case(2..=40), names), |(case, names)| {
        let loss = case.any_loss();
        if matches!(loss, Loss::Margin(Margin { beta_per_class: true, .. })) {
            return Ok(false);
        }
        assert_eq!(names.len(), CLASSES as usize);
        let name = |label: &u32| names[*label as usize];
        let [labels, reference_labels] =
            [&case.labels, &case.reference_labels].map(|labels| labels.iter().map(name).collect());
        same_on_either(&loss, [&case, &Case { labels, reference_labels, ..case.clone() }])
    });
}

/// Differences of coordinates come first, and these are exact here: the same bits.
#[test]
fn translations_do_not_matter_to_the_euclidean_family() {
    let translated = (case(2..=40), prop::collection::vec(-512..=512_i16, 9));
    hold(100, translated, |(case, offsets)| {
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let translate = |rows: &[f32]| {
            let offset = |at: usize| f32::from(offsets[at % case.d]) / GRID;
            rows.iter().enumerate().map(|(at, x)| x + offset(at)).collect()
        };
        let [embeddings, references] =
            [&case.embeddings, &case.references].map(|set| translate(set));
        same_on_either(&loss, [&case, &Case { embeddings, references, ..case.clone() }])
    });
}

/// Powers of two change exponents alone: every bit of the scaled result is known.
#[test]
fn powers_of_two_scale_the_euclidean_family() {
    hold(300, (case(2..=40), -12..=12_i32), |(case, exponent)| {
        let Some(scaling) = Scaling::of(&case, exponent) else { return Ok(false) };
        let [loss, scaled_loss] = &scaling.losses;
        let one = evaluate(loss, &case)?;
        let other = evaluate(scaled_loss, &scaling.scaled)?;
        prop_assert_eq!(bits(&scaling.expected(&one)), bits(&other), "{:?}", loss);
        Ok(has_gradient(&one))
    });
}
