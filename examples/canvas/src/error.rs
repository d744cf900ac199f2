//! What can go wrong in an application: one line each.

use std::path::PathBuf;

/// The result of what can go wrong in an application.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong in an application: one line each.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An error of the library.
    #[error(transparent)]
    Library(#[from] wgpu_metric_learning::Error),

    /// No window can be opened.
    #[error("no window can be opened: {0}; `--headless PICTURE` draws without one")]
    Window(String),

    /// The GPU cannot draw or has failed.
    #[error("the GPU: {0}")]
    Gpu(String),

    /// What is shown cannot be read.
    #[error("{0}")]
    Data(String),

    /// A picture cannot be written.
    #[error("{}: {problem}", path.display())]
    Picture {
        /// Its file.
        path: PathBuf,
        /// Why not.
        problem: String,
    },
}
