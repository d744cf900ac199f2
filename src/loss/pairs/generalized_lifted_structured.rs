//! The generalized lifted structured loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_finite;
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The generalized lifted structured loss: all positives of an anchor against all its negatives.
///
/// Per anchor i with positives P(i) and negatives N(i):
///
/// max(0, log( sum over p in P(i) of exp(d(i, p)) ) + log( sum over n in N(i) of exp(`margin` -
/// d(i, n)) ))
///
/// Terms are anchors that have both. Unlike [`LiftedStructured`](crate::LiftedStructured), it takes
/// all positives of an anchor at once, the farthest counting most, and needs no negatives of other
/// anchors; so it also takes references.
///
/// Either log-sum-exp takes its largest summand out first: nothing overflows.
///
/// Source: Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification",
/// 2017, section 2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GeneralizedLiftedStructured {
    /// The distance d. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How much farther the negatives should be than the positives; any finite number. Default 1.
    pub margin: f32,
}

impl Default for GeneralizedLiftedStructured {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::Mean,
            margin: 1.0,
        }
    }
}

impl Description for GeneralizedLiftedStructured {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "margin", self.margin)
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            parameters: vec![("margin", self.margin.to_bits())],
            ..TermsKernel::over_levels(shader!("terms/generalized_lifted_structured.wgsl"))
        }
    }
}
