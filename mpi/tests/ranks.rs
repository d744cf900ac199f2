//! The program under `mpirun`, on one machine: what rank 0 prints is what one machine finds.

use std::fs::File;
use std::io::{BufRead, BufReader, Cursor};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use npyz::{NpyFile, WriterBuilder};
use serde_json::Value;
use wgpu_metric_learning::{Batch, Cpu, Evaluation, Loss, Mode};

const PROGRAM: &str = env!("CARGO_BIN_EXE_wgpu-metric-learning-mpi");
const DIGITS: &[u8] = include_bytes!("../data/digits.npy");
const LABELS: &[u8] = include_bytes!("../data/digits-labels.npy");
const COLUMNS: usize = 64;

/// Of one machine, which may have fewer cores than ranks.
const USUAL: [&str; 4] = ["--oversubscribe", "--allow-run-as-root", "--bind-to", "none"];

/// `mpirun` on this machine alone, until it ends.
fn mpirun(arguments: &[&str]) -> Output {
    Command::new("mpirun")
        .args(USUAL)
        .args(arguments)
        .env("RAYON_NUM_THREADS", "1")
        .output()
        .expect("mpirun starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What rank 0 of so many prints.
fn lines(ranks: usize, arguments: &[&str]) -> Vec<Value> {
    let ranks = ranks.to_string();
    let output = mpirun(&[&["-n", &ranks, PROGRAM], arguments, &["--json"]].concat());
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

/// What ranks say that end with an error.
fn failure(arguments: &[&str]) -> String {
    let output = mpirun(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    text(&output.stderr)
}

fn digits() -> (Vec<f32>, Vec<u32>) {
    let images = NpyFile::new(Cursor::new(DIGITS)).unwrap().into_vec().unwrap();
    (images, NpyFile::new(Cursor::new(LABELS)).unwrap().into_vec().unwrap())
}

/// All digits, or of a loss of two towers the first half against the second.
fn alone(loss: &Loss) -> Evaluation {
    let (images, labels) = digits();
    let rows = labels.len();
    let half = rows / 2;
    let cpu = Cpu::default();
    let batch = match loss.modes().contains(&Mode::Batch) {
        true => Batch::new(&images, [rows, COLUMNS], &labels),
        false => Batch::new(&images[..half * COLUMNS], [half, COLUMNS], &labels[..half]).and_then(
            |batch| {
                let others = &images[half * COLUMNS..2 * half * COLUMNS];
                batch.with_references(others, half, &labels[half..2 * half])
            },
        ),
    };
    let batch = batch.unwrap();
    cpu.evaluate(loss, &batch).wait().unwrap()
}

fn norm(evaluation: &Evaluation) -> f64 {
    evaluation.gradient.iter().map(|&slope| f64::from(slope).powi(2)).sum::<f64>().sqrt()
}

fn assert_near(found: &Value, expected: f64, what: &str) {
    let found = found.as_f64().expect("a number");
    assert!((found - expected).abs() <= 1e-5 * expected.abs(), "{what}: {found}, not {expected}");
}

fn loss_of(line: &Value) -> Loss {
    serde_json::from_value(line["objective"].clone()).expect("a loss")
}

/// A folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn write<T: npyz::Serialize + npyz::AutoSerialize + Copy>(
    path: &Path,
    shape: &[u64],
    numbers: &[T],
) {
    let file = File::create(path).unwrap();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(shape).writer(file).begin_nd().unwrap();
    writer.extend(numbers.iter().copied()).unwrap();
    writer.finish().unwrap();
}

#[test]
fn three_uneven_ranks_print_the_loss_and_gradient_norm_of_one_machine_for_every_loss() {
    let lines = lines(3, &["evaluate", "--cut", "5,1,3"]);
    let names: Vec<_> = lines.iter().map(|line| loss_of(line).name()).collect();
    assert_eq!(
        names,
        [
            "Contrastive",
            "Triplet",
            "LiftedStructured",
            "Margin",
            "NtXent",
            "SupCon",
            "GeneralizedLiftedStructured",
            "Nca",
            "MultiSimilarity",
            "Circle",
            "FastAp",
            "SmoothAp",
            "SigLip",
            "Clip",
        ]
    );
    for line in &lines {
        let loss = loss_of(line);
        let expected = alone(&loss);
        assert_near(&line["value"], expected.loss.into(), loss.name());
        assert_near(&line["gradient_norm"], norm(&expected), loss.name());
        let counts = ["terms", "nonzero_terms", "positive_pairs"].map(|key| line[key].as_u64());
        let all = [expected.terms, expected.nonzero_terms, expected.positive_pairs];
        assert_eq!(counts, all.map(Some), "{loss:?}");
    }
}

#[test]
fn one_rank_and_a_rank_without_rows_are_no_exception() {
    let objective = r#"{"loss":"Contrastive","normalize":true,"reduction":"MeanNonZero"}"#;
    let expected = alone(&serde_json::from_str(objective).unwrap());
    for (ranks, cut) in [(1, "1"), (2, "1,1"), (4, "2,0,1,1")] {
        let lines = lines(ranks, &["evaluate", "--objective", objective, "--cut", cut]);
        assert_near(&lines[0]["value"], expected.loss.into(), cut);
        assert_near(&lines[0]["gradient_norm"], norm(&expected), cut);
    }
}

#[test]
fn measures_are_those_of_one_rank() {
    let [one, three] = [(1, "1"), (3, "1,4,2")].map(|(ranks, cut)| {
        let mut lines = lines(ranks, &["measure", "--cut", cut]);
        lines[0].as_object_mut().unwrap().remove("ranks");
        lines
    });
    assert_eq!(one, three);
    assert!(one[0]["precision_at_1"].as_f64().unwrap() > 0.9);
}

#[test]
fn ranks_train_what_one_rank_trains() {
    let [one, three] = [(1, "1"), (3, "1,0,2")]
        .map(|(ranks, cut)| lines(ranks, &["train", "--steps", "8", "--cut", cut]));
    let value = |line: &Value| line["value"].as_f64().unwrap();
    for (one, three) in one.iter().zip(&three) {
        let apart = (value(one) - value(three)).abs() / value(one);
        assert!(apart < 1e-3, "{one} and {three}");
    }
    assert!(value(&three[7]) < value(&three[0]), "{three:?}");
}

#[test]
fn each_rank_reads_its_part_and_all_learn_what_is_wrong_with_one() {
    let folder = folder("faults");
    let [embeddings, labels] = ["embeddings.npy", "labels.npy"].map(|name| folder.join(name));
    let [rows, of_labels] = [&embeddings, &labels].map(|path| path.to_str().unwrap());
    let mut numbers: Vec<f64> = (0..30).map(|at| f64::from(at * at % 11)).collect();
    write(&labels, &[10], &[0_i64, 1, 0, 1, 0, 1, 0, 1, 2, 2]);
    write(&embeddings, &[10, 3], &numbers);
    let files = ["--embeddings", rows, "--labels", of_labels, "--cut", "1,3,1"];
    let objective = ["evaluate", "--objective", r#"{"loss":"Triplet"}"#];
    let found = lines(3, &[&objective[..], &files].concat());
    assert_eq!(found[0]["positive_pairs"], 12 + 12 + 2);
    numbers[3 * 4 + 1] = f64::NAN;
    write(&embeddings, &[10, 3], &numbers);
    let said = failure(&[&["-n", "3", PROGRAM], &objective[..], &files].concat());
    assert!(said.contains("rank 1: embeddings is not finite at row 2, column 1"), "{said}");
    let missing = ["--embeddings", "none.npy", "--labels", of_labels];
    let said = failure(&[&["-n", "3", PROGRAM], &objective[..], &missing].concat());
    assert!(said.contains("none.npy"), "{said}");
}

/// A rank that is killed, and one that is stopped, in the midst of a long training.
#[test]
fn nobody_waits_for_a_rank_that_dies_or_is_silent() {
    let train = ["train", "--steps", "1000000", "--patience", "5"];
    let rank = [&["-n", "1", PROGRAM][..], &train].concat();
    for signal in ["-KILL", "-STOP"] {
        let file = folder("dying").join(format!("process{signal}"));
        // The rank says which process it is before it becomes the program.
        let command = format!("echo $$ >'{}'; exec \"$@\"", file.display());
        let dying = [&["-n", "1", "sh", "-c", &command, "sh", PROGRAM][..], &train].concat();
        let mut running = Command::new("mpirun")
            .args(USUAL)
            .args([&rank[..], &[":"], &dying, &[":"], &rank].concat())
            .env("RAYON_NUM_THREADS", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("mpirun starts");
        // Once rank 0 has made a step, all are at work.
        let mut lines = BufReader::new(running.stdout.take().unwrap()).lines();
        lines.next().expect("a step").unwrap();
        let process = std::fs::read_to_string(&file).unwrap();
        let start = Instant::now();
        let sent = Command::new("kill").args([signal, process.trim()]).status().unwrap();
        assert!(sent.success(), "{signal} to {process}");
        lines.for_each(|line| drop(line.unwrap()));
        let output = running.wait_with_output().unwrap();
        assert!(!output.status.success(), "{signal}");
        let said = text(&output.stderr);
        assert!(start.elapsed() < Duration::from_secs(60), "{signal}: {:?}", start.elapsed());
        if signal == "-STOP" {
            assert!(said.contains("not all ranks have answered for 5s"), "{said}");
        }
    }
}
