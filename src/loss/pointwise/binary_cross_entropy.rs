//! The binary cross-entropy.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, Truth};
use crate::shader::shader;
use crate::{Error, Result};

/// The binary cross-entropy (log loss) of logits.
///
/// Per element, of a logit x and its target t, the probability of the class: -t log s(x) - (1 - t) log(1 - s(x)) with the logistic
/// function s, computed as max(x, 0) - x t + log(1 + exp(-|x|)), which neither overflows nor loses its digits. Any finite target is
/// taken. Terms are elements.
///
/// Source: Goodfellow, Bengio and Courville, "Deep Learning", 2016, section 6.2.2.2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BinaryCrossEntropy {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl BinaryCrossEntropy {
    pub(crate) const NAME: &'static str = "BinaryCrossEntropy";
}

impl Default for BinaryCrossEntropy {
    fn default() -> Self {
        Self { reduction: Reduction::Mean }
    }
}

impl Description for BinaryCrossEntropy {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (None, false, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Pointwise]
    }

    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    fn per_anchor(&self) -> bool {
        false
    }

    fn truth(&self) -> Truth {
        Truth::Targets
    }

    fn terms(&self) -> Terms {
        Terms::of(shader!("pointwise/binary_cross_entropy.wgsl"))
    }
}
