//! `verify`: the golden cases by way of files, the digits, and what is refused.

use std::fs;

use serde_json::Value;
use support::goldens::verification;

use crate::errors::fails;
use crate::{npy, object, scratch, succeed};

#[test]
fn the_golden_cases_come_out_of_files() {
    for case in verification::cases() {
        let rates: Vec<_> =
            case.verification.tpr_at_fpr.iter().map(|fpr| fpr.to_string()).collect();
        let distance = case.verification.distance.name();
        let start = ["verify", "--backend", "cpu", "--check", "--distance", distance];
        let mut arguments = start.map(String::from).to_vec();
        arguments.extend(["--tpr-at-fpr".into(), rates.join(",")]);
        arguments.extend(case.verification.normalize.then(|| "--normalize".into()));
        for (input, path) in &case.files {
            let option = format!("--{}", input.replace('_', "-"));
            arguments.extend([option, path.display().to_string()]);
        }
        let found = object(&arguments);
        assert_eq!(found["check_agrees"], true, "{}", case.name);
        let same = |key: &str, expected: &Value| match (expected.as_f64(), found[key].as_f64()) {
            (Some(expected), Some(found)) => {
                let error = (expected - found).abs();
                assert!(error <= 1e-5 * expected.abs().max(1.0), "{}: {key}", case.name);
            }
            (expected, found) => assert_eq!(expected, found, "{}: {key}", case.name),
        };
        for key in ["same_pairs", "different_pairs", "auc", "eer", "eer_threshold", "accuracy"] {
            same(key, &case.expected[key]);
        }
        same("accuracy_threshold", &case.expected["accuracy_threshold"]);
        for (at, rate) in rates.iter().enumerate() {
            same(&format!("tpr_at_fpr_{rate}"), &case.expected["tpr"][at]);
            same(&format!("threshold_at_fpr_{rate}"), &case.expected["tpr_threshold"][at]);
        }
    }
}

#[test]
fn the_digits_are_verified_without_files() {
    let start = ["verify", "--backend", "cpu"];
    let asked = ["--distance", "cosine", "--tpr-at-fpr", "0.1,0.01"];
    let text = succeed(&[&start[..], &asked].concat());
    assert!(text.starts_with("Verification Cosine on the CPU engine (f32)\n"), "{text}");
    for key in ["n", "d", "same_pairs", "auc", "eer", "tpr_at_fpr_0.01", "threshold_at_fpr_0.01"] {
        let is_there = text.lines().any(|line| line.split_whitespace().next() == Some(key));
        assert!(is_there, "{key} in\n{text}");
    }
    let found = object(&start);
    let keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "accuracy accuracy_threshold adapter api arithmetic auc backend check_agrees check_quantity check_share_of_bound compile_ms d different_pairs driver driver_info eer eer_threshold \
        elapsed_ms n same_pairs threshold_at_fpr_0.001 threshold_at_fpr_0.01 threshold_at_fpr_0.1 tier tpr_at_fpr_0.001 tpr_at_fpr_0.01 tpr_at_fpr_0.1 \
        verification version";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    let pairs = found["same_pairs"].as_u64().unwrap() + found["different_pairs"].as_u64().unwrap();
    assert_eq!(pairs, 1797 * 1796 / 2);
    let auc = found["auc"].as_f64().unwrap();
    assert!(auc > 0.85 && auc < 0.99, "{auc}");
}

/// What each backend says of one list of pairs, whose distances are whole numbers.
#[test]
fn every_backend_finds_the_same() {
    let write = |name: &str, content: Vec<u8>| {
        let path = scratch(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let left = write("left.npy", npy::floats("(5, 1)", &[0.0, 3.0, 1.0, 9.0, 4.0]));
    let right = write("right.npy", npy::floats("(5, 1)", &[1.0, 3.0, 5.0, 2.0, 7.0]));
    let same = write("same.npy", npy::labels(&[1, 1, 0, 0, 1]));
    let files = ["--embeddings", &left, "--references", &right, "--same", &same];
    let found = ["gpu", "cpu", "reference"].map(|backend| {
        let found = object(&[&["verify", "--check", "--backend", backend], &files[..]].concat());
        assert_eq!((&found["backend"], &found["check_agrees"]), (&backend.into(), &true.into()));
        let keys =
            ["auc", "eer", "eer_threshold", "accuracy", "accuracy_threshold", "tpr_at_fpr_0.1"];
        keys.map(|key| found[key].as_f64().unwrap())
    });
    assert_eq!(found, [[1.0, 0.0, 3.0, 1.0, 3.0, 1.0]; 3]);
}

#[test]
fn what_cannot_be_verified_is_named() {
    let write = |name: &str, content: Vec<u8>| {
        let path = scratch(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let rows = write("rows.npy", npy::floats("(3, 1)", &[0.0, 3.0, 1.0]));
    let labels = write("labels.npy", npy::labels(&[0, 1, 2]));
    let same = write("same.npy", npy::labels(&[0, 1, 1]));
    let start = ["verify", "--backend", "cpu", "--embeddings", &rows];
    let with = |more: &[&'static str]| [&start[..], more].concat();
    fails(&with(&[]), &["--labels", "needs it"]);
    fails(&[&start[..], &["--references", &rows]].concat(), &["--reference-labels"]);
    fails(&[&start[..], &["--same", &same]].concat(), &["--pairs"]);
    let labelled = [&start[..], &["--labels", &labels]].concat();
    fails(&labelled, &["a pair that is the same is missing"]);
    let rate = [&labelled[..], &["--tpr-at-fpr", "1.5"]].concat();
    fails(&rate, &["tpr_at_fpr is 1.5, allowed is from 0 to 1"]);
}
