//! Weighted sums of losses, and the files of every mode, as the program takes them.

use std::fs;

use serde_json::{Value, json};

use crate::{npy, object, scratch, stderr, succeed};

const SUM: &str = r#"[{"loss":"Contrastive"},{"loss":"L2","weight":-0.5},{"loss":"Triplet","mining":"Hard","weight":2}]"#;

/// The options of files that hold these.
fn files(inputs: &[(&str, Vec<u8>)]) -> Vec<String> {
    let mut arguments = vec!["evaluate".to_string()];
    for (option, content) in inputs {
        let path = scratch(&format!("{option}.npy"));
        fs::write(&path, content).unwrap();
        arguments.extend([format!("--{option}"), path.display().to_string()]);
    }
    arguments
}

fn rows() -> Vec<(&'static str, Vec<u8>)> {
    let embeddings = npy::floats("(4, 2)", &[0.0, 1.0, 1.0, 0.0, 0.5, 0.25, 1.0, 1.0]);
    vec![("embeddings", embeddings), ("labels", npy::labels(&[0, 0, 1, 1]))]
}

fn with_objective(mut arguments: Vec<String>, objective: &str, others: &[&str]) -> Vec<String> {
    arguments.extend(["--objective", objective].map(String::from));
    arguments.extend(others.iter().map(|argument| argument.to_string()));
    arguments
}

#[test]
fn a_sum_is_the_weighted_sum_of_its_losses() {
    for backend in ["cpu", "gpu"] {
        let others = ["--backend", backend, "--check"];
        let sum = object(&with_objective(files(&rows()), SUM, &others));
        assert_eq!(sum["check_agrees"], true, "{sum}");
        let losses = sum["losses"].as_array().expect("a list of losses");
        assert_eq!(losses.iter().map(|one| &one["weight"]).collect::<Vec<_>>(), [1.0, -0.5, 2.0]);
        let mut total = 0.0;
        for (one, loss) in
            losses.iter().zip(["Contrastive", "L2", r#"{"loss":"Triplet","mining":"Hard"}"#])
        {
            let inputs = if loss == "L2" { rows()[..1].to_vec() } else { rows() };
            let alone = object(&with_objective(files(&inputs), loss, &others));
            for key in ["value", "terms", "nonzero_terms", "objective", "n", "d"] {
                assert_eq!(one[key], alone[key], "{loss}: {key}");
            }
            total += one["weight"].as_f64().unwrap() * alone["value"].as_f64().unwrap();
        }
        assert!((sum["value"].as_f64().unwrap() - total).abs() < 1e-6, "{sum} is not {total}");
    }
}

#[test]
fn a_sum_has_one_gradient_and_says_so() {
    let path = scratch("gradient.npy");
    let others = ["--backend", "reference", "--gradient-out", &path.display().to_string()];
    succeed(&with_objective(files(&rows()), SUM, &others));
    let (gradient, shape) = npy::read(&path);
    assert_eq!((gradient.len(), shape), (8, vec![4, 2]));
    let output = crate::run(&with_objective(files(&rows()), SUM, &["--per-anchor-out", "p.npy"]));
    assert!(stderr(&output).contains("--per-anchor-out: a sum of losses"), "{}", stderr(&output));
    let text = succeed(&with_objective(files(&rows()), SUM, &["--check"]));
    for part in [
        "weight",
        "Contrastive Euclidean Mean",
        "-0.5",
        "Their weighted sum",
        "loss of the objective",
    ] {
        assert!(text.contains(part), "{part} is not in\n{text}");
    }
}

#[test]
fn the_digits_are_trained_jointly() {
    let joint = r#"[{"loss":"CrossEntropy"},{"loss":"Triplet","weight":0.5,"normalize":true,"mining":"Hard"}]"#;
    let sum = object(&["evaluate", "--objective", joint]);
    assert_eq!(sum["check_agrees"], true, "{sum}");
    let shapes: Vec<_> =
        sum["losses"].as_array().unwrap().iter().map(|one| [&one["n"], &one["d"]]).collect();
    assert_eq!(shapes, [[1797, 10], [1797, 64]], "logits and pixels");
}

/// In pair mode the default reduction is that of Hadsell et al., unless another one is asked for.
#[test]
fn pairs_have_a_default_reduction_of_their_own() {
    let pairs = || {
        let list =
            [("pairs", npy::entries("(2, 2)", &[0, 1, 1, 2])), ("same", npy::labels(&[1, 0]))];
        rows().into_iter().take(1).chain(list).collect::<Vec<_>>()
    };
    let reduction = |inputs: &[(&str, Vec<u8>)], objective: &str| {
        let found = object(&with_objective(files(inputs), objective, &["--backend", "reference"]));
        (found["objective"]["reduction"].clone(), found["value"].as_f64().unwrap())
    };
    let hadsell = reduction(&pairs(), "Contrastive");
    let mean = reduction(&pairs(), r#"{"loss":"Contrastive","reduction":"Mean"}"#);
    assert_eq!([&hadsell.0, &mean.0], [&json!("HadsellMean"), &json!("Mean")]);
    assert!(mean.1 > 0.0 && (mean.1 - 2.0 * hadsell.1).abs() < 1e-12);
    assert_eq!(reduction(&rows(), "Contrastive").0, json!("Mean"));
    let aligned: Vec<_> = rows().into_iter().take(1).collect();
    let references = ("references", npy::floats("(4, 2)", &[0.5; 8]));
    let aligned = aligned
        .into_iter()
        .chain([references, ("same", npy::labels(&[1, 0, 1, 0]))])
        .collect::<Vec<_>>();
    assert_eq!(reduction(&aligned, "Contrastive").0, json!("HadsellMean"));
}

#[test]
fn sums_that_are_none() {
    for (objective, texts) in [
        ("[]", &["--objective", "JSON object"][..]),
        (r#"[{"loss":"Triplet","weight":"much"}]"#, &["weight", "much"]),
        (r#"[{"loss":"Triplet","weight":1e300}]"#, &["weight", "finite"]),
        (r#"["Triplet"]"#, &["--objective", "JSON object"]),
        (r#"[{"weight":1}]"#, &["--objective", "loss"]),
        (r#"[{"loss":"Triplet"},{"loss":"Huber"}]"#, &["--targets", "Huber"]),
    ] {
        let output =
            crate::run(&with_objective(files(&rows()), objective, &["--backend", "reference"]));
        assert_eq!(output.status.code(), Some(2), "{objective}");
        for text in texts {
            assert!(stderr(&output).contains(text), "{text} is not in: {}", stderr(&output));
        }
    }
}

#[test]
fn a_single_loss_may_have_a_weight() {
    let one = object(&with_objective(
        files(&rows()),
        r#"{"loss":"Contrastive","weight":3}"#,
        &["--backend", "reference"],
    ));
    let plain = object(&with_objective(files(&rows()), "Contrastive", &["--backend", "reference"]));
    let [one, plain] = [one, plain].map(|found: Value| found["value"].as_f64().unwrap());
    assert!((one - 3.0 * plain).abs() < 1e-12);
}

/// Own rows against gathered ones, as in training on several machines: the losses of the parts are
/// those of the batch, whose gradient is what a row gets as query and as reference.
#[test]
fn own_rows_among_the_references_are_left_out() {
    let itself = |others: &[&str]| {
        let mut given = rows();
        given
            .extend([("references", given[0].1.clone()), ("reference-labels", given[1].1.clone())]);
        object(&with_objective(files(&given), "NtXent", others))
    };
    for backend in ["cpu", "gpu"] {
        let batch = object(&with_objective(files(&rows()), "NtXent", &["--backend", backend]));
        let found = itself(&["--backend", backend, "--check", "--reference-offset", "0"]);
        assert_eq!(found["check_agrees"], true, "{found}");
        let [expected, loss] = [&batch, &found].map(|one| one["value"].as_f64().unwrap());
        assert!((expected - loss).abs() < 1e-6 * expected, "{expected} {loss}");
        let with_themselves = itself(&["--backend", backend])["value"].as_f64().unwrap();
        assert!((with_themselves - expected).abs() > 0.01, "{with_themselves} {expected}");
    }
    let refused = crate::run(&with_objective(files(&rows()), "L2", &["--reference-offset", "0"]));
    assert!(stderr(&refused).contains("--reference-labels"), "{}", stderr(&refused));
}
