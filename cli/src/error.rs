//! What can go wrong in the program: one line that names the option or the file.

use std::io;
use std::path::{Path, PathBuf};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Exit codes: a result that is not right,
pub const WRONG: u8 = 1;
/// arguments or files that cannot be used, as clap has it,
pub const INPUT: u8 = 2;
/// no device, or one that failed,
pub const DEVICE: u8 = 3;
/// interrupted, as shells tell of Ctrl-C,
pub const INTERRUPTED: u8 = 130;
/// and a mistake of the program's own, as Rust has it where it panics.
pub const BUG: u8 = 101;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Library(#[from] wgpu_metric_learning::Error),

    #[error("{error}, waiting for the kernels from {kernel} on")]
    Kernel { error: wgpu_metric_learning::Error, kernel: &'static str },

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
    /// The exit code that tells what kind of error it is; 1 is left to results that are not right.
    pub fn exit_code(&self) -> u8 {
        use wgpu_metric_learning::{Error as Library, ErrorKind};
        match self {
            Self::Library(
                Library::NoAdapter { .. }
                | Library::DeviceCreation { .. }
                | Library::DeviceLimit { .. }
                | Library::DeviceLost { .. }
                | Library::Gpu { .. }
                | Library::OutOfMemory { .. }
                | Library::Timeout { .. }
                | Library::OfRank { kind: ErrorKind::Device, .. },
            )
            | Self::Kernel { .. } => DEVICE,
            Self::Library(Library::NotComputed) => BUG,
            _ => INPUT,
        }
    }

    pub fn file(path: &Path, problem: impl ToString) -> Self {
        Self::File { path: path.into(), problem: problem.to_string() }
    }

    /// The error for JSON that could not be written.
    pub fn output(error: impl Into<io::Error>) -> Self {
        Self::Output(error.into())
    }

    pub fn option(option: &'static str, problem: impl ToString) -> Self {
        Self::Option { option, problem: problem.to_string() }
    }
}
