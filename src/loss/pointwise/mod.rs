//! The pointwise losses and the regularisers: every value, or every row, by itself or against its
//! target.

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

use super::{Description, Distance, Reduction, Thresholded, Truth};
use crate::data::mode::Mode;
use crate::error::Result;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// What a pointwise loss says of itself; the rest of its description is the same for all.
pub(crate) trait Pointwise {
    /// What its values are compared with.
    const TRUTH: Truth = Truth::Nothing;
    /// Whether a term is a row, not a single value.
    const TERMS_ARE_ROWS: bool = false;

    fn reduction(&self) -> Reduction;

    fn check_parameters(&self) -> Result<()> {
        Ok(())
    }

    /// How its kernel is run.
    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel;
}

impl<L: Pointwise + Sync> Description for L {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (None, false, self.reduction())
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Pointwise]
    }

    fn check(&self) -> Result<()> {
        self.check_parameters()
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Nothing
    }

    fn per_anchor(&self) -> bool {
        L::TERMS_ARE_ROWS
    }

    fn truth(&self) -> Truth {
        L::TRUTH
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        self.kernel()
    }
}
