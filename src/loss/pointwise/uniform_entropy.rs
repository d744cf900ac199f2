//! The cross-entropy against the uniform distribution.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, Walk};
use crate::shader::shader;
use crate::{Error, Result};

/// The cross-entropy of class logits against every class alike: the term that maximises the entropy of predictions.
///
/// Per row x of logits: sum over c of ( log( sum over k of exp(x(k)) ) - x(c) ), which is -sum log P(c) over the softmax P; least where
/// all logits are equal. Terms are rows.
///
/// Source: Szegedy, Vanhoucke, Ioffe, Shlens and Wojna, "Rethinking the Inception Architecture for Computer Vision", CVPR 2016,
/// section 7, where it is the part of label smoothing that keeps predictions from growing confident.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UniformEntropy {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl UniformEntropy {
    pub(crate) const NAME: &'static str = "UniformEntropy";
}

impl Default for UniformEntropy {
    fn default() -> Self {
        Self { reduction: Reduction::Mean }
    }
}

impl Description for UniformEntropy {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (None, false, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Pointwise]
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn terms(&self) -> Terms {
        Terms { walk: Walk::of(3), ..Terms::of(shader!("pointwise/uniform_entropy.wgsl")) }
    }
}
