//! `convert`: arrays of a file of one kind in a file of another.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::arrays::{self, Ending, Written};
use super::output::{self, Named};
use super::{Error, Result, files};

#[derive(Args)]
pub(crate) struct Arguments {
    /// What is read, told by its content: .npy, .npz, .safetensors, Parquet, or a table of text such
    /// as CSV; the standard input is "-". FILE#NAME takes one array of several, or one column of a
    /// table by its name or number, and FILE#-NAME all other columns.
    #[arg(value_name = "IN")]
    input: PathBuf,

    /// What is written, by its ending: .npy (one array), .npz, .safetensors, .csv or .parquet; the
    /// standard output, as .npy, is "-". Numbers with a point are written as f32. Strings, which
    /// .safetensors does not have, are numbered in ascending order, and stand beside it, one a line.
    #[arg(value_name = "OUT")]
    output: PathBuf,

    /// Prints one JSON object a line, of every array.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { input, output, .. } = arguments;
    if Ending::of(output).is_none() {
        let problem =
            "its ending is none of .npy, .npz, .safetensors, .csv and .parquet, which are written";
        return Err(Error::file(output, problem));
    }
    let named = |option, path| Named { option, path };
    output::check_arrays(&[named("OUT", output)], &[named("IN", input)])?;
    let mut written = Vec::new();
    for (name, array) in arrays::open_all(input)? {
        let shape = array.shape();
        let values = array.values().map_err(|problem| Error::file(input, problem))?;
        files::tell_of(input, values.note);
        written.push(Written { name, shape, values: values.numbers });
    }
    let lines = arrays::write(output, &written)?;
    lines.iter().try_for_each(|line| line.print(arguments.json))?;
    Ok(ExitCode::SUCCESS)
}
