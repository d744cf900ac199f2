//! `measure`: retrieval measures of the bundled digits and of files.

use std::fs;

use serde_json::{Value, json};

use crate::{adapters, npy, object, run, scratch, stderr, stdout, succeed};

#[test]
fn the_digits_agree_on_every_adapter() {
    let expected = object(&["measure", "--backend", "reference"]);
    for adapter in adapters::names() {
        let found = object(&["measure", "--adapter", &adapter]);
        assert_eq!(
            [&found["backend"], &found["check_agrees"]],
            [&json!("gpu"), &json!(true)],
            "{found}"
        );
        assert_eq!([&found["n"], &found["counted"]], [1797, 1797]);
        for key in MEASURES {
            let [found, expected] = [&found, &expected].map(|object| object[key].as_f64().unwrap());
            assert!(
                (found - expected).abs() < 1e-3 && expected > 0.5 && expected < 1.0,
                "{key}: {found}, {expected}"
            );
        }
    }
}

const MEASURES: [&str; 9] = [
    "precision_at_1",
    "recall_at_1",
    "recall_at_2",
    "recall_at_4",
    "recall_at_8",
    "r_precision",
    "mean_average_precision_at_r",
    "mean_average_precision",
    "mean_reciprocal_rank",
];

#[test]
fn one_object_with_these_keys_and_the_same_as_lines() {
    let arguments = [
        "measure",
        "--backend",
        "reference",
        "--distance",
        "Manhattan",
        "--normalize",
        "--recall-at",
        "3,1",
        "--precision-at",
        "1,5",
        "--ndcg-at",
        "10",
    ];
    let found = object(&arguments);
    let keys: Vec<&str> = found.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = "adapter api arithmetic backend check_agrees check_quantity check_share_of_bound compile_ms counted d driver driver_info elapsed_ms \
        mean_average_precision mean_average_precision_at_r mean_reciprocal_rank n ndcg_at_10 precision_at_1 \
        precision_at_5 r_precision recall_at_1 recall_at_3 retrieval tier version";
    assert_eq!(keys, expected.split_whitespace().collect::<Vec<_>>());
    assert_eq!(
        found["retrieval"],
        json!({
            "distance": "Manhattan",
            "normalize": true,
            "recall_at": [3, 1],
            "precision_at": [1, 5],
            "ndcg_at": [10],
        })
    );
    let text = succeed(&arguments);
    assert!(
        text.starts_with("Retrieval Manhattan normalize on the CPU reference (f64)\n"),
        "{text}"
    );
    for key in [
        "n",
        "d",
        "counted",
        "precision_at_1",
        "recall_at_3",
        "recall_at_1",
        "r_precision",
        "elapsed",
    ] {
        assert!(
            text.lines().any(|line| line.split_whitespace().next() == Some(key)),
            "{key} in\n{text}"
        );
    }
    assert!(text.contains("the reference itself"), "{text}");
}

#[test]
fn the_workspace_does_not_change_a_digit() {
    let measure = |mib: &str| object(&["measure", "--backend", "gpu", "--workspace-mib", mib]);
    let [whole, cut] = ["64", "1"].map(measure);
    MEASURES.iter().for_each(|key| assert_eq!(whole[key], cut[key], "{key}"));
}

/// Four rows on a line and three references, written to files.
struct Files {
    embeddings: String,
    labels: String,
    references: String,
    reference_labels: String,
}

impl Files {
    fn new() -> Self {
        let write = |name: &str, content: Vec<u8>| {
            let path = scratch(name);
            fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        Self {
            embeddings: write("embeddings.npy", npy::floats("(4, 1)", &[0.0, 3.0, 1.0, 9.0])),
            labels: write("labels.npy", npy::labels(&[7, 7, 8, 8])),
            references: write("references.npy", npy::floats("(3, 1)", &[0.5, 2.5, 8.0])),
            reference_labels: write("reference-labels.npy", npy::labels(&[8, 7, 7])),
        }
    }

    fn batch(&self) -> Vec<&str> {
        vec![
            "measure",
            "--embeddings",
            &self.embeddings,
            "--labels",
            &self.labels,
            "--recall-at",
            "1,2,9",
        ]
    }

    fn against(&self) -> Vec<&str> {
        let references =
            ["--references", &self.references, "--reference-labels", &self.reference_labels];
        [self.batch(), references.to_vec()].concat()
    }
}

#[test]
fn files_are_measured_as_counted_by_hand() {
    let files = Files::new();
    // Rows 0 to 3 find their label at ranks 2, 2, 3 and 2: R = 1, so nothing is within R.
    let batch = [0.0, 0.0, 0.75, 1.0, 0.0, 0.0];
    // Row 0 (R = 2) ranks 8 7 7, row 1 (R = 2) 7 8 7, row 2 (R = 1) 8 7 7, row 3 (R = 1) 7 7 8.
    let against = [0.5, 0.5, 0.75, 1.0, 0.5, (0.25 + 0.5 + 1.0 + 0.0) / 4.0];
    for (arguments, expected) in [(files.batch(), batch), (files.against(), against)] {
        for backend in ["cpu", "gpu"] {
            let found =
                object(&[arguments.clone(), vec!["--check", "--backend", backend]].concat());
            assert_eq!(
                [&found["counted"], &found["check_agrees"]],
                [&json!(4), &json!(true)],
                "{found}"
            );
            let keys =
                ["precision_at_1", "recall_at_1", "recall_at_2", "recall_at_9", "r_precision"];
            let keys = keys.into_iter().chain(["mean_average_precision_at_r"]);
            for (key, expected) in keys.zip(expected) {
                assert!((found[key].as_f64().unwrap() - expected).abs() < 1e-6, "{key} of {found}");
            }
        }
    }
    let unchecked = object(&files.batch());
    assert_eq!(unchecked.get("check_agrees"), None);
    assert_eq!(object(&files.against())["m"], Value::from(3));
}

#[track_caller]
fn fails(arguments: &[&str], code: i32, text: &str) {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(code), "{}", stderr(&output));
    assert!(stderr(&output).contains(text), "{text} is not in: {}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn what_cannot_be_measured_is_named() {
    let files = Files::new();
    fails(&["measure", "--recall-at", "1,0"], 2, "recall_at is 0, allowed is 1 or more");
    fails(&["measure", "--recall-at", "1,two"], 2, "--recall-at");
    fails(
        &["measure", "--distance", "Chebyshev"],
        2,
        "[possible values: Euclidean, SquaredEuclidean, Manhattan, Cosine, InnerProduct]",
    );
    fails(&["measure", "--embeddings", &files.embeddings], 2, "--labels");
    fails(&["measure", "--labels", &files.labels], 2, "--embeddings");
    fails(
        &[files.batch(), vec!["--references", &files.references]].concat(),
        2,
        "--reference-labels",
    );
    fails(&["measure", "--backend", "reference", "--adapter", "any"], 2, "--adapter");
    fails(&["measure", "--adapter", "no such adapter"], 3, "no such adapter");
    fails(&["measure", "--embeddings", &files.embeddings, "--labels", "no.npy"], 2, "no.npy");
    let few = ["measure", "--embeddings", &files.embeddings, "--labels", &files.reference_labels];
    fails(&few, 2, "labels has 3 values");
}

#[test]
fn labels_that_are_all_different_are_told() {
    let files = Files::new();
    let path = scratch("different.npy");
    fs::write(&path, npy::labels(&[1, 2, 3, 4])).unwrap();
    let labels = path.display().to_string();
    let output = run(&[
        "measure",
        "--backend",
        "reference",
        "--embeddings",
        &files.embeddings,
        "--labels",
        &labels,
    ]);
    assert!(output.status.success());
    assert!(stderr(&output).starts_with("note: no label is there twice"), "{}", stderr(&output));
    let output = run(&[files.batch(), vec!["--backend", "reference"]].concat());
    assert_eq!(stderr(&output), "");
}

/// One file as embeddings and as references: told, and with the offset what the batch is.
#[test]
fn rows_do_not_retrieve_themselves() {
    let files = Files::new();
    let itself = ["--references", &files.embeddings, "--reference-labels", &files.labels];
    let itself = [files.batch(), itself.to_vec()].concat();
    let without = [itself.clone(), vec!["--backend", "cpu"]].concat();
    assert_eq!(object(&without)["precision_at_1"], 1.0);
    let told = stderr(&run(&without));
    assert!(told.contains("--embeddings and --references are one file"), "{told}");
    let with = [itself.clone(), vec!["--reference-offset", "0"]].concat();
    for backend in ["cpu", "gpu"] {
        let found = object(&[with.clone(), vec!["--check", "--backend", backend]].concat());
        let batch = object(&[files.batch(), vec!["--backend", backend]].concat());
        assert_eq!(found["check_agrees"], true, "{found}");
        for key in ["counted", "precision_at_1", "recall_at_2", "recall_at_9", "r_precision"] {
            assert_eq!(found[key], batch[key], "{key} of {found}");
        }
    }
    let told = stderr(&run(&[with, vec!["--backend", "cpu"]].concat()));
    assert_eq!(told, "");
    fails(&[itself, vec!["--reference-offset", "1"]].concat(), 2, "reference_offset is 1");
    fails(&[files.batch(), vec!["--reference-offset", "0"]].concat(), 2, "--references");
}

/// More positives than the kernels sort at once, near and far from their queries.
#[test]
fn large_classes_are_measured() {
    const N: usize = 2_600;
    let number = |at: usize| (at * 7_919 % 10_007) as f32 / 1_000.0;
    let near: Vec<f32> = (0..N).map(|row| number(row) + 20.0 * (row % 2) as f32).collect();
    let mixed: Vec<f32> = (0..N).map(number).collect();
    let labels: Vec<u32> = (0..N as u32).map(|row| row % 2).collect();
    for (rows, range) in [(near, 0.99999..=1.00001), (mixed, 0.4..=0.6)] {
        let [embeddings, labels] = [
            ("large.npy", npy::floats(&format!("({N}, 1)"), &rows)),
            ("large-labels.npy", npy::labels(&labels)),
        ]
        .map(|(name, content)| {
            let path = scratch(name);
            fs::write(&path, content).unwrap();
            path.display().to_string()
        });
        let found = object(&[
            "measure",
            "--backend",
            "gpu",
            "--check",
            "--embeddings",
            &embeddings,
            "--labels",
            &labels,
        ]);
        assert_eq!(found["check_agrees"], true, "{found}");
        let found = found["r_precision"].as_f64().unwrap();
        assert!(range.contains(&found), "{found}");
    }
}

#[test]
fn classes_and_confidence_are_told_where_they_are_asked_for() {
    let asked = ["measure", "--backend", "cpu", "--per-class", "--bootstrap", "200", "--seed", "5"];
    let found = object(&asked);
    let classes = found["classes"].as_array().unwrap();
    let names: Vec<_> = classes.iter().map(|class| class["class"].as_str().unwrap()).collect();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    let queries = |class: &Value| class["queries"].as_u64().unwrap();
    assert_eq!(classes.iter().map(queries).sum::<u64>(), 1797);
    let confidence = &found["confidence"];
    assert_eq!(
        [&confidence["share"], &confidence["draws"], &confidence["seed"]],
        [&json!(0.95), &json!(200), &json!(5)]
    );
    for key in MEASURES {
        let number = |of: &Value| of[key].as_f64().unwrap();
        let mean = classes.iter().map(|class| number(class) * queries(class) as f64).sum::<f64>();
        assert!((mean / 1797.0 - number(&found)).abs() < 1e-6, "{key}");
        let [low, high] = ["low", "high"].map(|bound| number(&confidence[bound]));
        assert!(low < number(&found) && number(&found) < high, "{key}: {low}, {high}");
    }
    let text = succeed(&asked);
    assert!(text.contains("\nIn 95 % of 200 draws of the queries:\n"), "{text}");
    assert!(text.contains("\nClass 9, 180 queries:\n"), "{text}");
    assert_eq!(object(&asked)["confidence"], *confidence);
    fails(&["measure", "--bootstrap", "0"], 2, "--bootstrap");
}

#[test]
fn classes_go_by_the_names_of_the_labels() {
    let files = Files::new();
    let names = scratch("names.csv");
    fs::write(&names, "name,id\nowl,1\nowl,2\nemu,3\nemu,4\n").unwrap();
    let mut arguments = files.batch();
    let labels = format!("{}#name", names.display());
    arguments[4] = &labels;
    let found = object(&[arguments, vec!["--backend", "cpu", "--per-class"]].concat());
    let names = found["classes"].as_array().unwrap().iter().map(|class| class["class"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["emu", "owl"]);
}
