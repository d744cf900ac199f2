//! The L2 regulariser.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::error::Result;
use crate::loss::Reduction;
use crate::loss::parameters::check_strength;
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The L2 regulariser of weights (ridge, weight decay).
///
/// Per weight w: `strength` w^2. Terms are weights.
///
/// Source: Hoerl and Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems",
/// Technometrics 12, 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L2 {
    /// How the terms become one number. Default `Sum`.
    pub reduction: Reduction,
    /// What w^2 is multiplied by; any finite number of at least 0. Default 0.01.
    pub strength: f32,
}

impl Default for L2 {
    fn default() -> Self {
        Self { reduction: Reduction::Sum, strength: 0.01 }
    }
}

impl Pointwise for L2 {
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
            ..TermsKernel::new(shader!("pointwise/l2.wgsl"))
        }
    }
}
