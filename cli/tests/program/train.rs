//! `train` and `apply`: a projection head of the bundled digits and of files.

use std::fs;

use serde_json::{Value, json};
use wgpu_metric_learning::{Loss, Mode};

use crate::{adapters, npy, objects, program, run, scratch, stderr, succeed};

const PAGE: &str = include_str!("../../../docs/guide/your-own.md");

/// How far a machine with other vector instructions may be from what the guide says.
const APART: f64 = 0.02;

/// The last number of the line of the guide that begins so.
fn said(beginning: &str) -> f64 {
    let line = PAGE.lines().find(|line| line.starts_with(beginning)).expect("a line of the guide");
    let last = line.split(['|', ' ']).rfind(|word| !word.is_empty());
    last.and_then(|word| word.parse().ok()).expect("a number")
}

#[test]
fn what_is_printed_is_as_the_guide_has_it() {
    let told = objects(&["train", "--backend", "cpu", "--quiet", "--normalize"]);
    let of = |side: &str, key: &str| told[0][side][key].as_f64().unwrap();
    for (line, key) in [
        ("Precision@1", "precision_at_1"),
        ("R-Precision", "r_precision"),
        ("MAP@R", "mean_average_precision_at_r"),
    ] {
        let (said, found) = (said(line), of("outputs", key));
        assert!((said - found).abs() < APART, "{line}: {found}, the guide has {said}");
        // No step has touched the inputs.
        let inputs = PAGE.lines().find(|text| text.starts_with(line)).unwrap();
        let inputs: f64 = inputs.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!((inputs - of("inputs", key)).abs() < 1e-6, "{line}: the guide has {inputs}");
    }
}

/// The MAP@R of the digits that were held out, after a training with this seed.
fn map_at_r(objective: &str, seed: u32) -> f64 {
    let seed = seed.to_string();
    let told = objects(&[
        "train",
        "--backend",
        "cpu",
        "--quiet",
        "--normalize",
        "--objective",
        objective,
        "--seed",
        &seed,
    ]);
    let [outcome] = &told[..] else { panic!("{told:?}") };
    let before = outcome["inputs"]["mean_average_precision_at_r"].as_f64().unwrap();
    assert!((before - 0.584).abs() < 1e-3, "{outcome}");
    outcome["outputs"]["mean_average_precision_at_r"].as_f64().unwrap()
}

/// On the digits, the first 1,000 rows to train and the last 797 to measure, 64-128-16, Adam with
/// 0.002, 600 steps of 10 x 8: the mean of three seeds. Raw pixels have 0.584. `--nocapture` prints
/// the figures of the guide.
#[test]
fn heads_of_the_digits_are_as_good_as_is_said() {
    let triplet = r#"{"loss": "Triplet", "reduction": "MeanNonZero"}"#;
    for (objective, least) in
        [("Contrastive", 0.86), (triplet, 0.85), ("LiftedStructured", 0.84), ("NtXent", 0.86)]
    {
        let found: Vec<_> = (0..3).map(|seed| map_at_r(objective, seed)).collect();
        let mean = found.iter().sum::<f64>() / 3.0;
        println!("{objective}: {mean:.3} of {found:.3?}");
        assert!(mean >= least, "{objective}: {mean} of {found:?}");
        let name = objective.split('"').nth(3).unwrap_or(objective);
        let said = said(&format!("| `{name}`"));
        assert!((mean - said).abs() < APART, "{name}: {mean}, the guide has {said}");
    }
}

#[test]
fn a_head_of_files_is_applied_and_measured() {
    let path = |name: &str| scratch(name).to_str().unwrap().to_owned();
    let [x, y, head, out] = ["x.npy", "y.npy", "head.safetensors", "e.npy"].map(path);
    // Three classes in the first number of five, the others of no use.
    let number = |at: usize| ((at * 7919 + 13) % 101) as f32 / 50.5 - 1.0;
    let rows: Vec<f32> = (0..60 * 5)
        .map(|at| if at % 5 == 0 { (at / 5 % 3) as f32 * 0.5 } else { number(at) })
        .collect();
    fs::write(&x, npy::floats("(60, 5)", &rows)).unwrap();
    let labels: Vec<u32> = (0..60).map(|row| row % 3).collect();
    fs::write(&y, npy::labels(&labels)).unwrap();
    let arguments = [
        "train",
        "--embeddings",
        &x,
        "--labels",
        &y,
        "--steps",
        "300",
        "--hidden",
        "16,8",
        "--dims",
        "2",
        "--normalize",
        "--schedule",
        "cosine",
        "--warm-up",
        "10",
        "--weight-decay",
        "0.001",
        "--out",
        &head,
    ];
    let told = objects(&[&arguments[..], &["--backend", "cpu"]].concat());
    let (outcome, steps) = told.split_last().unwrap();
    assert!(steps.len() >= 10 && steps[0]["step"] == 1 && steps[steps.len() - 1]["step"] == 300);
    let loss = |step: &Value| step["value"].as_f64().unwrap();
    assert!(loss(&steps[steps.len() - 1]) < 0.5 * loss(&steps[0]), "{steps:?}");
    let map = |side: &str| outcome[side]["mean_average_precision_at_r"].as_f64().unwrap();
    assert!(map("outputs") > map("inputs") + 0.2, "{outcome}");

    // Made again: the same file, to the bit.
    let first = fs::read(&head).unwrap();
    succeed(&[&arguments[..], &["--backend", "cpu", "--quiet"]].concat());
    assert_eq!(fs::read(&head).unwrap(), first);

    assert!(
        succeed(&["apply", "--head", &head, "--embeddings", &x, "--out", &out]).contains("60 x 2")
    );
    let measured = objects(&["measure", "--embeddings", &out, "--labels", &y, "--backend", "cpu"]);
    assert!(measured[0]["mean_average_precision_at_r"].as_f64().unwrap() > 0.6, "{measured:?}");
    // Of norm 1, as it was trained.
    let (numbers, shape) = npy::read(out.as_ref());
    assert_eq!(shape, [60, 2]);
    assert!(numbers.chunks(2).all(|row| (row[0].hypot(row[1]) - 1.0).abs() < 1e-6));
}

/// The three commands of the README, from the root of the repository but for the files they write.
#[test]
fn the_commands_of_the_readme_make_better_embeddings() {
    const README: &str = include_str!("../../../README.md");
    let (_, section) = README.split_once("## Better embeddings").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let folder = scratch("head.safetensors").parent().unwrap().to_owned();
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let word = |word: &str| match word.rsplit_once('.') {
        Some((_, "npy")) if word.contains('/') => root.join(word).to_str().unwrap().to_owned(),
        Some((_, "npy" | "safetensors" | "html")) => folder.join(word).to_str().unwrap().to_owned(),
        _ => word.to_owned(),
    };
    let commands = section.lines().filter_map(|line| line.strip_prefix("cargo run --release -- "));
    let commands: Vec<Vec<String>> =
        commands.map(|line| line.split_whitespace().map(word).collect()).collect();
    assert_eq!(commands.len(), 3);
    let on_cpu = |command: &[String]| match command[0].as_str() {
        "apply" => succeed(command),
        _ => succeed(&[command, &["--backend", "cpu", "--json"].map(String::from)].concat()),
    };
    let printed: Vec<_> = commands.iter().map(|command| on_cpu(command)).collect();
    let measured: Value = serde_json::from_str(&printed[2]).unwrap();
    assert!(measured["mean_average_precision_at_r"].as_f64().unwrap() > 0.85, "{measured}");
    let report = fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(report.contains("<title>A trained head</title>") && !report.contains("<script"));
    assert_eq!(report.matches("<svg ").count(), 6);
}

/// Weights of rows and of classes are the same where they say the same, and make another head than none.
#[test]
fn rows_and_classes_have_weights() {
    let path = |name: &str| scratch(name).to_str().unwrap().to_owned();
    let [x, y, of_rows, of_classes] = ["x.npy", "y.npy", "w.npy", "c.npy"].map(path);
    let number = |at: usize| ((at * 7919 + 13) % 101) as f32 / 50.5 - 1.0;
    fs::write(&x, npy::floats("(60, 5)", &(0..300).map(number).collect::<Vec<_>>())).unwrap();
    let labels: Vec<u32> = (0..60).map(|row| row / 7 % 3).collect();
    fs::write(&y, npy::labels(&labels)).unwrap();
    let classes = [0.0, 0.5, 3.0];
    fs::write(&of_classes, npy::floats("(3,)", &classes)).unwrap();
    let rows: Vec<f32> = labels.iter().map(|&label| classes[label as usize]).collect();
    fs::write(&of_rows, npy::floats("(60,)", &rows)).unwrap();
    let engines = adapters::names().into_iter().map(|name| ["--adapter".to_owned(), name]);
    for engine in engines.chain([["--backend".to_owned(), "cpu".to_owned()]]) {
        let head = path("head.safetensors");
        let arguments = |more: &[&str]| -> Vec<String> {
            let usual = ["train", "--quiet", "--embeddings", &x, "--labels", &y, "--steps", "9"];
            let all = usual.iter().chain(more).copied().map(String::from);
            all.chain(engine.iter().cloned()).collect()
        };
        let trained = |more: &[&str]| {
            succeed(&arguments(&[more, &["--out", &head]].concat()));
            fs::read(&head).unwrap()
        };
        let weighed = trained(&["--weights", &of_rows]);
        assert_eq!(trained(&["--class-weights", &of_classes]), weighed, "{engine:?}");
        assert_ne!(trained(&[]), weighed, "{engine:?}");
        let refused = |more: &[&str], part: &str| {
            let output = run(&arguments(more));
            assert_eq!(output.status.code(), Some(2), "{more:?}");
            assert!(stderr(&output).contains(part), "{more:?}: {}", stderr(&output));
        };
        refused(&["--weights", &of_classes], "has 3 weights for 60 embeddings");
        let negative = path("negative.npy");
        fs::write(&negative, npy::floats("(3,)", &[1.0, -1.0, 0.0])).unwrap();
        refused(&["--class-weights", &negative], "weight 1 is -1, allowed is a finite one from 0");
        fs::write(&negative, npy::floats("(2,)", &[1.0, 1.0])).unwrap();
        refused(&["--class-weights", &negative], "has 2 weights, and none for the label 2");
    }
}

/// Several losses are one objective, and stand in the file of the head with their weights.
#[test]
fn a_sum_of_losses_is_trained_with() {
    let head = scratch("head.safetensors").to_str().unwrap().to_owned();
    let objective = r#"[{"loss": "NtXent"}, {"loss": "Contrastive", "weight": 0.5}]"#;
    let arguments = ["train", "--backend", "cpu", "--normalize", "--objective", objective];
    let told = objects(&[&arguments[..], &["--steps", "100", "--out", &head]].concat());
    let (outcome, steps) = told.split_last().unwrap();
    assert_eq!(
        (outcome["steps"].as_u64(), outcome["ended"].as_str()),
        (Some(100), Some("finished"))
    );
    let terms = |objective: &str| {
        let arguments = ["train", "--backend", "cpu", "--steps", "1", "--objective", objective];
        objects(&arguments)[0]["terms"].as_u64().unwrap()
    };
    assert_eq!(steps[0]["terms"].as_u64().unwrap(), terms("NtXent") + terms("Contrastive"));
    assert!(
        outcome["outputs"]["mean_average_precision_at_r"].as_f64()
            > outcome["inputs"]["mean_average_precision_at_r"].as_f64()
    );
    let file = String::from_utf8_lossy(&fs::read(&head).unwrap()).into_owned();
    assert!(file.contains(r#"\"weight\":0.5}],"#) && file.contains("Contrastive"), "{file}");
}

/// A training that is left off and gone on with makes the head that one in one go makes, to the bit.
#[test]
fn a_training_is_resumed() {
    let path = |name: &str| scratch(name).to_str().unwrap().to_owned();
    let [whole, half, head] =
        ["whole.safetensors", "half.safetensors", "head.safetensors"].map(path);
    let engines = adapters::names().into_iter().map(|name| ["--adapter".to_owned(), name]);
    for engine in engines.chain([["--backend".to_owned(), "cpu".to_owned()]]) {
        let train = |more: &[&str]| -> Vec<String> {
            let usual = ["train", "--normalize", "--quiet", "--patience", "9"].into_iter();
            let all = usual.chain(engine.iter().map(String::as_str)).chain(more.iter().copied());
            all.map(String::from).collect()
        };
        let go = |more: &[&str]| objects(&train(more)).pop().unwrap();
        go(&["--steps", "40", "--validate-every", "5", "--out", &whole]);
        go(&["--steps", "20", "--validate-every", "5", "--checkpoint", &half]);
        let files = ["--checkpoint", &half, "--out", &head];
        let outcome =
            go(&[&["--steps", "40", "--validate-every", "5", "--resume", &half][..], &files]
                .concat());
        assert_eq!(outcome["ended"], "finished");
        assert_eq!(fs::read(&head).unwrap(), fs::read(&whole).unwrap(), "{engine:?}");
        let refused = |more: &[&str], part: &str| {
            let output = run(&train(more));
            assert_eq!(output.status.code(), Some(2), "{more:?}");
            assert!(stderr(&output).contains(part), "{more:?}: {}", stderr(&output));
        };
        refused(&["--steps", "40", "--resume", &half], "has made 40 steps, 40 are asked for");
        refused(&["--steps", "50", "--resume", &half, "--seed", "4"], "its seed is 0, and 4");
        refused(&["--steps", "50", "--resume", &half, "--dims", "4"], "its outputs is 16, and 4");
        refused(&["--steps", "50", "--resume", &half, "--warm-up", "4"], "its warm_up is 0, and 4");
        refused(&["--steps", "50", "--resume", &head], "has no tensor parameters");
        refused(&["--out", &head, "--checkpoint", &head], "--out too");
    }
}

/// Rows held out that get no better end a training, and the best head is kept.
#[test]
fn patience_ends_a_training() {
    let head = scratch("head.safetensors").to_str().unwrap().to_owned();
    let usual = ["train", "--backend", "cpu", "--normalize", "--learning-rate", "0.05"];
    let early = ["--patience", "3", "--validate-every", "10", "--out", &head];
    let told = objects(&[&usual[..], &early].concat());
    let (outcome, steps) = told.split_last().unwrap();
    let measured: Vec<(u64, f64)> = steps
        .iter()
        .filter_map(|told| {
            Some((told["step"].as_u64()?, told["mean_average_precision_at_r"].as_f64()?))
        })
        .collect();
    assert!(measured.iter().all(|(step, _)| step % 10 == 0), "{measured:?}");
    assert_eq!(outcome["ended"], "patience");
    let better = |best: (u64, f64), next: &(u64, f64)| if next.1 > best.1 { *next } else { best };
    let best = measured.iter().fold((0, 0.0), better);
    assert_eq!(outcome["steps"], best.0);
    assert_eq!(measured[measured.len() - 1].0, best.0 + 30, "{measured:?}");
    assert!(
        (outcome["outputs"]["mean_average_precision_at_r"].as_f64().unwrap() - best.1).abs() < 1e-6
    );
    // The head of the file is the best one: what as many steps make.
    let alone = scratch("alone.safetensors").to_str().unwrap().to_owned();
    let steps = best.0.to_string();
    succeed(&[&usual[..], &["--quiet", "--steps", &steps, "--out", &alone]].concat());
    assert_eq!(fs::read(&head).unwrap(), fs::read(&alone).unwrap());
}

/// Ctrl-C keeps what was learnt, and tells so by the exit code.
#[cfg(unix)]
#[test]
fn an_interrupted_training_keeps_what_it_has() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;

    let path = |name: &str| scratch(name).to_str().unwrap().to_owned();
    let [head, checkpoint] = ["head.safetensors", "checkpoint.safetensors"].map(path);
    let files = ["--out", &head, "--checkpoint", &checkpoint];
    let usual = ["train", "--backend", "cpu", "--json", "--validate-every", "10"];
    let mut child = program(&[&usual[..], &["--steps", "100000000"], &files].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // A few steps have been made.
    let first = lines.by_ref().take(3).map(Result::unwrap).last().unwrap();
    assert!(first.contains("mean_average_precision_at_r"), "{first}");
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let last = lines.map(Result::unwrap).last().unwrap();
    let outcome: Value = serde_json::from_str(&last).unwrap();
    assert_eq!(outcome["ended"], "interrupted");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(stderr(&output).contains("with what was learnt"), "{}", stderr(&output));
    // It is the head of as many steps, and can be gone on with.
    let steps = outcome["steps"].as_u64().unwrap();
    let usual = ["train", "--backend", "cpu", "--quiet"];
    let alone = path("alone.safetensors");
    let as_many = ["--steps", &steps.to_string(), "--out", &alone];
    succeed(&[&usual[..], &as_many].concat());
    assert_eq!(fs::read(&head).unwrap(), fs::read(&alone).unwrap());
    let more = ["--steps", &(steps + 1).to_string(), "--resume", &checkpoint];
    let resumed = objects(&[&usual[..], &more].concat());
    assert_eq!(resumed[0]["steps"], steps + 1);
}

/// Nobody reads what is printed: the head is written all the same.
#[test]
fn a_closed_pipe_does_not_end_a_training() {
    use std::process::Stdio;

    let head = scratch("head.safetensors").to_str().unwrap().to_owned();
    let arguments = ["train", "--backend", "cpu", "--steps", "40", "--validate-every", "2"];
    for form in [&["--json"][..], &[]] {
        let mut child = program(&[&arguments[..], form, &["--out", &head]].concat())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert!(child.wait().unwrap().success());
        fs::remove_file(&head).unwrap();
    }
}

#[test]
fn every_adapter_trains() {
    for adapter in adapters::names() {
        let told = objects(&["train", "--adapter", &adapter, "--steps", "60", "--normalize"]);
        let outcome = told.last().unwrap();
        let map = |side: &str| outcome[side]["mean_average_precision_at_r"].as_f64().unwrap();
        assert!(map("outputs") > map("inputs") + 0.1, "{adapter}: {outcome}");
    }
}

/// The help lists the losses that are trained with, and no other.
#[test]
fn the_losses_of_the_help_are_trained_with() {
    let help = succeed(&["train", "--help"]);
    let of_batches = |loss: &Loss| loss.modes().contains(&Mode::Batch);
    let mut listed = 0;
    for name in Loss::NAMES {
        let is_listed = help.lines().any(|line| line.trim_start() == *name);
        let step = ["train", "--backend", "cpu", "--quiet", "--steps", "1", "--objective", name];
        let output = run(&step);
        assert_eq!(output.status.success(), is_listed, "{name}: {}", stderr(&output));
        let loss: Loss = serde_json::from_value(json!({ "loss": name })).unwrap();
        assert_eq!(of_batches(&loss), is_listed, "{name}");
        listed += usize::from(is_listed);
    }
    assert!(listed > 10, "{help}");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let refused = |arguments: &[&str], part: &str| {
        let output = run(&[&["train", "--backend", "cpu"], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(part), "{arguments:?}: {}", stderr(&output));
    };
    refused(&["--objective", "L2"], "L2");
    refused(&["--objective", r#"{"loss": "Margin", "beta_per_class": true}"#], "beta");
    refused(&["--objective", r#"[{"loss": "NtXent"}, {"loss": "L2"}]"#], "L2");
    refused(&["--patience", "0"], "--patience");
    refused(&["--validate-every", "0"], "--validate-every");
    refused(&["--classes-per-batch", "11"], "classes_per_batch");
    refused(&["--hidden", "0"], "hidden layer");
    refused(&["--learning-rate=-1"], "learning_rate");
    refused(&["--learning-rate", "1e30"], "smaller learning rate");
    refused(&["--validation", "0.5"], "--embeddings");
    refused(&["--steps", "0"], "--steps");
    let output = run(&["train", "--backend", "reference"]);
    assert!(stderr(&output).contains("does not train"), "{}", stderr(&output));

    let path = |name: &str| scratch(name).to_str().unwrap().to_owned();
    let [x, head, out] = ["x.npy", "head.safetensors", "e.npy"].map(path);
    fs::write(&x, npy::floats("(2, 3)", &[0.5; 6])).unwrap();
    fs::write(&head, b"PK\x03\x04").unwrap();
    let output = run(&["apply", "--head", &head, "--embeddings", &x, "--out", &out]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("no .safetensors file"), "{}", stderr(&output));
    succeed(&["train", "--backend", "cpu", "--quiet", "--steps", "1", "--out", &head]);
    let output = run(&["apply", "--head", &head, "--embeddings", &x, "--out", &out]);
    assert!(stderr(&output).contains("3 numbers, the head takes 64"), "{}", stderr(&output));
    let onto_itself = run(&["apply", "--head", &head, "--embeddings", &x, "--out", &x]);
    assert!(stderr(&onto_itself).contains("--embeddings"), "{}", stderr(&onto_itself));
    assert!(!fs::exists(&out).unwrap());
}
