//! The inputs and outputs of an evaluation as `.npy` files.

use std::path::{Path, PathBuf};

use clap::Args;
use wgpu_metric_learning::{Batch, Evaluation, Loss, Mode, Shape};

use super::npy::{self, Matrix};
use super::{Error, Result};

#[derive(Args)]
#[command(next_help_heading = "Inputs (.npy)")]
pub struct InputPaths {
    /// N x D f32: the embeddings; for MultiMargin without references the scores. Left out: the bundled digits.
    #[arg(long, value_name = "FILE", requires_all = ["objective", "labels"])]
    embeddings: Option<PathBuf>,

    /// N u32: the label of every embedding.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// M x D f32: what the embeddings are compared with instead of each other; for MultiMargin one prototype per class.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    references: Option<PathBuf>,

    /// M u32: the label of every reference; none for prototypes.
    #[arg(long, value_name = "FILE", requires = "references")]
    reference_labels: Option<PathBuf>,

    /// f32: the boundary of Margin, one number or one per class.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    beta: Option<PathBuf>,
}

#[derive(Args)]
#[command(next_help_heading = "Outputs (.npy, f32)")]
pub struct OutputPaths {
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

/// What the input files hold.
pub struct Inputs {
    embeddings: Matrix,
    labels: Vec<u32>,
    references: Option<Matrix>,
    reference_labels: Option<Vec<u32>>,
    beta: Option<Vec<f32>>,
}

impl InputPaths {
    /// Reads the files, if any are given.
    pub fn read(&self, loss: &Loss) -> Result<Option<Inputs>> {
        let (Some(embeddings), Some(labels)) = (&self.embeddings, &self.labels) else { return Ok(None) };
        self.check(loss)?;
        let inputs = Inputs {
            embeddings: npy::read_matrix(embeddings)?,
            labels: npy::read_vector(labels)?,
            references: self.references.as_deref().map(npy::read_matrix).transpose()?,
            reference_labels: self.reference_labels.as_deref().map(npy::read_vector).transpose()?,
            beta: self.beta.as_deref().map(npy::read_vector).transpose()?,
        };
        if let (Some(path), Some(references)) = (&self.references, &inputs.references) {
            check_width(path, references, &inputs.embeddings)?;
        }
        Ok(Some(inputs))
    }

    fn check(&self, loss: &Loss) -> Result<()> {
        match (&self.references, &self.reference_labels, takes_prototypes(loss)) {
            (Some(_), Some(_), true) => {
                Err(Error::option("--reference-labels", format!("{} takes prototype c for class c", loss.name())))
            }
            (Some(_), None, false) => {
                Err(Error::option("--reference-labels", format!("{} needs the labels of the references", loss.name())))
            }
            _ => Ok(()),
        }
    }
}

impl Inputs {
    /// The inputs as the loss takes them.
    pub fn batch(&self, loss: &Loss) -> Result<Batch<'_>> {
        let Matrix { values, rows, columns } = &self.embeddings;
        let batch = match (&self.references, &self.reference_labels) {
            (None, _) if takes_prototypes(loss) => Batch::scores(values, [*rows, *columns], &self.labels)?,
            (None, _) => Batch::new(values, [*rows, *columns], &self.labels)?,
            (Some(references), labels) => {
                let batch = Batch::new(values, [*rows, *columns], &self.labels)?;
                match labels {
                    Some(labels) => batch.with_references(&references.values, references.rows, labels)?,
                    None => batch.with_prototypes(&references.values, references.rows)?,
                }
            }
        };
        match &self.beta {
            Some(beta) => Ok(batch.with_beta(beta)?),
            None => Ok(batch),
        }
    }
}

impl OutputPaths {
    /// Refuses an output that the loss does not have.
    pub fn check(&self, loss: &Loss) -> Result<()> {
        let lacking = [
            ("--gradient-beta-out", &self.gradient_beta_out, loss.has_beta(), "beta"),
            ("--per-anchor-out", &self.per_anchor_out, loss.has_per_anchor(), "per-anchor losses"),
        ];
        match lacking.into_iter().find(|(_, path, has, _)| path.is_some() && !has) {
            Some((option, _, _, what)) => Err(Error::option(option, format!("{} has no {what}", loss.name()))),
            None => Ok(()),
        }
    }

    /// Writes what was asked for.
    pub fn write(&self, shape: &Shape, evaluation: &Evaluation<f64>) -> Result<()> {
        let (n, m, d) = (shape.queries(), shape.references(), shape.dimensions());
        write(&self.gradient_out, &[n, d], Some(&evaluation.gradient))?;
        write(&self.gradient_references_out, &[m, d], evaluation.gradient_references.as_ref())?;
        let betas = evaluation.gradient_beta.as_ref();
        write(&self.gradient_beta_out, &[betas.map_or(0, Vec::len)], betas)?;
        write(&self.per_anchor_out, &[n], evaluation.per_anchor.as_ref())
    }
}

fn takes_prototypes(loss: &Loss) -> bool {
    loss.modes().contains(&Mode::Prototypes)
}

fn check_width(path: &Path, references: &Matrix, embeddings: &Matrix) -> Result<()> {
    if references.columns == embeddings.columns {
        return Ok(());
    }
    let problem =
        format!("its rows have {} numbers, those of the embeddings {}", references.columns, embeddings.columns);
    Err(Error::file(path, problem))
}

fn write(path: &Option<PathBuf>, shape: &[usize], values: Option<&Vec<f64>>) -> Result<()> {
    match (path, values) {
        (Some(path), Some(values)) => npy::write(path, shape, values),
        _ => Ok(()),
    }
}
