//! `apply`: takes embeddings through a trained head.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::arrays::{self, Written};
use super::elements::Values;
use super::head::Head;
use super::output::{self, Named};
use super::{Error, Result, files};

#[derive(Args)]
pub(crate) struct Arguments {
    /// The head: a .safetensors file that train has written, or PyTorch of an nn.Sequential of
    /// nn.Linear with nn.ReLU between them.
    #[arg(long, value_name = "FILE")]
    head: PathBuf,

    /// N x I numbers: the embeddings (.npy, .npz, .safetensors, CSV, Parquet).
    #[arg(long, value_name = "FILE")]
    embeddings: PathBuf,

    /// N x D: what the head makes of them, f32: .npy, .npz, .safetensors, .csv or .parquet, by its
    /// ending; the standard output, as .npy, is "-".
    #[arg(long, value_name = "FILE")]
    out: PathBuf,

    /// Prints one JSON object, of what was written.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { head, embeddings, out, .. } = arguments;
    let inputs = [
        Named { option: "--head", path: head },
        Named { option: "--embeddings", path: embeddings },
    ];
    output::check_arrays(&[Named { option: "--out", path: out }], &inputs)?;
    let head = Head::read(head)?;
    let matrix = files::read_matrix(embeddings)?;
    if matrix.columns != head.mlp.inputs {
        let (columns, inputs) = (matrix.columns, head.mlp.inputs);
        let problem = format!("its rows have {columns} numbers, the head takes {inputs}");
        return Err(Error::file(embeddings, problem));
    }
    let projected = head.project(&matrix.values)?;
    if projected.iter().any(|number| !number.is_finite()) {
        return Err(Error::file(embeddings, "the head makes numbers of it that are beyond f32"));
    }
    let shape = vec![matrix.rows, head.mlp.outputs];
    let name = "embeddings".into();
    let array = [Written { name, shape, values: Values::Floats(projected) }];
    let written = arrays::write(out, &array)?;
    written.iter().try_for_each(|line| line.print(arguments.json))?;
    Ok(ExitCode::SUCCESS)
}
