//! The mean squared error.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, Truth};
use crate::shader::shader;
use crate::{Error, Result};

/// The squared error of predictions; with its default reduction the mean squared error.
///
/// Per element, of a prediction p and its target t: (p - t)^2. Terms are elements.
///
/// Source: Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes", 1805.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanSquaredError {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl MeanSquaredError {
    pub(crate) const NAME: &'static str = "MeanSquaredError";
}

impl Default for MeanSquaredError {
    fn default() -> Self {
        Self { reduction: Reduction::Mean }
    }
}

impl Description for MeanSquaredError {
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
        Terms::of(shader!("pointwise/mean_squared_error.wgsl"))
    }
}
