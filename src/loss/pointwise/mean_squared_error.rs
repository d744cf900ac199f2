//! The mean squared error.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::loss::{Reduction, Truth};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The squared error of predictions; with its default reduction the mean squared error.
///
/// Per element, of a prediction p and its target t: (p - t)^2. Terms are elements.
///
/// Source: Legendre, "Nouvelles méthodes pour la détermination des orbites des comètes", 1805.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MeanSquaredError {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl Pointwise for MeanSquaredError {
    const TRUTH: Truth = Truth::Targets;

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel::new(shader!("pointwise/mean_squared_error.wgsl"))
    }
}
