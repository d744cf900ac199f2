//! The elastic net.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::error::Result;
use crate::loss::Reduction;
use crate::loss::parameters::check_strength;
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The elastic net, L1 and L2 regularisers of weights in one.
///
/// Per weight w: `l1_strength` |w| + `l2_strength` w^2, with derivative 0 at 0. Terms are weights.
///
/// Source: Zou and Hastie, "Regularization and Variable Selection via the Elastic Net", Journal of
/// the Royal Statistical Society B 67, 2005.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ElasticNet {
    /// How the terms become one number. Default `Sum`.
    pub reduction: Reduction,
    /// What |w| is multiplied by; any finite number of at least 0. Default 0.01.
    pub l1_strength: f32,
    /// What w^2 is multiplied by; any finite number of at least 0. Default 0.02.
    pub l2_strength: f32,
}

impl Default for ElasticNet {
    fn default() -> Self {
        Self { reduction: Reduction::Sum, l1_strength: 0.01, l2_strength: 0.02 }
    }
}

impl Pointwise for ElasticNet {
    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check_parameters(&self) -> Result<()> {
        check_strength(Self::NAME, "l1_strength", self.l1_strength)?;
        check_strength(Self::NAME, "l2_strength", self.l2_strength)
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel {
            parameters: vec![
                ("l1_strength", self.l1_strength.to_bits()),
                ("l2_strength", self.l2_strength.to_bits()),
            ],
            ..TermsKernel::new(shader!("pointwise/elastic_net.wgsl"))
        }
    }
}
