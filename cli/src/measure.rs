//! `measure`: retrieval measures of files, or of the bundled digits.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{Batch, Distance, Mode};

use super::digits::Digits;
use super::evaluator::{self, Evaluator};
use super::files;
use super::gpu::named;
use super::report::Report;
use super::{Result, tell, verdict};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The distance that ranks.
    #[arg(long, value_name = "D", ignore_case = true, default_value = "Euclidean", value_parser = named::<Distance>(Distance::ALL.map(Distance::name)))]
    distance: Distance,

    /// Divides every row by its norm first.
    #[arg(long)]
    normalize: bool,

    /// The k of Recall@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',', default_value = "1,2,4,8")]
    recall_at: Vec<usize>,

    /// The k of Precision@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    precision_at: Vec<usize>,

    /// The k of NDCG@k, with commas between them.
    #[arg(long, value_name = "K,...", value_delimiter = ',')]
    ndcg_at: Vec<usize>,

    #[command(flatten)]
    evaluator: evaluator::Arguments,

    #[command(flatten)]
    inputs: InputPaths,
}

#[derive(Args, Clone)]
#[command(next_help_heading = "Inputs (.npy)")]
struct InputPaths {
    /// N x D numbers: the embeddings, every one a query. Left out: the bundled digits.
    #[arg(long, value_name = "FILE", requires = "labels")]
    embeddings: Option<PathBuf>,

    /// N integers or strings: the label of every embedding; evaluate --help tells how they are read.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// M x D numbers: what the embeddings retrieve instead of each other.
    #[arg(long, value_name = "FILE", requires_all = ["embeddings", "reference_labels"])]
    references: Option<PathBuf>,

    /// M integers or strings: the label of every reference.
    #[arg(long, value_name = "FILE", requires = "references")]
    reference_labels: Option<PathBuf>,

    /// Row i of the embeddings is the same as row i + ROWS of the references, and does not retrieve
    /// itself: 0 where both are one file.
    #[arg(long, value_name = "ROWS", requires = "references")]
    reference_offset: Option<usize>,
}

impl InputPaths {
    fn paths(&self) -> files::InputPaths {
        let Self { embeddings, labels, references, reference_labels, reference_offset } =
            self.clone();
        files::InputPaths {
            embeddings,
            labels,
            references,
            reference_labels,
            reference_offset,
            ..Default::default()
        }
    }

    fn mode(&self) -> Mode {
        if self.references.is_some() { Mode::Reference } else { Mode::Batch }
    }
}

/// Measures what is asked for; a result beyond its bound makes the exit code 1.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
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
    let Arguments { distance, normalize, recall_at, precision_at, ndcg_at, .. } = arguments;
    let retrieval = Retrieval {
        distance: *distance,
        normalize: *normalize,
        recall_at: recall_at.clone(),
        precision_at: precision_at.clone(),
        ndcg_at: ndcg_at.clone(),
    };
    retrieval.check(batch.shape())?;
    let evaluator = Evaluator::new(&arguments.evaluator)?;
    let outcome = evaluator.evaluate(&(&retrieval, batch), check)?;
    if outcome.result.counted == 0 {
        tell("note: no label is there twice, so nothing can be retrieved: every measure is 0");
    }
    let report = Report::of_measures(&retrieval, batch.shape(), &outcome.result);
    report.print(arguments.evaluator.json, &evaluator, &outcome)?;
    Ok(verdict(outcome.agreement.violation().is_none()))
}
