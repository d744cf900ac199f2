//! The files of the program that read what others wrote; they are no part of the library.

#[path = "../../../../src/cli/error.rs"]
pub mod error;
#[path = "../../../../src/cli/npy.rs"]
pub mod npy;
#[path = "../../../../src/cli/objective.rs"]
pub mod objective;

pub use error::{Error, Result};
