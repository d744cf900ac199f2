//! What a loss lets one choose: distance, mining, reduction, sampling.

mod distance;
mod mining;
mod reduction;
mod sampling;

pub use distance::Distance;
pub use mining::Mining;
pub(crate) use mining::{Difficulty, Triplets};
pub use reduction::{Reduction, Thresholds};
pub use sampling::Sampling;
