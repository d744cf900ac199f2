//! The cross-entropy.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::loss::{Reduction, Truth};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{TermsKernel, Walk};

/// The cross-entropy of class logits, the softmax loss.
///
/// Per row x of logits with the class y: log( sum over c of exp(x(c)) ) - x(y), with the largest
/// logit taken out of the sum, so that nothing overflows. Terms are rows; labels are below the
/// number of columns.
///
/// Source: Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs,
/// with Relationships to Statistical Pattern Recognition", Neurocomputing, NATO ASI Series F 68,
/// 1990.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossEntropy {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl Pointwise for CrossEntropy {
    const TRUTH: Truth = Truth::Labels;
    const TERMS_ARE_ROWS: bool = true;

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel {
            walk: Walk::reading(3),
            ..TermsKernel::new(shader!("pointwise/cross_entropy.wgsl"))
        }
    }
}
