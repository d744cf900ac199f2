//! Metric-learning losses and their gradients on any GPU, through wgpu.

mod batch;
mod error;
mod evaluation;
mod loss;
pub mod reference;

pub use batch::{Batch, Mode, Shape};
pub use error::{Error, Result};
pub use evaluation::Evaluation;
pub use loss::{Contrastive, Distance, Form, LiftedStructured, Loss, Margin, Mining, MultiMargin, Reduction, Triplet};
