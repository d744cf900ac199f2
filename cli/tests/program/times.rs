//! What is told of time: of compiling apart from running, of how far it has come, and of a GPU that
//! does not answer.

use crate::{object, objects, run, stderr, stdout, succeed};

#[test]
fn compiling_and_running_are_told_apart() {
    let evaluate = ["evaluate", "--objective", "MultiMargin", "--backend"];
    let on = |backend| object(&[&evaluate[..], &[backend]].concat());
    let (gpu, cpu) = (on("gpu"), on("cpu"));
    assert!(gpu["compile_ms"].as_f64().is_some_and(|time| time > 0.0), "{gpu}");
    assert!(gpu["elapsed_ms"].as_f64().is_some_and(|time| time > 0.0), "{gpu}");
    assert!(cpu["compile_ms"].is_null() && cpu["elapsed_ms"].is_number(), "{cpu}");
    let text = succeed(&["measure", "--backend", "gpu"]);
    for line in ["compiled in", "elapsed"] {
        assert!(text.lines().any(|text| text.trim_start().starts_with(line)), "{line} in\n{text}");
    }
}

#[test]
fn a_gpu_that_does_not_answer_in_time_is_an_error_that_names_a_kernel() {
    // All triplets of the digits take longer on any adapter, soft ones most of all.
    let objective = r#"{"loss":"Triplet","soft":true}"#;
    let commands = [
        vec!["evaluate", "--objective", objective],
        vec!["bench", "--n", "1024", "--objective", objective],
        vec!["measure"],
    ];
    for command in commands {
        let output = run(&[command, vec!["--timeout", "1e-6"]].concat());
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(3), "{error}");
        let error = error.lines().last().unwrap_or_default();
        assert!(error.starts_with("error: no answer from the GPU after 1"), "{error}");
        assert!(error.contains(", waiting for the kernels from "), "{error}");
        assert!(error.ends_with(".wgsl on"), "{error}");
    }
}

#[test]
fn a_pipe_hears_no_progress() {
    let output = run(&["evaluate", "--backend", "reference", "--objective", "Contrastive"]);
    assert_eq!(stderr(&output), "");
    assert!(!stdout(&output).contains("computing"));
}

#[test]
fn results_that_nobody_checks_come_at_once() {
    let cpu = ["evaluate", "--backend", "cpu", "--no-check"];
    let lines = objects(&cpu);
    assert!(lines.len() > 40, "{} losses", lines.len());
    assert!(lines.iter().all(|line| line.get("check_agrees").is_none()));
    let text = succeed(&cpu);
    assert_eq!(text.matches("not checked").count(), lines.len(), "{text}");
    let sum = r#"[{"loss":"Contrastive"},{"loss":"Triplet"}]"#;
    let sum = object(&[&cpu[..], &["--objective", sum]].concat());
    let measures = object(&["measure", "--backend", "cpu", "--no-check"]);
    for one in [sum, measures] {
        assert!(one.get("check_agrees").is_none(), "{one}");
    }
    let both = run(&[&cpu[..], &["--check"]].concat());
    assert_eq!(both.status.code(), Some(2));
    assert!(stderr(&both).contains("cannot be used with"), "{}", stderr(&both));
}
