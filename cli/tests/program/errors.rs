//! Everything that can be wrong with the arguments and the files: one line that names it, and an
//! exit code.

use std::fs;

use wgpu_metric_learning::Loss;

use crate::{npy, run, scratch, stderr, stdout};

/// Runs the program and checks that it fails with one line holding all these texts.
#[track_caller]
pub(crate) fn fails(arguments: &[impl AsRef<str>], texts: &[&str]) {
    let output = run(arguments);
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert_eq!(stdout(&output), "");
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.starts_with("error: "), "{error}");
    for text in texts {
        assert!(error.contains(text), "{text} is not in: {error}");
    }
}

/// Checks that the arguments are refused as such.
#[track_caller]
fn is_misused(arguments: &[&str], text: &str) {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
    assert!(stderr(&output).contains(text), "{text} is not in: {}", stderr(&output));
}

#[track_caller]
fn objective_fails(objective: &str, texts: &[&str]) {
    fails(&["evaluate", "--backend", "reference", "--objective", objective], texts);
}

#[test]
fn objectives_that_are_none() {
    let losses = [&["--objective"], Loss::NAMES].concat();
    objective_fails("Tripled", &[&losses[..], &["Tripled"]].concat());
    objective_fails(r#"{"loss":"tripled"}"#, &[&losses[..], &["tripled"]].concat());
    objective_fails(
        r#"{"loss":"Triplet","margn":1}"#,
        &["margn", "distance", "normalize", "reduction", "mining", "soft"],
    );
    objective_fails(r#"{"loss":"Triplet","mining":"Easy"}"#, &["Easy", "All", "Hard", "SemiHard"]);
    objective_fails(
        r#"{"loss":"Margin","distance":"Chebyshev"}"#,
        &["Chebyshev", "Euclidean", "Manhattan", "Cosine"],
    );
    objective_fails(r#"{"loss":"Margin","sampling":"Some"}"#, &["Some", "All", "DistanceWeighted"]);
    objective_fails(
        r#"{"loss":"Margin","sampling":"DistanceWeighted"}"#,
        &["DistanceWeighted", "normalize"],
    );
    objective_fails(r#"{"loss":"Margin","seed":-1}"#, &["-1", "u32"]);
    objective_fails(
        r#"{"loss":"Margin","reduction":"Median"}"#,
        &["Median", "Sum", "Mean", "MeanNonZero"],
    );
    objective_fails(r#"{"loss":"LiftedStructured","form":"Rough"}"#, &["Rough", "Smooth", "Exact"]);
    objective_fails(r#"{"margin":1}"#, &["--objective", "loss"]);
    objective_fails(r#"{"loss":"Triplet","#, &["--objective", "line 1 column 18"]);
    objective_fails(r#"{"loss":"Triplet","margin":"wide"}"#, &["wide", "f32"]);
    objective_fails(r#"{"loss":"Triplet","margin":1e300}"#, &["Triplet", "margin", "finite"]);
    objective_fails(
        r#"{"loss":"Contrastive","power":3}"#,
        &["Contrastive", "power is 3", "1 or 2"],
    );
    objective_fails(r#"{"loss":"Triplet","reduction":"HadsellMean"}"#, &["Triplet", "HadsellMean"]);
    objective_fails("", &["--objective"]);
    objective_fails("@no/such/file.json", &["no/such/file.json"]);
}

#[test]
fn objective_files_are_read_and_named_where_they_are_wrong() {
    let path = scratch("objective.json");
    let argument = format!("@{}", path.display());
    fs::write(&path, r#"{"loss": "MultiMargin", "power": 2}"#).unwrap();
    let evaluation =
        crate::object(&["evaluate", "--backend", "reference", "--objective", &argument]);
    assert_eq!(evaluation["objective"]["power"], 2);
    for (content, text) in
        [(&b"[\"Triplet\"]"[..], "JSON object"), (b"\xff\xfe", "UTF-8"), (b"", "EOF")]
    {
        let path = scratch(&format!("objective-{text}.json"));
        fs::write(&path, content).unwrap();
        objective_fails(&format!("@{}", path.display()), &[path.to_str().unwrap(), text]);
    }
}

#[test]
fn arguments_that_do_not_go_together() {
    is_misused(&[], "Usage");
    is_misused(&["evaluate", "--embeddings", "e.npy"], "--objective");
    is_misused(
        &["evaluate", "--objective", "Contrastive", "--embeddings", "e.npy", "--pairs", "p.npy"],
        "--same",
    );
    is_misused(&["evaluate", "--objective", "Triplet", "--labels", "l.npy"], "--embeddings");
    is_misused(&["evaluate", "--objective", "Triplet", "--gradient-out", "g.npy"], "--embeddings");
    is_misused(&["evaluate", "--backend", "tpu"], "auto, gpu, cpu");
    is_misused(&["evaluate", "--workspace-mib", "0"], "--workspace-mib");
    is_misused(&["evaluate", "--workspace-mib", "18446744073709551615"], "--workspace-mib");
    for backend in ["cpu", "reference"] {
        fails(&["evaluate", "--backend", backend, "--adapter", "any"], &["--adapter"]);
    }
    fails(&["evaluate", "--backend", "reference", "--workspace-mib", "4"], &["--workspace-mib"]);
    fails(&["evaluate", "--backend", "reference", "--tier", "subgroups"], &["--tier"]);
    fails(&["measure", "--backend", "reference", "--timeout", "9"], &["--timeout"]);
}

/// Four good embeddings and labels, in files of their own, with some of them replaced.
struct Files {
    arguments: Vec<String>,
}

impl Files {
    fn new(test: &str) -> Self {
        let files =
            Self { arguments: ["evaluate", "--backend", "reference"].map(String::from).to_vec() };
        let embeddings = npy::floats("(4, 2)", &[0.0, 1.0, 1.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
        files.with(test, "embeddings", &embeddings).with(
            test,
            "labels",
            &npy::labels(&[0, 0, 1, 1]),
        )
    }

    fn with(mut self, test: &str, input: &str, content: &[u8]) -> Self {
        let path = scratch(&format!("{test}-{input}.npy"));
        fs::write(&path, content).unwrap();
        let option = format!("--{input}");
        match self.arguments.iter().position(|argument| *argument == option) {
            Some(at) => self.arguments[at + 1] = path.display().to_string(),
            None => self.arguments.extend([option, path.display().to_string()]),
        }
        self
    }

    fn without_labels(mut self) -> Self {
        self.arguments.truncate(self.arguments.len() - 2);
        self
    }

    fn option(mut self, option: &str, value: &str) -> Self {
        self.arguments.extend([option.into(), value.into()]);
        self
    }

    #[track_caller]
    fn fail(&self, loss: &str, texts: &[&str]) {
        let mut arguments = self.arguments.clone();
        arguments.extend(["--objective".into(), loss.into()]);
        fails(&arguments, texts);
    }
}

#[test]
fn files_that_are_no_arrays_of_the_right_kind() {
    let values = [0u8; 64];
    let nested = npy::file(&"(".repeat(9000), &[]);
    let plain = "plain array";
    let most = "at most 1073741822";
    let broken: [(&str, Vec<u8>, &[&str]); 20] = [
        ("empty", vec![], &["not an .npy file"]),
        ("json", b"[[1, 2], [3, 4]]".to_vec(), &["not an .npy file", "JSON", "json.load"]),
        ("zip", b"PK\x03\x04".to_vec(), &["not an .npy file", "zip"]),
        ("pickle", b"\x80\x04\x95".to_vec(), &["not an .npy file", "a pickle", "numpy.asarray"]),
        ("no-header", b"\x93NUMPY\x01\x00\x76\x00".to_vec(), &["ends inside the header"]),
        (
            "huge-header",
            b"\x93NUMPY\x02\x00\xff\xff\xff\xff{".to_vec(),
            &["header of 4294967295 bytes", "10000"],
        ),
        ("nested-header", nested, &["not an .npy file", plain]),
        ("not-utf8", [&b"\x93NUMPY\x01\x00\x04\x00"[..], b"\xff\xfe\xff\xfe"].concat(), &["utf-8"]),
        ("version", b"\x93NUMPY\x09\x00\x00\x00\x00\x00".to_vec(), &["version"]),
        ("no-shape", npy::file("{'descr': '<f4', 'fortran_order': False}", &[]), &["shape"]),
        ("complex", npy::file(&npy::header("<c8", "(4, 2)"), &values), &["numbers", "complex64"]),
        (
            "strings",
            npy::file(&npy::header("<U1", "(4, 2)"), &values[..32]),
            &["numbers", "strings", "astype(numpy.float32)"],
        ),
        (
            "bfloat16",
            npy::file(&npy::header("|V2", "(4, 2)"), &values[..16]),
            &["void16", "bfloat16", "astype(numpy.float32)"],
        ),
        (
            "object",
            npy::file(&npy::header("|O", "(4, 2)"), b"\x80\x04]."),
            &["Python objects", "astype(numpy.float32)"],
        ),
        (
            "record",
            npy::file(
                "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4, 2), }",
                &values[..32],
            ),
            &["named fields", "structured_to_unstructured"],
        ),
        ("truncated", npy::floats("(4, 2)", &[0.0; 7]), &["[4, 2]", "32 bytes", "only 28"]),
        ("too-long", npy::floats("(4, 2)", &[0.0; 9]), &["[4, 2]", "32 bytes", "more"]),
        ("short", npy::floats("(1000000, 999)", &[0.0; 8]), &["only 32"]),
        ("giant", npy::floats("(1200000, 1024)", &[0.0; 8]), &["1228800000 values", most]),
        ("overflow", npy::floats("(9999999999, 9999999999)", &[0.0; 8]), &[plain]),
    ];
    for (name, content, texts) in broken {
        let file = format!("{name}-embeddings.npy");
        Files::new("whole")
            .with(name, "embeddings", &content)
            .fail("Triplet", &[texts, &[&file]].concat());
    }
}

#[test]
fn arrays_of_the_wrong_dimensions() {
    let vector = npy::floats("(8,)", &[0.0; 8]);
    let cube = npy::floats("(2, 2, 2)", &[0.0; 8]);
    let table = npy::entries("(4, 2)", &[0; 8]);
    let files = || Files::new("dimensions");
    files()
        .with("vector", "embeddings", &vector)
        .fail("Margin", &["vector-embeddings.npy", "two dimensions", "[8]"]);
    files()
        .with("cube", "embeddings", &cube)
        .fail("Margin", &["cube-embeddings.npy", "two dimensions", "[2, 2, 2]", "reshape"]);
    files()
        .with("table", "labels", &table)
        .fail("Margin", &["table-labels.npy", "one dimension", "[4, 2]"]);
    files()
        .with("table", "beta", &table)
        .fail("Margin", &["table-beta.npy", "one dimension", "[4, 2]"]);
    files()
        .option("--references", "no-such.npy")
        .option("--reference-labels", "no.npy")
        .fail("Margin", &["no-such.npy"]);
}

#[test]
fn arrays_that_do_not_fit_together_or_hold_what_they_must_not() {
    let files = || Files::new("fitting");
    let wide = npy::floats("(2, 3)", &[0.0; 6]);
    let references = npy::floats("(2, 2)", &[0.0; 4]);
    let one_prototype = npy::floats("(1, 2)", &[0.0; 2]);
    files()
        .with("short", "labels", &npy::labels(&[0, 1, 0]))
        .fail("Triplet", &["labels has 3 values", "4"]);
    files()
        .with("none", "embeddings", &npy::floats("(0, 2)", &[]))
        .fail("Triplet", &["number of embeddings is 0"]);
    let nan = npy::floats("(4, 2)", &[0.0, 0.0, 0.0, 0.0, 0.0, f32::NAN, 0.0, 0.0]);
    files()
        .with("nan", "embeddings", &nan)
        .fail("Triplet", &["embeddings is not finite at row 2, column 1"]);
    let infinite = npy::floats("(1,)", &[f32::INFINITY]);
    files().with("infinite", "beta", &infinite).fail("Margin", &["beta is not finite"]);
    files()
        .with("wide", "references", &wide)
        .with("wide", "reference-labels", &npy::labels(&[0, 1]))
        .fail("Triplet", &["wide-references.npy", "3 numbers", "2"]);
    files().with("lone", "references", &references).fail("Triplet", &["--references", "Triplet"]);
    let labelled = files().with("class", "references", &references);
    labelled
        .with("class", "reference-labels", &npy::labels(&[0, 1]))
        .fail("MultiMargin", &["--reference-labels"]);
    let bank = files().with("bank", "references", &references);
    bank.with("bank", "reference-labels", &npy::labels(&[0, 1]))
        .fail("LiftedStructured", &["--references", "LiftedStructured"]);
    files()
        .with("few", "references", &one_prototype)
        .fail("MultiMargin", &["label 1 of row 2", "prototype"]);
    files()
        .with("class", "labels", &npy::labels(&[0, 1, 2, 1]))
        .fail("MultiMargin", &["label 2 of row 2", "class"]);
    files()
        .with("one", "beta", &npy::floats("(1,)", &[1.0]))
        .fail("Triplet", &["--beta", "Triplet"]);
    files()
        .with("two", "beta", &npy::floats("(2,)", &[1.0, 1.0]))
        .fail("Margin", &["beta has 2 values", "1"]);
    files().fail(r#"{"loss":"Margin","beta_per_class":true}"#, &["beta is missing"]);
    let weights = |numbers: &[f32]| npy::floats(&format!("({},)", numbers.len()), numbers);
    files()
        .with("negative", "weights", &weights(&[1.0, -1.0, 1.0, 1.0]))
        .fail("Triplet", &["weights at row 1", "from 0 on"]);
    files()
        .with("few", "class-weights", &weights(&[1.0]))
        .fail("Triplet", &["label 1 of row", "class weight"]);
    let prototypes = files().with("proxies", "references", &references);
    prototypes
        .with("proxies", "weights", &weights(&[1.0; 4]))
        .fail("ProxyAnchor", &["--weights", "ProxyAnchor"]);
    let targets = npy::floats("(4, 2)", &[0.5; 8]);
    let bare = || files().without_labels();
    bare()
        .with("own", "targets", &targets)
        .fail("Hinge", &["targets at row 0, column 0", "-1 or +1"]);
    files().with("other", "targets", &targets).fail("Triplet", &["--targets", "Triplet"]);
    bare().fail("Huber", &["--targets", "Huber"]);
    bare().fail("Triplet", &["--labels", "Triplet"]);
    files().fail("L1", &["--labels", "L1"]);
    bare().fail(r#"{"loss":"Triplet","mining":"Explicit"}"#, &["--triplets", "Triplet"]);
    let pairs = bare().with("pairs", "same", &npy::labels(&[0, 1]));
    pairs
        .with("pairs", "pairs", &npy::entries("(2, 2)", &[0, 1, 3, 4]))
        .fail("Contrastive", &["entry 1", "place 1"]);
    let wide = bare().with("columns", "triplets", &npy::entries("(1, 2)", &[0, 1]));
    wide.fail("Triplet", &["columns-triplets.npy", "3 columns, found 2"]);
}

#[test]
fn outputs_that_the_loss_does_not_have() {
    let path = scratch("refused.npy");
    let output = path.display().to_string();
    let files = || Files::new("outputs");
    files()
        .option("--per-anchor-out", &output)
        .fail("LiftedStructured", &["--per-anchor-out", "LiftedStructured"]);
    files()
        .option("--gradient-beta-out", &output)
        .fail("Triplet", &["--gradient-beta-out", "Triplet"]);
    assert!(!path.exists());
    let arguments = files()
        .option("--gradient-references-out", &output)
        .option("--objective", "Triplet")
        .arguments;
    is_misused(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), "--references");
    files()
        .option("--gradient-out", "no/such/folder/g.npy")
        .fail("Triplet", &["no/such/folder/g.npy"]);
}
