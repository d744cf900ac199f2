//! The binary cross-entropy.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::loss::{Reduction, Truth};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The binary cross-entropy (log loss) of logits.
///
/// Per element, of a logit x and its target t, the probability of the class: -t log s(x) - (1 - t)
/// log(1 - s(x)) with the logistic function s, computed as max(x, 0) - x t + log(1 + exp(-|x|)),
/// which neither overflows nor loses its digits. Any finite target is taken. Terms are elements.
///
/// Source: Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 6.2.2.2.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryCrossEntropy {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl Pointwise for BinaryCrossEntropy {
    const TRUTH: Truth = Truth::Targets;

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel::new(shader!("pointwise/binary_cross_entropy.wgsl"))
    }
}
