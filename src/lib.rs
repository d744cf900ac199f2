//! Metric-learning losses and their gradients on any GPU, through wgpu.

mod batch;
mod error;
mod evaluation;
mod gpu;
mod loss;
pub mod reference;
mod shader;

pub use batch::{Batch, Mode, Shape};
pub use error::{Error, Result};
pub use evaluation::Evaluation;
pub use gpu::{Adapter, Binding, Checks, Context, Inputs, Options, Pending, Plan, Tier};
pub use loss::*;
