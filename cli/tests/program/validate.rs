//! `validate`: a part of the quick selection, as text and as JSON, and what cannot be validated.

use serde_json::json;

use crate::{NO_ADAPTER, adapters, object, program, run, stderr, stdout, succeed};

#[test]
fn one_object_on_every_adapter() {
    for adapter in adapters::names() {
        let found = object(&[
            "validate",
            "--quick",
            "--only",
            "\"loss\":\"SupCon\"",
            "--adapter",
            &adapter,
        ]);
        let keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
        let expected = "adapter api arithmetic backend cases check_agrees compared driver driver_info elapsed_ms failures fault_problems \
            faults_injected faults_survived largest_error numbers one_percent_noticed refused tier unsure_numbers version zero_results";
        assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
        assert_eq!(
            [&found["check_agrees"], &found["failures"]],
            [&json!(true), &json!([])],
            "{found}"
        );
        let [cases, compared, refused, noticed, zero] =
            ["cases", "compared", "refused", "one_percent_noticed", "zero_results"]
                .map(|key| found[key].as_u64().unwrap());
        assert!(cases > 10 && compared + refused == cases && noticed + zero <= compared, "{found}");
        assert!(noticed > compared / 3, "{found}");
        let largest = &found["largest_error"];
        let share = largest["check_share_of_bound"].as_f64().unwrap();
        assert!(share > 0.0 && share <= 1.0 && largest["objective"]["loss"] == "SupCon", "{found}");
    }
}

#[test]
fn the_cpu_engine_is_one_of_them() {
    let arguments = ["validate", "--quick", "--backend", "cpu", "--only"];
    for only in ["\"loss\":\"Triplet\"", "retrieval"] {
        let found = object(&[&arguments[..], &[only]].concat());
        assert_eq!([&found["check_agrees"], &found["backend"]], [&json!(true), &json!("cpu")]);
        assert!(found["one_percent_noticed"].as_u64().unwrap() > 3, "{found}");
    }
    let output = run(&["validate", "--backend", "cpu", "--workspace-mib", "1"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--workspace-mib"), "{}", stderr(&output));
}

/// What the comparisons are worth: the shares of results and numbers that could be off unnoticed are
/// to fall, never to rise.
#[test]
fn few_results_say_nothing() {
    let found = object(&["validate", "--quick", "--backend", "cpu"]);
    let [compared, noticed, zero, numbers, unsure] =
        ["compared", "one_percent_noticed", "zero_results", "numbers", "unsure_numbers"]
            .map(|key| found[key].as_f64().unwrap());
    assert!(found["check_agrees"] == json!(true) && numbers > 6e6, "{found}");
    assert!(noticed > 0.89 * compared && zero < 0.07 * compared, "{found}");
    assert!(unsure < 0.15 * numbers, "{found}");
}

#[test]
fn faults_are_injected_on_every_adapter() {
    for adapter in adapters::names() {
        let found =
            object(&["validate", "--quick", "--only", "injected faults", "--adapter", &adapter]);
        let [cases, injected, survived] =
            ["cases", "faults_injected", "faults_survived"].map(|key| found[key].as_u64().unwrap());
        assert!(cases == 0 && injected > 80 && survived == injected, "{found}");
        assert_eq!(
            [&found["check_agrees"], &found["fault_problems"]],
            [&json!(true), &json!([])],
            "{found}"
        );
    }
}

#[test]
fn the_same_as_lines() {
    let arguments = ["validate", "--quick", "--only", "retrieval", "--workspace-mib", "1"];
    let text = succeed(&arguments);
    assert!(text.ends_with("\nEvery result is within its bounds.\n"), "{text}");
    for line in [
        "adapter",
        "backend",
        "driver",
        "cases",
        "numbers compared",
        "largest error",
        "failures",
        "elapsed",
    ] {
        assert!(text.lines().any(|text| text.trim_start().starts_with(line)), "{line} in\n{text}");
    }
}

#[test]
fn what_cannot_be_validated_is_named() {
    for (arguments, code, text) in [
        (["--adapter", "no such adapter"], 3, "no such adapter"),
        (["--only", "no such loss"], 2, "--only: no case has \"no such loss\""),
    ] {
        let output = run(&[&["validate", "--quick"], &arguments[..]].concat());
        assert_eq!(output.status.code(), Some(code));
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
        assert_eq!(stdout(&output), "");
    }
    let (name, value) = NO_ADAPTER;
    let output = program(&["validate", "--quick"]).env(name, value).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).starts_with("error: no GPU adapter found"), "{}", stderr(&output));
}
