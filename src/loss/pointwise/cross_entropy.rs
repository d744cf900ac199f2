//! The cross-entropy.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, Truth, Walk};
use crate::shader::shader;
use crate::{Error, Result};

/// The cross-entropy of class logits, the softmax loss.
///
/// Per row x of logits with the class y: log( sum over c of exp(x(c)) ) - x(y), with the largest logit taken out of the sum, so that
/// nothing overflows. Terms are rows; labels are below the number of columns.
///
/// Source: Bridle, "Probabilistic Interpretation of Feedforward Classification Network Outputs, with Relationships to Statistical
/// Pattern Recognition", Neurocomputing, NATO ASI Series F 68, 1990.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CrossEntropy {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl CrossEntropy {
    pub(crate) const NAME: &'static str = "CrossEntropy";
}

impl Default for CrossEntropy {
    fn default() -> Self {
        Self { reduction: Reduction::Mean }
    }
}

impl Description for CrossEntropy {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (None, false, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Pointwise]
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn truth(&self) -> Truth {
        Truth::Labels
    }

    fn terms(&self) -> Terms {
        Terms { walk: Walk::of(3), ..Terms::of(shader!("pointwise/cross_entropy.wgsl")) }
    }
}
