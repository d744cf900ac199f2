//! The golden cases of the retrieval measures.

use serde_json::{Value, json};
use wgpu_metric_learning::Batch;
use wgpu_metric_learning::measures::{Measures, Retrieval};

use super::{array, integer, number, read, text};
use crate::changed::changed;

/// One golden case.
pub struct Case {
    pub name: String,
    pub retrieval: Retrieval,
    pub expected: Measures<f64>,
    /// Rows and columns of the embeddings.
    shape: [usize; 2],
    embeddings: Vec<f32>,
    labels: Vec<u32>,
    references: Vec<f32>,
    reference_labels: Vec<u32>,
}

/// Every case of retrieval in the order of `measures.json`.
pub fn cases() -> Vec<Case> {
    let index = read("measures.json");
    let of_retrieval = index.iter().filter(|case| case["measure"] == "Retrieval");
    let cases: Vec<_> = of_retrieval.map(Case::new).collect();
    assert_eq!(cases.len(), 16, "none may be lost in silence");
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
            retrieval: serde_json::from_value(form.into()).expect("what is measured"),
            expected: measures(&case["expected"]),
            shape: ["n", "d"].map(|key| integer(&case["shapes"][key]) as usize),
            embeddings: array(&inputs["embeddings"]).expect("every case has embeddings"),
            labels: array(&inputs["labels"]).expect("every case has labels"),
            references: array(&inputs["references"]).unwrap_or_default(),
            reference_labels: array(&inputs["reference_labels"]).unwrap_or_default(),
        }
    }

    /// The inputs.
    pub fn batch(&self) -> Batch<'_> {
        let batch = Batch::new(&self.embeddings, self.shape, &self.labels);
        let batch = batch.and_then(|batch| match self.reference_labels.len() {
            0 => Ok(batch),
            rows => batch.with_references(&self.references, rows, &self.reference_labels),
        });
        batch.unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }
}

fn measures(expected: &Value) -> Measures<f64> {
    let list = |key: &str| {
        expected[key].as_array().expect("a list").iter().map(number).collect::<Vec<_>>()
    };
    changed(Measures::default(), |measures| {
        measures.queries = integer(&expected["queries"]);
        measures.counted = integer(&expected["counted"]);
        measures.precision_at_1 = number(&expected["precision_at_1"]);
        measures.r_precision = number(&expected["r_precision"]);
        measures.mean_average_precision_at_r = number(&expected["mean_average_precision_at_r"]);
        measures.mean_reciprocal_rank = number(&expected["mean_reciprocal_rank"]);
        measures.mean_average_precision = number(&expected["mean_average_precision"]);
        measures.recall = list("recall");
        measures.precision = list("precision");
        measures.ndcg = list("ndcg");
    })
}
