//! The golden cases by way of files: on the reference and the CPU engine all of them, on an adapter
//! one of each kind, with the next kind on the next.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::{adapters, npy, object, scratch, succeed};
use support::goldens::{Case, cases};

/// How far a result may be off: numbers relative to themselves or to 1, arrays relative to their
/// largest entry.
struct Tolerance {
    numbers: f64,
    arrays: f64,
}

/// The reference is nearer than any of this; its arrays are rounded to f32 on their way through the
/// files.
const REFERENCE: Tolerance = Tolerance { numbers: 1e-9, arrays: 1e-7 };

/// Only that nothing is mixed up: how near f32 has to be is the matter of `--check`.
const ADAPTER: Tolerance = Tolerance { numbers: 1e-5, arrays: 1e-4 };

/// An array that a case expects, and the option that asks for it.
struct Output<'a> {
    option: &'static str,
    values: &'a [f64],
    shape: Vec<u64>,
    path: PathBuf,
}

fn outputs(case: &Case) -> Vec<Output<'_>> {
    let expected = &case.expected.evaluation;
    let arrays = [
        ("--gradient-out", Some(&expected.gradient), Some(case.shape[1])),
        ("--gradient-references-out", expected.gradient_references.as_ref(), Some(case.shape[1])),
        ("--gradient-beta-out", expected.gradient_beta.as_ref(), None),
        ("--per-anchor-out", expected.per_anchor.as_ref(), None),
    ];
    let outputs = arrays.into_iter().filter_map(|(option, values, columns)| {
        let values = values?;
        let shape = [values.len() / columns.unwrap_or(1)]
            .into_iter()
            .chain(columns)
            .map(|size| size as u64)
            .collect();
        Some(Output { option, values, shape, path: scratch(&format!("{}{option}.npy", case.name)) })
    });
    outputs.collect()
}

fn inputs(case: &Case) -> impl Iterator<Item = String> {
    case.files.iter().flat_map(|(input, path)| {
        [format!("--{}", input.replace('_', "-")), path.display().to_string()]
    })
}

/// Evaluates a case by way of files, and compares everything that comes back.
fn check(case: &Case, arguments: &[&str], tolerance: &Tolerance) {
    let objective = serde_json::to_string(&case.loss).unwrap();
    let mut all = ["evaluate", "--objective", &objective].map(String::from).to_vec();
    all.extend(arguments.iter().map(|argument| argument.to_string()));
    all.extend(inputs(case));
    let outputs = outputs(case);
    for output in &outputs {
        all.extend([output.option.into(), output.path.display().to_string()]);
    }
    check_numbers(case, &object(&all), tolerance);
    outputs.iter().for_each(|output| check_array(&case.name, output, tolerance));
}

fn check_numbers(case: &Case, actual: &Value, tolerance: &Tolerance) {
    let (name, expected) = (&case.name, &case.expected.evaluation);
    let numbers = [
        ("value", expected.loss),
        ("mean_positive_distance", expected.mean_positive_distance),
        ("mean_negative_distance", expected.mean_negative_distance),
    ];
    for (key, expected) in numbers {
        let actual = actual[key].as_f64().unwrap();
        let bound = tolerance.numbers * expected.abs().max(1.0);
        assert!(
            (actual - expected).abs() <= bound,
            "{name}: {key} is {actual}, expected {expected}"
        );
    }
    let learned =
        [("gradient_scale", expected.gradient_scale), ("gradient_bias", expected.gradient_bias)];
    for (key, expected) in learned {
        let Some(expected) = expected else { continue };
        let actual = actual[key].as_f64().unwrap();
        let bound = tolerance.numbers * expected.abs().max(1.0);
        assert!((actual - expected).abs() <= bound, "{name}: {actual}, expected {expected}");
    }
    let counts = [
        ("n", case.shape[0] as u64),
        ("d", case.shape[1] as u64),
        ("terms", expected.terms),
        ("nonzero_terms", expected.nonzero_terms),
        ("nonzero_positive_terms", expected.nonzero_positive_terms),
        ("nonzero_negative_terms", expected.nonzero_negative_terms),
        ("positive_pairs", expected.positive_pairs),
        ("negative_pairs", expected.negative_pairs),
    ];
    for (key, expected) in counts {
        // f32 may round a term to 0; a smooth one that is 0 even in f64 counts all the same.
        let may_differ = key.starts_with("nonzero") && !case.expected.nonzero_terms_exact;
        let are_all = actual["nonzero_terms"] == actual["terms"];
        let actual = actual[key].as_u64().unwrap();
        let is_right = actual == expected || may_differ && (actual < expected || are_all);
        assert!(is_right, "{name}: {key} is {actual}, not {expected}");
    }
    let references = expected
        .gradient_references
        .as_ref()
        .map(|gradient| (gradient.len() / case.shape[1]) as u64);
    assert_eq!(actual.get("m").and_then(Value::as_u64), references, "{name}: m");
}

fn check_array(name: &str, output: &Output, tolerance: &Tolerance) {
    let (actual, shape) = npy::read(&output.path);
    assert_eq!(shape, output.shape, "{name}: {}", output.option);
    let bound = tolerance.arrays
        * output.values.iter().fold(0.0, |largest, value| value.abs().max(largest));
    for (at, (&actual, expected)) in actual.iter().zip(output.values).enumerate() {
        let error = (f64::from(actual) - expected).abs();
        assert!(
            error <= bound,
            "{name}: {}: entry {at} is {actual}, expected {expected}",
            output.option
        );
    }
}

#[test]
fn the_reference_gives_every_golden_case() {
    let cases = cases();
    assert!(cases.len() > 150, "{} cases", cases.len());
    cases.iter().for_each(|case| check(case, &["--backend", "reference"], &REFERENCE));
}

#[test]
fn the_cpu_engine_gives_every_golden_case() {
    cases().iter().for_each(|case| check(case, &["--backend", "cpu", "--check"], &ADAPTER));
}

#[test]
fn adapters_in_turn_give_a_golden_case_of_every_kind() {
    let adapters: Vec<_> = adapters::names().into_iter().collect();
    let mut kinds = BTreeSet::new();
    for case in cases().iter().filter(|case| case.tags.is_empty()) {
        let settings = serde_json::to_value(&case.loss).unwrap();
        let kind = [
            case.loss.name(),
            &case.mode,
            &settings["mining"].to_string(),
            &settings["form"].to_string(),
        ];
        if kinds.insert(kind.map(String::from)) {
            let adapter = &adapters[kinds.len() % adapters.len()];
            check(case, &["--backend", "gpu", "--adapter", adapter, "--check"], &ADAPTER);
        }
    }
    assert_eq!(kinds.len(), 51, "{kinds:?}");
}

#[test]
#[should_panic(expected = ": value is")]
fn a_wrong_loss_is_noticed() {
    let mut case = cases().swap_remove(0);
    case.expected.evaluation.loss += 1e-6;
    check(&case, &["--backend", "reference"], &REFERENCE);
}

#[test]
#[should_panic(expected = "--gradient-out: entry 1 is")]
fn a_wrong_gradient_is_noticed() {
    let mut case = cases().swap_remove(0);
    case.expected.evaluation.gradient[1] *= 1.001;
    check(&case, &["--backend", "reference"], &REFERENCE);
}

#[test]
fn agreement_is_spoken_of_where_it_was_asked_for() {
    let case = cases().swap_remove(0);
    let objective = serde_json::to_string(&case.loss).unwrap();
    for backend in ["reference", "cpu", "gpu"] {
        let mut arguments = ["evaluate", "--backend", backend, "--objective", &objective]
            .map(String::from)
            .to_vec();
        arguments.extend(inputs(&case));
        assert_eq!(object(&arguments).get("check_agrees"), None, "{backend}");
        arguments.push("--check".into());
        assert_eq!(object(&arguments)["check_agrees"], true, "{backend}");
        assert!(succeed(&arguments).contains("reference"), "{backend}");
    }
}
