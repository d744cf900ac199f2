//! `evaluate` without files: the bundled digits.

use std::io;

use serde_json::json;
use wgpu_metric_learning::Loss;

use crate::{NO_ADAPTER, object, program, stderr, stdout, succeed};

#[test]
fn without_arguments_every_loss_agrees_with_the_reference() {
    let text = succeed(&["evaluate"]);
    let rows: Vec<&str> =
        text.lines().skip_while(|line| !line.starts_with("objective")).skip(1).collect();
    // Of a loss over pairs two: one that is not the default.
    for name in Loss::NAMES {
        let loss: Loss = serde_json::from_value(json!({ "loss": name })).expect("a loss");
        let least = if loss.distance().is_some() { 2 } else { 1 };
        let count = rows.iter().filter(|row| row.starts_with(&format!("{name} "))).count();
        assert!(count >= least, "{count} of {name}: is it in cli/src/digits.rs?\n{text}");
    }
    let minings =
        ["All", "Hard", "SemiHard", "EasyPositiveHardNegative", "EasyPositiveSemiHardNegative"];
    let others =
        ["DistanceWeighted", "soft", "Smooth", "Exact", "Manhattan", "Cosine", "InnerProduct"];
    for choice in minings.iter().chain(&others) {
        assert!(
            rows.iter().any(|row| row.split(' ').any(|word| word == *choice)),
            "{choice} in\n{text}"
        );
    }
    let modes = [
        "batch",
        "reference",
        "prototypes",
        "scores",
        "pair rows",
        "pair indices",
        "triplets",
        "pointwise",
    ];
    for word in modes {
        assert!(rows.iter().any(|row| row.contains(word)), "{word} in\n{text}");
    }
    for row in rows {
        assert!(row.contains("of its bound") && !row.contains("DISAGREES"), "{row}");
    }
}

#[test]
fn one_objective_gives_one_object_with_these_keys() {
    let evaluation = object(&[
        "evaluate",
        "--backend",
        "reference",
        "--objective",
        r#"{"loss":"MultiMargin","margin":0.5}"#,
    ]);
    let keys: Vec<&str> = evaluation.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "adapter api arithmetic backend check_agrees check_quantity check_share_of_bound compile_ms d driver \
        driver_info elapsed_ms gradient_norm m mean_negative_distance mean_positive_distance n negative_pairs \
        nonzero_negative_terms nonzero_positive_terms nonzero_terms objective positive_pairs terms tier value version";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(evaluation["backend"], "reference");
    assert_eq!(evaluation["adapter"], json!(null));
    assert_eq!([&evaluation["n"], &evaluation["m"], &evaluation["d"]], [1797, 10, 64]);
    assert_eq!(evaluation["objective"]["margin"], json!(0.5));
    assert_eq!(evaluation["objective"]["power"], json!(1));
}

#[test]
fn an_objective_that_draws_keeps_to_its_seed() {
    let loss = |seed| {
        let objective = format!(
            r#"{{"loss":"Margin","sampling":"DistanceWeighted","normalize":true,"seed":{seed}}}"#
        );
        let evaluation = object(&["evaluate", "--check", "--objective", &objective]);
        assert_eq!(
            [&evaluation["objective"]["seed"], &evaluation["check_agrees"]],
            [&json!(seed), &json!(true)]
        );
        evaluation["value"].clone()
    };
    assert_eq!(loss(7), loss(7));
    assert_ne!(loss(7), loss(8));
}

#[test]
fn the_workspace_does_not_change_the_result() {
    let objective = r#"{"loss":"Triplet","mining":"Hard"}"#;
    let evaluate = |mib: &str| {
        let evaluation = object(&[
            "evaluate",
            "--backend",
            "gpu",
            "--workspace-mib",
            mib,
            "--objective",
            objective,
        ]);
        ["value", "terms", "nonzero_terms", "gradient_norm"]
            .map(|key| evaluation[key].as_f64().unwrap())
    };
    let (one_stripe, many_stripes) = (evaluate("64"), evaluate("1"));
    for (one, many) in one_stripe.into_iter().zip(many_stripes) {
        assert!(
            (one - many).abs() <= 1e-6 * one,
            "{one_stripe:?} in one stripe, {many_stripes:?} in many"
        );
    }
}

#[test]
fn without_an_adapter_the_cpu_engine_answers_and_says_so() {
    let (name, value) = NO_ADAPTER;
    let evaluate = |backend| {
        let arguments = ["evaluate", "--objective", "Contrastive", "--backend", backend];
        program(&arguments).env(name, value).output().unwrap()
    };
    let auto = evaluate("auto");
    assert!(auto.status.success(), "{}", stderr(&auto));
    assert!(stderr(&auto).starts_with("note: no hardware GPU was found"), "{}", stderr(&auto));
    assert!(stdout(&auto).contains("on the CPU engine (f32)"), "{}", stdout(&auto));
    assert!(stdout(&auto).contains("of its bound"), "{}", stdout(&auto));
    let gpu = evaluate("gpu");
    assert_eq!(gpu.status.code(), Some(3));
    assert!(stderr(&gpu).starts_with("error: no GPU adapter found"), "{}", stderr(&gpu));
}

#[test]
fn the_cpu_engine_takes_a_workspace_and_says_what_it_is() {
    for (backend, name) in
        [("cpu", "the CPU engine (f32)"), ("reference", "the CPU reference (f64)")]
    {
        let arguments = ["evaluate", "--objective", "Triplet", "--backend", backend];
        assert!(succeed(&arguments).contains(&format!(", on {name}\n")), "{backend}");
    }
    let arguments = ["evaluate", "--objective", "Triplet", "--backend", "cpu"];
    let evaluation = object(&[&arguments[..], &["--workspace-mib", "1"]].concat());
    assert_eq!(
        [&evaluation["backend"], &evaluation["adapter"], &evaluation["check_agrees"]],
        [&json!("cpu"), &json!(null), &json!(true)]
    );
}

#[test]
fn a_closed_pipe_ends_the_program_in_silence() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let arguments = ["evaluate", "--objective", "MultiMargin", "--backend", "reference"];
    let output = program(&arguments).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(stderr(&output), "");
}
