//! The files of the program that read what others wrote; they are no part of the library.

#[path = "../../../../cli/src/descriptions.rs"]
pub mod descriptions;
#[path = "../../../../cli/src/elements.rs"]
pub mod elements;
#[path = "../../../../cli/src/error.rs"]
pub mod error;
#[path = "../../../../cli/src/kind.rs"]
pub mod kind;
#[path = "../../../../cli/src/labels.rs"]
pub mod labels;
#[path = "../../../../cli/src/names.rs"]
pub mod names;
#[path = "../../../../cli/src/npy.rs"]
pub mod npy;
#[path = "../../../../cli/src/objective.rs"]
pub mod objective;

pub use error::{Error, Result};
