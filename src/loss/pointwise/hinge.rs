//! The hinge loss.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::loss::{Reduction, Truth};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The hinge loss of binary classifiers.
///
/// Per element, of a prediction p and its target t, which is -1 or +1: max(0, 1 - t p). Terms are
/// elements.
///
/// Source: Cortes and Vapnik, "Support-Vector Networks", Machine Learning 20, 1995.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hinge {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
}

impl Pointwise for Hinge {
    const TRUTH: Truth = Truth::Signs;

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel::new(shader!("pointwise/hinge.wgsl"))
    }
}
