//! What every loss is: what one row of distances, or of values, adds to it, and the derivative of
//! that; one file a loss, readable beside the paper.
//!
//! Each is written once, over a [`Number`](number::Number). With the reference's, which carries
//! the rounding of f32 along, it says what results may be; with plain f64 it is what the CPU engine
//! computes. Nothing in here knows where distances come from.
//!
//! What to read first: the file of a loss, `contrastive` the plainest.

pub(crate) mod anchor;
pub(crate) mod choice;
pub(crate) mod classes;
pub(crate) mod columns;
pub(crate) mod levels;
pub(crate) mod list;
pub(crate) mod loss;
pub(crate) mod number;
pub(crate) mod pairs;
mod plain;
pub(crate) mod pointwise;
pub(crate) mod ranking;
pub(crate) mod softmax;
mod thresholds;
pub(crate) mod training;
pub(crate) mod urn;
pub(crate) mod verification;
