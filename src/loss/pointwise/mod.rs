//! The pointwise losses and the regularisers: every value, or every row, by itself or against its target.

mod binary_cross_entropy;
mod cross_entropy;
mod elastic_net;
mod hinge;
mod huber;
mod l1;
mod l2;
mod mean_squared_error;
mod uniform_entropy;

pub use binary_cross_entropy::BinaryCrossEntropy;
pub use cross_entropy::CrossEntropy;
pub use elastic_net::ElasticNet;
pub use hinge::Hinge;
pub use huber::Huber;
pub use l1::L1;
pub use l2::L2;
pub use mean_squared_error::MeanSquaredError;
pub use uniform_entropy::UniformEntropy;
