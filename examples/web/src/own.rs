//! Losses and measures of the visitor's own embeddings, which stay on this machine.

use serde_json::json;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Adapter, Batch, Context, Evaluation, Loss, Mode, ObjectiveEvaluation, Options, Weighted,
};

use crate::labels::Labels;
use crate::npy::{Array, Matrix};
use crate::objective::{self, to_json};
use crate::plane::plane;

/// The losses that take a batch of labelled embeddings, as JSON with their settings.
#[wasm_bindgen]
pub fn losses() -> Result<String, JsError> {
    let default = |name: &&str| serde_json::from_value::<Loss>(json!({ "loss": name }));
    let all = Loss::NAMES.iter().map(default).collect::<Result<Vec<_>, _>>()?;
    let takes_batches = |loss: &&Loss| loss.modes().contains(&Mode::Batch);
    let of_batches: Vec<_> = all.iter().filter(takes_batches).map(to_json).collect();
    Ok(serde_json::to_string(&of_batches)?)
}

/// Labelled embeddings, and the GPU that they are evaluated on.
#[wasm_bindgen]
pub struct Own {
    context: Context,
    embeddings: Matrix<Vec<f32>>,
    labels: Vec<u32>,
    /// What is to be said of the files.
    notes: Vec<String>,
}

#[wasm_bindgen]
impl Own {
    /// Reads two `.npy` files, and opens the adapter.
    pub async fn open(embeddings: &[u8], labels: &[u8]) -> Result<Self, JsError> {
        let of = |file, problem: String| JsError::new(&format!("{file}: {problem}"));
        let parse = |bytes| Array::parse(bytes, Some(<[u8]>::len(bytes) as u64));
        let numbers = parse(embeddings)
            .and_then(Array::matrix)
            .map_err(|problem| of("the file of embeddings", problem))?;
        let ids = parse(labels)
            .and_then(Array::labels)
            .map_err(|problem| of("the file of labels", problem))?;
        let labels =
            Labels::of(ids, None).map_err(|problem| of("the file of labels", problem.text))?;
        let context = Adapter::find_async(None).await?.open_async(Options::default()).await?;
        let notes = numbers.note.into_iter().chain(labels.note).collect();
        let own = Self { context, embeddings: numbers.numbers, labels: labels.labels, notes };
        own.batch()?;
        Ok(own)
    }

    fn batch(&self) -> wgpu_metric_learning::Result<Batch<'_>> {
        let Matrix { values, rows, columns } = &self.embeddings;
        Batch::new(values, [*rows, *columns], &self.labels)
    }

    /// Evaluates an objective as the program takes it, and measures retrieval; both as JSON.
    pub async fn evaluate(&self, objective: &str) -> Result<String, JsError> {
        let mut objective = objective::parse(objective)?;
        objective.losses.iter_mut().for_each(|weighted| weighted.settle(Mode::Batch));
        objective.losses.iter().try_for_each(|weighted| weighted.check(Mode::Batch))?;
        let batch = self.batch()?;
        let found = match &objective.losses[..] {
            [one] if !objective.is_sum => {
                let found: Evaluation = self.context.evaluate(&one.loss, &batch).await?;
                json!({ "loss": found.loss, "terms": found.terms, "gradient_norm": norm(&found.gradient) })
            }
            losses => {
                let sum: Vec<_> = losses
                    .iter()
                    .map(|weighted| Weighted::new(weighted.weight, &weighted.loss, batch))
                    .collect();
                let found: ObjectiveEvaluation = self.context.evaluate_objective(&sum).await?;
                let terms: u64 = found.losses.iter().map(|loss| loss.terms).sum();
                json!({ "loss": found.loss, "terms": terms, "gradient_norm": norm(&found.gradients[0]) })
            }
        };
        let measures = self.context.measure(&Retrieval::default(), &batch).await?;
        let report = json!({
            "rows": self.embeddings.rows,
            "columns": self.embeddings.columns,
            "notes": self.notes,
            "found": found,
            "counted": measures.counted,
            "measures": [
                ("Precision@1", measures.precision_at_1),
                ("R-precision", measures.r_precision),
                ("MAP@R", measures.mean_average_precision_at_r),
                ("MAP", measures.mean_average_precision),
                ("MRR", measures.mean_reciprocal_rank),
            ],
        });
        Ok(report.to_string())
    }

    /// The rows in the plane of their principal components: x and y, one after the other.
    pub fn plane(&self) -> Vec<f32> {
        plane(&self.embeddings.values, self.embeddings.columns)
    }

    /// The class of every row.
    pub fn classes(&self) -> Vec<u32> {
        self.labels.clone()
    }
}

fn norm(gradient: &[f32]) -> f64 {
    gradient.iter().map(|&number| f64::from(number).powi(2)).sum::<f64>().sqrt()
}
