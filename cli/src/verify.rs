//! `verify`: whether distances tell pairs that are the same from others.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use wgpu_metric_learning::measures::Verification;
use wgpu_metric_learning::{Batch, Distance, Mode};

use super::digits::Digits;
use super::evaluator::{self, Evaluator};
use super::gpu::named;
use super::report::Report;
use super::{Error, Result, files, verdict};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The distance that judges.
    #[arg(long, value_name = "D", ignore_case = true, default_value = "Euclidean", value_parser = named::<Distance>(Distance::ALL.map(Distance::name)))]
    distance: Distance,

    /// Divides every row by its norm first.
    #[arg(long)]
    normalize: bool,

    /// The shares of the different pairs that may be accepted, with commas between them: for each
    /// it is told which share of the same pairs is.
    #[arg(long, value_name = "FPR,...", value_delimiter = ',', default_value = "0.1,0.01,0.001")]
    tpr_at_fpr: Vec<f64>,

    #[command(flatten)]
    evaluator: evaluator::Arguments,

    #[command(flatten)]
    inputs: InputPaths,
}

#[derive(Args, Clone)]
#[command(next_help_heading = files::INPUTS)]
struct InputPaths {
    /// N x D numbers: the embeddings. Left out: the bundled digits.
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,

    /// N integers or strings: the label of every embedding; all pairs of rows are verified, and
    /// those of one label are the same.
    #[arg(long, value_name = "FILE", requires = "embeddings", conflicts_with = "same")]
    labels: Option<PathBuf>,

    /// M x D numbers: what the embeddings are compared with instead of each other; with --same row
    /// by row.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    references: Option<PathBuf>,

    /// M integers or strings: the label of every reference.
    #[arg(long, value_name = "FILE", requires_all = ["references", "labels"])]
    reference_labels: Option<PathBuf>,

    /// Row i of the embeddings is the same as row i + ROWS of the references, and is not compared
    /// with itself: 0 where both are one file.
    #[arg(long, value_name = "ROWS", requires = "reference_labels")]
    reference_offset: Option<usize>,

    /// P x 2 integers: pairs of rows of the embeddings.
    #[arg(long, value_name = "FILE", requires = "same", conflicts_with = "references")]
    pairs: Option<PathBuf>,

    /// P integers: 1 where the two rows of a pair are the same, 0 where they are different; of
    /// --pairs, or of row r of the embeddings with row r of --references.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    same: Option<PathBuf>,
}

impl InputPaths {
    fn paths(&self) -> files::InputPaths {
        let Self { embeddings, labels, references, reference_labels, .. } = self.clone();
        let Self { reference_offset, pairs, same, .. } = self.clone();
        files::InputPaths {
            embeddings,
            labels,
            references,
            reference_labels,
            reference_offset,
            pairs,
            same,
            ..Default::default()
        }
    }

    fn mode(&self) -> Result<Mode> {
        let needs = |option, what: &str| Err(Error::option(option, format!("{what} needs it")));
        match (&self.same, &self.pairs, &self.references) {
            (Some(_), Some(_), _) => Ok(Mode::PairIndices),
            (Some(_), None, Some(_)) => Ok(Mode::PairRows),
            (Some(_), None, None) => needs("--pairs", "--same, or --references,"),
            (None, _, Some(_)) if self.reference_labels.is_none() => {
                needs("--reference-labels", "--references, or --same,")
            }
            (None, _, _) if self.labels.is_none() => {
                needs("--labels", "--embeddings, or --same with --pairs or --references,")
            }
            (None, _, Some(_)) => Ok(Mode::Reference),
            (None, _, None) => Ok(Mode::Batch),
        }
    }
}

/// Verifies what is asked for.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let of_digits = arguments.evaluator.checks_digits();
    if arguments.inputs.embeddings.is_none() {
        return verify(arguments, &Digits::load()?.rows()?, of_digits);
    }
    let mode = arguments.inputs.mode()?;
    match arguments.inputs.paths().read()? {
        Some(inputs) => {
            verify(arguments, &inputs.batch_in(mode)?, arguments.evaluator.checks_files())
        }
        None => verify(arguments, &Digits::load()?.rows()?, of_digits),
    }
}

/// Verifies a batch; a result beyond its bound makes the exit code 1.
fn verify(arguments: &Arguments, batch: &Batch, check: bool) -> Result<ExitCode> {
    let Arguments { distance, normalize, tpr_at_fpr, .. } = arguments;
    let verification =
        Verification { distance: *distance, normalize: *normalize, tpr_at_fpr: tpr_at_fpr.clone() };
    verification.check(batch.shape())?;
    let evaluator = Evaluator::new(&arguments.evaluator)?;
    let outcome = evaluator.evaluate(&(&verification, batch), check)?;
    let report = Report::of_verification(&verification, batch.shape(), &outcome.result);
    report.print(arguments.evaluator.json, &evaluator, &outcome)?;
    Ok(verdict(outcome.agreement.violation().is_none()))
}
