//! The training of an embedding of handwritten digits, and how it is drawn: every frame records one
//! step, and the points are drawn straight from the buffer of the embeddings.
//!
//! The program shows it in a window or a picture; a page shows it in a browser.

mod curve;
mod digits;
mod extent;
mod live;
mod objective;
mod training;

pub use curve::Curve;
pub use digits::{CLASSES, DIGITS};
pub use live::{Controls, Live};
pub use objective::{Choice, Objective, distances, minings};
pub use training::Training;
