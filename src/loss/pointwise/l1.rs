//! The L1 regulariser.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::error::Result;
use crate::loss::Reduction;
use crate::loss::parameters::check_strength;
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The L1 regulariser of weights (the lasso).
///
/// Per weight w: `strength` |w|, with derivative 0 at 0. Terms are weights.
///
/// Source: Tibshirani, "Regression Shrinkage and Selection via the Lasso", Journal of the Royal
/// Statistical Society B 58, 1996.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1 {
    /// How the terms become one number. Default `Sum`.
    pub reduction: Reduction,
    /// What |w| is multiplied by; any finite number of at least 0. Default 0.01.
    pub strength: f32,
}

impl Default for L1 {
    fn default() -> Self {
        Self { reduction: Reduction::Sum, strength: 0.01 }
    }
}

impl Pointwise for L1 {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check_parameters(&self) -> Result<()> {
        check_strength(Self::NAME, "strength", self.strength)
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel {
            parameters: vec![("strength", self.strength.to_bits())],
            ..TermsKernel::new(shader!("pointwise/l1.wgsl"))
        }
    }
}
