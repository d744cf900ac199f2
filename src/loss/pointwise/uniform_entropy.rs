//! The cross-entropy against the uniform distribution.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::loss::Reduction;
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{TermsKernel, Walk};

/// The cross-entropy of class logits against every class alike: the term that maximises the entropy
/// of predictions.
///
/// Per row x of logits: sum over c of ( log( sum over k of exp(x(k)) ) - x(c) ), which is -sum log
/// P(c) over the softmax P; least where all logits are equal. Terms are rows.
///
/// Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture for
/// Computer Vision", CVPR 2016, section 7, where it is the part of label smoothing that keeps
/// predictions from growing confident.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UniformEntropy {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl Pointwise for UniformEntropy {
    const TERMS_ARE_ROWS: bool = true;

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel {
            walk: Walk::reading(3),
            ..TermsKernel::new(shader!("pointwise/uniform_entropy.wgsl"))
        }
    }
}
