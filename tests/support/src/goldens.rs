//! The golden cases: inputs in f32 and expected results in f64, made by an independent
//! implementation.

pub mod measures;
pub mod verification;

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use crate::changed::changed;
use npyz::{Deserialize as Element, NpyFile};
use serde_json::{Map, Value};
use wgpu_metric_learning::{Batch, Evaluation, Loss};

/// The modes of `cases.json` that a `Batch` has.
const MODES: [&str; 8] = [
    "batch",
    "reference",
    "prototypes",
    "scores",
    "pair_rows",
    "pair_indices",
    "triplets",
    "pointwise",
];

/// One golden case.
pub struct Case {
    pub name: String,
    pub loss: Loss,
    pub tags: Vec<String>,
    pub expected: Expected,
    pub mode: String,
    /// Rows and columns of the embeddings.
    pub shape: [usize; 2],
    /// The files of the inputs by the inputs' names.
    pub files: Vec<(String, PathBuf)>,
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    references: Vec<f32>,
    reference_labels: Vec<u32>,
    beta: Vec<f32>,
    pairs: Vec<[u32; 2]>,
    same: Vec<u32>,
    triplets: Vec<[u32; 3]>,
    targets: Vec<f32>,
    weights: Vec<f32>,
    class_weights: Vec<f32>,
}

/// What a case should give.
pub struct Expected {
    /// A table that the case does not list is `None`, which says nothing about what an evaluation
    /// has.
    pub evaluation: Evaluation<f64>,
    /// Whether f32 rounds no non-zero term to 0.
    pub nonzero_terms_exact: bool,
}

/// Every case of a loss and of a mode that the library has, in the order of the files.
pub fn cases() -> Vec<Case> {
    let indices = ["cases.json", "weights.json", "thresholds.json"].map(read);
    indices.iter().flatten().filter(|case| is_known(case)).map(Case::new).collect()
}

/// The cases of an index.
fn read(index: &str) -> Vec<Value> {
    let path = directory().join(index);
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let index: Value = serde_json::from_reader(BufReader::new(file)).expect("an index is JSON");
    index["cases"].as_array().expect("an index has a list of cases").clone()
}

fn is_known(case: &Value) -> bool {
    Loss::NAMES.contains(&text(&case["loss"])) && MODES.contains(&text(&case["mode"]))
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../goldens")
}

fn evaluation(expected: &Value) -> Evaluation<f64> {
    let table = |key: &str| array::<f64>(&expected[key]);
    changed(Evaluation::default(), |evaluation| {
        evaluation.loss = number(&expected["loss"]);
        evaluation.terms = integer(&expected["terms"]);
        evaluation.nonzero_terms = integer(&expected["nonzero_terms"]);
        evaluation.nonzero_positive_terms = integer(&expected["nonzero_positive_terms"]);
        evaluation.nonzero_negative_terms = integer(&expected["nonzero_negative_terms"]);
        evaluation.positive_pairs = integer(&expected["positive_pairs"]);
        evaluation.negative_pairs = integer(&expected["negative_pairs"]);
        evaluation.mean_positive_distance = number(&expected["mean_positive_distance"]);
        evaluation.mean_negative_distance = number(&expected["mean_negative_distance"]);
        evaluation.gradient = table("gradient").expect("every case has a gradient");
        evaluation.gradient_references = table("gradient_references");
        evaluation.gradient_beta = table("gradient_beta");
        evaluation.gradient_scale = expected["gradient_scale"].as_f64();
        evaluation.gradient_bias = expected["gradient_bias"].as_f64();
        evaluation.per_anchor = table("per_anchor");
    })
}

impl Case {
    /// Whether its anchors, pairs or triplets have weights.
    pub fn is_weighted(&self) -> bool {
        !self.weights.is_empty() || !self.class_weights.is_empty()
    }

    fn new(case: &Value) -> Self {
        let (inputs, expected, shapes) = (&case["inputs"], &case["expected"], &case["shapes"]);
        Self {
            name: text(&case["name"]).into(),
            loss: loss(case),
            tags: case["tags"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|tag| text(tag).into())
                .collect(),
            expected: Expected {
                evaluation: evaluation(expected),
                nonzero_terms_exact: case["nonzero_terms_exact"].as_bool().expect("a boolean"),
            },
            mode: text(&case["mode"]).into(),
            shape: ["n", "d"].map(|key| integer(&shapes[key]) as usize),
            files: files(inputs),
            embeddings: array(&inputs["embeddings"]).expect("every case has embeddings"),
            labels: array(&inputs["labels"]).unwrap_or_default(),
            references: array(&inputs["references"]).unwrap_or_default(),
            reference_labels: array(&inputs["reference_labels"]).unwrap_or_default(),
            beta: array(&inputs["beta"]).unwrap_or_default(),
            pairs: entries(&inputs["pairs"]),
            same: array(&inputs["same"]).unwrap_or_default(),
            triplets: entries(&inputs["triplets"]),
            targets: array(&inputs["targets"]).unwrap_or_default(),
            weights: array(&inputs["weights"]).unwrap_or_default(),
            class_weights: array(&inputs["class_weights"]).unwrap_or_default(),
        }
    }

    /// The inputs.
    pub fn batch(&self) -> Batch<'_> {
        self.batch_of(&self.embeddings, &self.labels)
    }

    /// The inputs with other embeddings and labels.
    pub fn batch_of<'a>(&'a self, embeddings: &'a [f32], labels: &'a [u32]) -> Batch<'a> {
        let columns = self.references.len() / self.shape[1];
        let (references, pairs, targets) = (&self.references, &self.pairs, &self.targets);
        let has_targets = !targets.is_empty();
        let batch = match self.mode.as_str() {
            "pair_rows" if has_targets => {
                Batch::scored_pair_rows(embeddings, references, self.shape, targets)
            }
            "pair_indices" if has_targets => {
                Batch::scored_pair_indices(embeddings, self.shape, pairs, targets)
            }
            "scores" => Batch::scores(embeddings, self.shape, labels),
            "pair_rows" => Batch::pair_rows(embeddings, references, self.shape, &self.same),
            "pair_indices" => Batch::pair_indices(embeddings, self.shape, pairs, &self.same),
            "triplets" => Batch::triplets(embeddings, self.shape, &self.triplets),
            "pointwise" => Batch::pointwise(embeddings, self.shape),
            _ => Batch::new(embeddings, self.shape, labels),
        };
        let batch = batch.and_then(|batch| match self.mode.as_str() {
            "reference" => batch.with_references(references, columns, &self.reference_labels),
            "prototypes" => batch.with_prototypes(references, columns),
            "pointwise" if has_targets => batch.with_targets(targets),
            "pointwise" if !labels.is_empty() => batch.with_labels(labels),
            _ => Ok(batch),
        });
        let batch = batch.and_then(|batch| {
            if self.beta.is_empty() { Ok(batch) } else { batch.with_beta(&self.beta) }
        });
        let batch = batch.and_then(|batch| match [&self.weights[..], &self.class_weights] {
            [[], []] => Ok(batch),
            [[], weights] => batch.with_class_weights(weights),
            [weights, _] => batch.with_weights(weights),
        });
        batch.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

/// The loss from its serde form: the case's own keys beside its parameters, without those that do
/// not apply.
fn loss(case: &Value) -> Loss {
    let keys = ["loss", "distance", "normalize", "reduction", "mining", "form"];
    let is_pointwise = case["mode"] == "pointwise";
    let keys = keys.iter().filter(|&&key| key != "normalize" || !is_pointwise);
    let own = keys.map(|&key| (key.to_string(), case[key].clone()));
    let parameters = case["parameters"].as_object().expect("parameters").clone();
    let form: Map<_, _> = own.chain(parameters).filter(|(_, value)| !value.is_null()).collect();
    serde_json::from_value(form.into()).unwrap_or_else(|error| panic!("{}: {error}", case["name"]))
}

/// The inputs that the case has.
fn files(inputs: &Value) -> Vec<(String, PathBuf)> {
    let inputs = inputs.as_object().expect("inputs").iter();
    inputs
        .filter_map(|(name, path)| Some((name.clone(), directory().join(path.as_str()?))))
        .collect()
}

/// The numbers of a file; `None` where the case has none.
fn array<T: Element>(path: &Value) -> Option<Vec<T>> {
    let path = directory().join(path.as_str()?);
    let file = File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file = NpyFile::new(BufReader::new(file))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    Some(file.into_vec().unwrap_or_else(|error| panic!("{}: {error}", path.display())))
}

/// The entries of a list; none where the case has none.
fn entries<const K: usize>(path: &Value) -> Vec<[u32; K]> {
    let numbers = array::<u32>(path).unwrap_or_default();
    numbers.chunks_exact(K).map(|entry| entry.try_into().expect("K numbers")).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a string")
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn integer(value: &Value) -> u64 {
    value.as_u64().expect("a whole number")
}
