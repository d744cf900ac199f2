//! The golden cases of verification.

use std::path::PathBuf;

use serde_json::{Value, json};
use wgpu_metric_learning::Batch;
use wgpu_metric_learning::measures::{Verification, Verified};

use super::{array, entries, files, integer, read, text};

/// One golden case.
pub struct Case {
    pub name: String,
    pub verification: Verification,
    /// As the index has it.
    pub expected: Value,
    /// The files of the inputs by the inputs' names.
    pub files: Vec<(String, PathBuf)>,
    mode: String,
    /// Rows and columns of the embeddings.
    shape: [usize; 2],
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    references: Vec<f32>,
    reference_labels: Vec<u32>,
    pairs: Vec<[u32; 2]>,
    same: Vec<u32>,
}

/// Every case of verification in the order of `measures.json`.
pub fn cases() -> Vec<Case> {
    let index = read("measures.json");
    let of_verification = index.iter().filter(|case| case["measure"] == "Verification");
    let cases: Vec<_> = of_verification.map(Case::new).collect();
    assert_eq!(cases.len(), 19, "none may be lost in silence");
    cases
}

impl Case {
    fn new(case: &Value) -> Self {
        let Value::Object(mut form) = case["parameters"].clone() else {
            panic!("parameters are an object")
        };
        form.insert("distance".into(), case["distance"].clone());
        form.insert("normalize".into(), json!(case["normalize"]));
        let inputs = &case["inputs"];
        Self {
            name: text(&case["name"]).into(),
            verification: serde_json::from_value(form.into()).expect("what is verified"),
            expected: case["expected"].clone(),
            files: files(inputs),
            mode: text(&case["mode"]).into(),
            shape: ["n", "d"].map(|key| integer(&case["shapes"][key]) as usize),
            embeddings: array(&inputs["embeddings"]).expect("every case has embeddings"),
            labels: array(&inputs["labels"]).unwrap_or_default(),
            references: array(&inputs["references"]).unwrap_or_default(),
            reference_labels: array(&inputs["reference_labels"]).unwrap_or_default(),
            pairs: entries(&inputs["pairs"]),
            same: array(&inputs["same"]).unwrap_or_default(),
        }
    }

    /// The inputs.
    pub fn batch(&self) -> Batch<'_> {
        let Self { embeddings, shape, labels, references, reference_labels, .. } = self;
        let batch = match self.mode.as_str() {
            "batch" => Batch::new(embeddings, *shape, labels),
            "reference" => Batch::new(embeddings, *shape, labels).and_then(|batch| {
                batch.with_references(references, reference_labels.len(), reference_labels)
            }),
            "pair_rows" => Batch::pair_rows(embeddings, references, *shape, &self.same),
            "pair_indices" => Batch::pair_indices(embeddings, *shape, &self.pairs, &self.same),
            mode => panic!("{}: {mode}", self.name),
        };
        batch.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    /// Holds what was found against what is expected. Thresholds are distances in f32, all else
    /// follows from counts.
    #[track_caller]
    pub fn hold(&self, found: &Verified, note: &str) {
        let Self { name, expected, .. } = self;
        assert_eq!(expected["same_pairs"], found.same_pairs, "{name} {note}");
        assert_eq!(expected["different_pairs"], found.different_pairs, "{name} {note}");
        let rates = |key: &str| expected[key].as_array().expect("a list").clone();
        let numbers = [
            (expected["auc"].clone(), Some(found.auc), 1e-12),
            (expected["eer"].clone(), Some(found.eer), 1e-12),
            (expected["eer_threshold"].clone(), Some(found.eer_threshold.into()), 1e-5),
            (expected["accuracy"].clone(), Some(found.accuracy), 1e-12),
            (expected["accuracy_threshold"].clone(), found.accuracy_threshold.map(f64::from), 1e-5),
        ];
        let tpr = rates("tpr").into_iter().zip(found.tpr.iter().map(|&tpr| (Some(tpr), 1e-12)));
        let thresholds = found.tpr_threshold.iter().map(|one| (one.map(f64::from), 1e-5));
        let thresholds = rates("tpr_threshold").into_iter().zip(thresholds);
        let lists =
            tpr.chain(thresholds).map(|(expected, (found, bound))| (expected, found, bound));
        assert_eq!(rates("tpr").len(), found.tpr.len(), "{name} {note}");
        for (at, (expected, found, bound)) in numbers.into_iter().chain(lists).enumerate() {
            let agrees = match (expected.as_f64(), found) {
                (Some(expected), Some(found)) => {
                    (expected - found).abs() <= bound * expected.abs().max(1.0)
                }
                (expected, found) => expected.is_none() && found.is_none(),
            };
            assert!(agrees, "{name} {note}: number {at} is {found:?}, expected {expected}");
        }
    }
}
