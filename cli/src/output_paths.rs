//! The gradients of an evaluation as files.

use std::path::PathBuf;

use clap::Args;
use wgpu_metric_learning::{Evaluation, Loss, Shape};

use super::files::named;
use super::output::{self, Named};
use super::{Error, Result, arrays};

#[derive(Args)]
#[command(next_help_heading = "Outputs (.npy, f32)")]
pub(crate) struct OutputPaths {
    /// N x D: the gradient with respect to the embeddings.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    gradient_out: Option<PathBuf>,

    /// M x D: the gradient with respect to the references.
    #[arg(long, value_name = "FILE", requires = "references")]
    gradient_references_out: Option<PathBuf>,

    /// The gradient with respect to every beta.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    gradient_beta_out: Option<PathBuf>,

    /// N: the sum of every anchor's terms before any reduction.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    per_anchor_out: Option<PathBuf>,
}

impl OutputPaths {
    /// Refuses an output that the loss does not have.
    pub(crate) fn check(&self, loss: &Loss, shape: &Shape) -> Result<()> {
        let lacking = [
            (
                "--gradient-references-out",
                &self.gradient_references_out,
                shape.has_references(),
                "references",
            ),
            ("--gradient-beta-out", &self.gradient_beta_out, loss.has_beta(), "beta"),
            (
                "--per-anchor-out",
                &self.per_anchor_out,
                loss.has_per_anchor(shape),
                "per-anchor losses",
            ),
        ];
        match lacking.into_iter().find(|(_, path, has, _)| path.is_some() && !has) {
            Some((option, _, _, what)) => {
                Err(Error::option(option, format!("{} has no {what}", loss.name())))
            }
            None => Ok(()),
        }
    }

    /// Refuses the outputs that a sum of losses does not have.
    pub(crate) fn check_sum(&self) -> Result<()> {
        let lacking = [
            ("--gradient-references-out", &self.gradient_references_out),
            ("--gradient-beta-out", &self.gradient_beta_out),
            ("--per-anchor-out", &self.per_anchor_out),
        ];
        match lacking.into_iter().find(|(_, path)| path.is_some()) {
            Some((option, _)) => Err(Error::option(
                option,
                "a sum of losses has the gradient of the embeddings only",
            )),
            None => Ok(()),
        }
    }

    /// Refuses, before anything is read or computed, files that could not be written or that are
    /// among those that are read.
    pub(crate) fn check_files(&self, inputs: &[Named]) -> Result<()> {
        let all = [
            ("--gradient-out", &self.gradient_out),
            ("--gradient-references-out", &self.gradient_references_out),
            ("--gradient-beta-out", &self.gradient_beta_out),
            ("--per-anchor-out", &self.per_anchor_out),
        ];
        output::check(&named(all), inputs)
    }

    /// Writes the gradient with respect to the embeddings, if it was asked for.
    pub(crate) fn write_gradient(&self, shape: &Shape, gradient: &[f64]) -> Result<()> {
        let gradient = Some(gradient);
        write_all([(&self.gradient_out, vec![shape.queries(), shape.dimensions()], gradient)])
    }

    /// Writes what was asked for; a file that cannot be written keeps no other from it.
    pub(crate) fn write(&self, shape: &Shape, evaluation: &Evaluation<f64>) -> Result<()> {
        let (n, m, d) = (shape.queries(), shape.references(), shape.dimensions());
        let references = evaluation.gradient_references.as_deref();
        let betas = evaluation.gradient_beta.as_deref();
        let per_anchor = evaluation.per_anchor.as_deref();
        write_all([
            (&self.gradient_out, vec![n, d], Some(&evaluation.gradient[..])),
            (&self.gradient_references_out, vec![m, d], references),
            (&self.gradient_beta_out, vec![betas.map_or(0, <[f64]>::len)], betas),
            (&self.per_anchor_out, vec![n], per_anchor),
        ])
    }
}

/// A path, if one was given, the shape of an array, and its values, if there are any.
type Output<'a> = (&'a Option<PathBuf>, Vec<usize>, Option<&'a [f64]>);

fn write_all<const K: usize>(outputs: [Output; K]) -> Result<()> {
    let write = |(path, shape, values): Output| {
        let (path, values) = (path.as_ref()?, values?);
        output::write(path, |file| arrays::encode(file, &shape, values)).err()
    };
    let problems: Vec<_> = outputs.into_iter().filter_map(write).collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Unwritten(problems)) }
}
