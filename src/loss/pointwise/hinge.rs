//! The hinge loss.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, Truth};
use crate::shader::shader;
use crate::{Error, Result};

/// The hinge loss of binary classifiers.
///
/// Per element, of a prediction p and its target t, which is -1 or +1: max(0, 1 - t p). Terms are elements.
///
/// Source: Cortes and Vapnik, "Support-Vector Networks", Machine Learning 20, 1995.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hinge {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl Hinge {
    pub(crate) const NAME: &'static str = "Hinge";
}

impl Default for Hinge {
    fn default() -> Self {
        Self { reduction: Reduction::Mean }
    }
}

impl Description for Hinge {
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
        Truth::Signs
    }

    fn terms(&self) -> Terms {
        Terms::of(shader!("pointwise/hinge.wgsl"))
    }
}
