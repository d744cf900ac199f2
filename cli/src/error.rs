//! What can go wrong in the program: one line that names the option or the file.

use std::io;
use std::path::{Path, PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Library(#[from] wgpu_metric_learning::Error),

    #[error("{}: {problem}", path.display())]
    File { path: PathBuf, problem: String },

    #[error("{option}: {problem}")]
    Option { option: &'static str, problem: String },

    #[error("the output cannot be written: {0}")]
    Output(io::Error),

    /// Files that could not be written, each for itself.
    #[error("{}", .0.iter().map(Self::to_string).collect::<Vec<_>>().join("; "))]
    Unwritten(Vec<Self>),
}

impl Error {
    pub fn file(path: &Path, problem: impl ToString) -> Self {
        Self::File { path: path.into(), problem: problem.to_string() }
    }

    pub fn option(option: &'static str, problem: impl ToString) -> Self {
        Self::Option { option, problem: problem.to_string() }
    }
}
