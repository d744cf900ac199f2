//! `adapters`, and choosing one.

use std::collections::BTreeSet;
use std::fs;

use crate::{NO_ADAPTER, npy, object, objects, program, run, scratch, stderr, stdout, succeed};

/// Texts that choose an adapter of this machine, together every one that can be chosen.
pub(crate) fn names() -> BTreeSet<String> {
    let adapters = objects(&["adapters"]);
    assert!(!adapters.is_empty(), "no adapter found on this machine");
    let texts = adapters.iter().flat_map(|adapter| [&adapter["adapter"], &adapter["api"]]);
    texts.map(|text| text.as_str().unwrap().to_string()).collect()
}

#[test]
fn the_list_says_what_an_adapter_can_do() {
    let adapters = objects(&["adapters"]);
    assert!(!adapters.is_empty(), "no adapter found on this machine");
    for adapter in &adapters {
        for key in ["adapter", "api", "driver", "type", "tier"] {
            assert!(adapter[key].is_string(), "{key} of {adapter}");
        }
        assert!(
            adapter["max_storage_buffer_binding_size"].as_u64().unwrap() >= 128 << 20,
            "{adapter}"
        );
        assert!(
            adapter["max_compute_invocations_per_workgroup"].as_u64().unwrap() >= 256,
            "{adapter}"
        );
    }
    let text = succeed(&["adapters"]);
    let lines = [
        "api",
        "driver",
        "type",
        "tier",
        "storage binding",
        "buffer",
        "workgroup memory",
        "invocations",
    ];
    for line in lines {
        let count = text.lines().filter(|text| text.trim_start().starts_with(line)).count();
        assert!(count >= adapters.len(), "{line} in\n{text}");
    }
    let is_taken = adapters.iter().any(|adapter| adapter["type"] != "software");
    let count = text.matches("taken by --backend auto").count();
    assert_eq!(count, usize::from(is_taken), "{text}");
}

/// Or the CPU engine, where all that there is emulates a GPU.
#[test]
fn auto_takes_the_adapter_that_the_list_marks() {
    let adapters = objects(&["adapters"]);
    let taken: Vec<_> = adapters.iter().filter(|adapter| adapter["auto"] == true).collect();
    let evaluation = object(&["evaluate", "--objective", "Contrastive"]);
    if adapters.iter().all(|adapter| adapter["type"] == "software") {
        assert_eq!(taken.len(), 0, "{adapters:?}");
        assert_eq!(evaluation["backend"], "cpu");
        return;
    }
    assert_eq!(taken.len(), 1, "{adapters:?}");
    assert_eq!(evaluation["backend"], "gpu");
    for key in ["adapter", "api", "driver", "driver_info"] {
        assert_eq!(evaluation[key], taken[0][key], "{key}");
    }
}

#[test]
fn every_adapter_is_found_by_its_name_and_its_backend() {
    for text in names() {
        let evaluation =
            object(&["evaluate", "--objective", "MultiMargin", "--adapter", &text.to_uppercase()]);
        let is_it = |key: &str| evaluation[key].as_str().unwrap() == text;
        assert!(is_it("adapter") || is_it("api"), "asked for {text}, got {evaluation}");
        assert_eq!(evaluation["check_agrees"], true, "{evaluation}");
    }
}

#[test]
fn an_adapter_that_does_not_exist_is_an_error_and_never_the_cpu() {
    let output = run(&["evaluate", "--objective", "Contrastive", "--adapter", "no such adapter"]);
    assert_eq!(output.status.code(), Some(3));
    // Drivers may have written lines of their own before.
    let error = stderr(&output).lines().last().unwrap_or_default().to_string();
    assert!(error.starts_with("error: no GPU adapter found"), "{error}");
    assert!(error.contains("no such adapter"), "{error}");
    assert!(stdout(&output).is_empty());
}

#[test]
fn a_machine_without_an_adapter_is_told_so() {
    let (name, value) = NO_ADAPTER;
    let table = program(&["adapters"]).env(name, value).output().unwrap();
    assert!(table.status.success());
    assert!(stdout(&table).starts_with("No GPU adapter found"), "{}", stdout(&table));
    let json = program(&["adapters", "--json"]).env(name, value).output().unwrap();
    assert!(json.status.success());
    assert!(json.stdout.is_empty(), "{}", stdout(&json));
}

/// Two contexts stand in where there is one adapter; every result is within the bounds of the
/// reference, which the exit code says.
#[test]
fn adapters_share_the_rows_of_a_loss() {
    let objective = r#"{"loss":"NtXent","normalize":true}"#;
    let alone = object(&["evaluate", "--objective", objective, "--backend", "cpu"]);
    for backend in ["gpu", "cpu"] {
        let shared = object(&[
            "evaluate",
            "--objective",
            objective,
            "--adapters",
            "2",
            "--backend",
            backend,
            "--check",
        ]);
        for key in ["terms", "positive_pairs", "negative_pairs"] {
            assert_eq!(shared[key], alone[key], "{key} on {backend}");
        }
    }
    let output =
        run(&["evaluate", "--objective", "CosFace", "--adapters", "2", "--backend", "cpu"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--adapters cannot be given to inputs in prototypes mode"));
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.npy");
    let labels = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits-labels.npy");
    let files = [
        "--embeddings",
        digits,
        "--labels",
        labels,
        "--references",
        digits,
        "--reference-labels",
        labels,
    ];
    let weights = scratch("weights.npy");
    fs::write(&weights, npy::floats("(10,)", &[0.5; 10])).unwrap();
    let own = ["--reference-offset", "0", "--class-weights", weights.to_str().unwrap()];
    let asked = ["evaluate", "--objective", objective, "--backend", "cpu"];
    let alone = object(&[&asked[..], &files, &own].concat());
    let shared = object(&[&asked[..], &files, &own, &["--adapters", "2", "--check"]].concat());
    for key in ["terms", "positive_pairs", "negative_pairs"] {
        assert_eq!(shared[key], alone[key], "{key} of rows among the references");
    }
}
