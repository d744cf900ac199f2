//! `measure`: retrieval measures of files, or of the bundled digits.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::Value;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{Batch, Distance, Mode};

use super::Result;
use super::digits::Digits;
use super::evaluator::{self, Evaluator};
use super::files;
use super::report::Report;

#[derive(Args)]
pub struct Arguments {
    /// The distance that ranks: Euclidean, SquaredEuclidean, Manhattan, Cosine or InnerProduct.
    #[arg(long, value_name = "D", default_value = "Euclidean", value_parser = distance)]
    distance: Distance,

    /// Divides every row by its norm first.
    #[arg(long)]
    normalize: bool,

    /// The k of Recall@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_value = "1,2,4,8")]
    recall_at: Vec<usize>,

    #[command(flatten)]
    evaluator: evaluator::Arguments,

    #[command(flatten)]
    inputs: InputPaths,
}

#[derive(Args, Clone)]
#[command(next_help_heading = "Inputs (.npy)")]
struct InputPaths {
    /// N x D f32: the embeddings, every one a query. Left out: the bundled digits.
    #[arg(long, value_name = "FILE", requires = "labels")]
    embeddings: Option<PathBuf>,

    /// N u32: the label of every embedding.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// M x D f32: what the embeddings retrieve instead of each other.
    #[arg(long, value_name = "FILE", requires_all = ["embeddings", "reference_labels"])]
    references: Option<PathBuf>,

    /// M u32: the label of every reference.
    #[arg(long, value_name = "FILE", requires = "references")]
    reference_labels: Option<PathBuf>,
}

impl InputPaths {
    fn paths(&self) -> files::InputPaths {
        let Self { embeddings, labels, references, reference_labels } = self.clone();
        files::InputPaths { embeddings, labels, references, reference_labels, ..Default::default() }
    }

    fn mode(&self) -> Mode {
        if self.references.is_some() { Mode::Reference } else { Mode::Batch }
    }
}

/// Measures what is asked for; a result beyond its bound makes the exit code 1.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    match arguments.inputs.paths().read()? {
        Some(inputs) => measure(
            arguments,
            &inputs.batch_in(arguments.inputs.mode())?,
            arguments.evaluator.check,
        ),
        None => measure(arguments, &Digits::load()?.rows()?, true),
    }
}

fn measure(arguments: &Arguments, batch: &Batch, check: bool) -> Result<ExitCode> {
    let Arguments { distance, normalize, recall_at, .. } = arguments;
    let retrieval =
        Retrieval { distance: *distance, normalize: *normalize, recall_at: recall_at.clone() };
    retrieval.check(batch.shape())?;
    let evaluator = Evaluator::new(&arguments.evaluator)?;
    let outcome = evaluator.evaluate(&(&retrieval, batch), check)?;
    let report = Report::of_measures(&retrieval, batch.shape(), &outcome.result);
    report.print(arguments.evaluator.json, &evaluator, &outcome)?;
    let agrees = outcome.agreement.violation().is_none();
    Ok(if agrees { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A distance by its name, as objectives have it.
fn distance(name: &str) -> serde_json::Result<Distance> {
    serde_json::from_value(Value::from(name))
}
