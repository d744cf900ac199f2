//! What has no effect is refused, or told.

use std::fs;

use serde_json::json;

use crate::errors::fails;
use crate::{npy, object, run, scratch};

#[test]
fn settings_without_effect_are_refused() {
    let objective_fails = |objective, text| {
        fails(
            &["evaluate", "--backend", "reference", "--objective", objective],
            &["--objective", text],
        );
    };
    objective_fails(
        r#"{"loss":"Triplet","soft":true,"margin":5}"#,
        "margin has no effect on this Triplet: a soft one has none",
    );
    objective_fails(r#"{"loss":"Margin","seed":3}"#, "seed has no effect on this Margin");
    objective_fails(
        r#"[{"loss":"L2"},{"loss":"Triplet","soft":true,"margin":5}]"#,
        "margin has no effect",
    );
    // What the program prints of an objective can be given to it again.
    let asked = r#"{"loss":"Triplet","soft":true}"#;
    let printed = object(&["evaluate", "--backend", "cpu", "--no-check", "--objective", asked]);
    let again = printed["objective"].to_string();
    let again = object(&["evaluate", "--backend", "cpu", "--no-check", "--objective", &again]);
    assert_eq!(again["value"], printed["value"]);
}

/// A file for the tests.
fn file(name: &str, content: &[u8]) -> String {
    let path = scratch(name);
    fs::write(&path, content).expect("a scratch file is written");
    path.display().to_string()
}

#[test]
fn scores_have_no_distance() {
    let scores = file("scores.npy", &npy::floats("(2, 2)", &[0.0, 1.0, 1.0, 0.0]));
    let labels = file("labels.npy", &npy::labels(&[0, 1]));
    let inputs = ["--backend", "reference", "--embeddings", &scores, "--labels", &labels];
    let objective = r#"{"loss":"MultiMargin","distance":"Cosine"}"#;
    fails(
        &[&["evaluate", "--objective", objective], &inputs[..]].concat(),
        &["distance has no effect on this MultiMargin: scores are no rows"],
    );
}

#[test]
fn prototypes_that_no_loss_takes_are_refused() {
    let rows = file("rows.npy", &npy::floats("(2, 2)", &[0.0, 1.0, 1.0, 0.0]));
    let labels = file("labels.npy", &npy::labels(&[0, 1]));
    let inputs = ["--embeddings", &rows, "--labels", &labels, "--prototypes", &rows];
    fails(
        &[&["bench", "--objective", "Triplet"], &inputs[..]].concat(),
        &["--prototypes: none of the losses takes them"],
    );
}

#[test]
fn listed_triplets_are_taken_where_no_mining_is_chosen() {
    let rows = file("rows.npy", &npy::floats("(3, 1)", &[0.0, 1.0, 3.0]));
    let triplets = file("triplets.npy", &npy::entries("(1, 3)", &[0, 1, 2]));
    let labels = file("labels.npy", &npy::labels(&[0, 0, 1]));
    let inputs = ["evaluate", "--embeddings", &rows, "--triplets", &triplets];
    let with = |objective| [&inputs[..], &["--objective", objective]].concat();
    for objective in ["Triplet", r#"{"loss":"Triplet","mining":"Explicit"}"#] {
        let evaluation = object(&[with(objective), vec!["--backend", "reference"]].concat());
        assert_eq!(evaluation["objective"]["mining"], json!("Explicit"));
        assert_eq!(evaluation["terms"], 1);
    }
    let mined = r#"{"loss":"Triplet","mining":"Hard"}"#;
    fails(&[with(mined), vec!["--labels", &labels]].concat(), &["--triplets: Triplet does not"]);
    fails(&[with("Triplet"), vec!["--labels", &labels]].concat(), &["--labels: Triplet does not"]);
    assert_eq!(run(&with(mined)).status.code(), Some(2));
}
