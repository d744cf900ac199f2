//! The CPU reference against the golden cases.

use support::changed::changed;
use support::goldens::{self, Case};
use wgpu_metric_learning::{Evaluation, Loss, reference};

const TOLERANCE: f64 = 1e-9;

/// How many cases of each loss there are: none may be lost in silence.
const CASES: &[(&str, usize)] = &[
    ("Contrastive", 65),
    ("Triplet", 84),
    ("LiftedStructured", 34),
    ("MultiMargin", 17),
    ("Margin", 27),
    ("NtXent", 25),
    ("SupCon", 24),
    ("GeneralizedLiftedStructured", 24),
    ("Nca", 26),
    ("MultiSimilarity", 32),
    ("Circle", 22),
    ("FastAp", 22),
    ("SmoothAp", 24),
    ("NormalizedSoftmax", 17),
    ("CosFace", 17),
    ("ArcFace", 17),
    ("SoftTriple", 16),
    ("ProxyAnchor", 14),
    ("SigLip", 27),
    ("Clip", 18),
    ("CoSent", 14),
    ("MeanSquaredError", 2),
    ("Huber", 2),
    ("Hinge", 2),
    ("BinaryCrossEntropy", 2),
    ("CrossEntropy", 2),
    ("UniformEntropy", 2),
    ("L1", 1),
    ("L2", 1),
    ("ElasticNet", 1),
];

#[test]
fn reference_agrees_with_every_golden() {
    let cases = goldens::cases();
    let named: Vec<_> = CASES.iter().map(|(name, _)| *name).collect();
    assert_eq!(named, Loss::NAMES, "every loss has golden cases, in the order of the losses");
    for &(name, count) in CASES {
        assert!(count > 0, "{name} has no golden case");
        assert_eq!(
            cases.iter().filter(|case| case.loss.name() == name).count(),
            count,
            "cases of {name}"
        );
    }
    assert_eq!(cases.len(), CASES.iter().map(|(_, count)| count).sum::<usize>());
    let faults: Vec<_> = cases.iter().flat_map(|case| differences(case, &evaluate(case))).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn a_wrong_number_is_caught() {
    let cases = goldens::cases();
    let case =
        cases.iter().find(|case| matches!(case.loss, Loss::Triplet(_))).expect("a triplet case");
    let right = evaluate(case);
    assert!(differences(case, &right).is_empty());
    let mut wrong = right.clone();
    wrong.gradient[3] *= -1.0;
    assert_eq!(differences(case, &wrong).len(), 1);
    let wrong = changed(right, |wrong| wrong.nonzero_terms += 1);
    assert_eq!(differences(case, &wrong).len(), 1);
}

fn evaluate(case: &Case) -> Evaluation<f64> {
    reference::evaluate(&case.loss, &case.batch())
        .unwrap_or_else(|error| panic!("{}: {error}", case.name))
}

/// One line for every quantity that differs.
fn differences(case: &Case, actual: &Evaluation<f64>) -> Vec<String> {
    let expected = &case.expected.evaluation;
    // A smooth term that is 0 even in f64 counts here; those who made the cases left it out.
    let counts = |of: &Evaluation<f64>| {
        let are_all = !case.expected.nonzero_terms_exact && of.nonzero_terms == of.terms;
        let of_nonzero = if are_all { expected } else { of };
        let nonzero = [
            of_nonzero.nonzero_terms,
            of_nonzero.nonzero_positive_terms,
            of_nonzero.nonzero_negative_terms,
        ];
        ([of.terms, of.positive_pairs, of.negative_pairs], nonzero)
    };
    let mut faults = Vec::new();
    if counts(actual) != counts(expected) {
        faults.push(format!(
            "{}: counts are {:?} instead of {:?}",
            case.name,
            counts(actual),
            counts(expected)
        ));
    }
    let mut compare = |what, expected: &[f64], actual: Option<&[f64]>| {
        let difference =
            actual.map_or(f64::INFINITY, |actual| relative_difference(expected, actual));
        if difference.is_nan() || difference > TOLERANCE {
            faults.push(format!("{}: {what} differs by {difference:.1e}", case.name));
        }
    };
    compare("loss", &[expected.loss], Some(&[actual.loss]));
    compare(
        "mean positive distance",
        &[expected.mean_positive_distance],
        Some(&[actual.mean_positive_distance]),
    );
    compare(
        "mean negative distance",
        &[expected.mean_negative_distance],
        Some(&[actual.mean_negative_distance]),
    );
    compare("gradient", &expected.gradient, Some(&actual.gradient));
    let tables = [
        ("gradient of the references", &expected.gradient_references, &actual.gradient_references),
        ("gradient of beta", &expected.gradient_beta, &actual.gradient_beta),
        ("loss per anchor", &expected.per_anchor, &actual.per_anchor),
        ("derivative by the scale", &one(expected.gradient_scale), &one(actual.gradient_scale)),
        ("derivative by the bias", &one(expected.gradient_bias), &one(actual.gradient_bias)),
    ];
    for (what, expected, actual) in tables {
        if let Some(expected) = expected {
            compare(what, expected, actual.as_deref());
        }
    }
    faults
}

fn one(number: Option<f64>) -> Option<Vec<f64>> {
    number.map(|number| vec![number])
}

/// The largest difference, relative to the largest number.
fn relative_difference(expected: &[f64], actual: &[f64]) -> f64 {
    if expected.len() != actual.len() {
        return f64::INFINITY;
    }
    let largest = expected.iter().map(|number| number.abs()).fold(0.0, f64::max);
    let differences =
        expected.iter().zip(actual).map(|(expected, actual)| (expected - actual).abs());
    // Not f64::max, which passes over NaN.
    let difference = differences.fold(0.0, |worst, next| if next <= worst { worst } else { next });
    if difference == 0.0 { 0.0 } else { difference / largest }
}
