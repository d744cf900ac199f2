//! Huber's loss.

use serde::{Deserialize, Serialize};

use super::Pointwise;
use crate::error::Result;
use crate::loss::parameters::check_positive;
use crate::loss::{Reduction, Truth};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// Huber's loss: quadratic near the target, linear far from it, so that outliers weigh less.
///
/// Per element, with r = p - t of a prediction p and its target t: r^2 / 2 where |r| is at most
/// `delta`, else `delta` (|r| - `delta` / 2). Terms are elements.
///
/// Source: Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics
/// 35, 1964.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
    /// Where the quadratic part ends; any finite number above 0. Default 1.
    pub delta: f32,
}

impl Default for Huber {
    fn default() -> Self {
        Self { reduction: Reduction::Mean, delta: 1.0 }
    }
}

impl Pointwise for Huber {
    const TRUTH: Truth = Truth::Targets;

    fn reduction(&self) -> Reduction {
        self.reduction
    }

    fn check_parameters(&self) -> Result<()> {
        check_positive(Self::NAME, "delta", self.delta)
    }

    #[cfg(feature = "gpu")]
    fn kernel(&self) -> TermsKernel {
        TermsKernel {
            parameters: vec![("delta", self.delta.to_bits())],
            ..TermsKernel::new(shader!("pointwise/huber.wgsl"))
        }
    }
}
