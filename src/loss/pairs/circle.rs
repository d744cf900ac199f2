//! The circle loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_cosines, check_normal, check_part};
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The circle loss: every pair has a pace of its own, the slower the nearer it is to its optimum.
///
/// With the cosines s(i, j) = 1 - d(i, j), the paces a(i, p) = max(0, 1 + `margin` - s(i, p)) of
/// positives and a(i, n) = max(0, s(i, n) + `margin`) of negatives, per anchor i with positives P(i)
/// and negatives N(i):
///
/// log( 1 + sum over p in P(i) of exp(-`gamma` a(i, p) (s(i, p) - 1 + `margin`)) * sum over n in
/// N(i) of exp(`gamma` a(i, n) (s(i, n) - `margin`)) )
///
/// **The paces are constants for the gradient**, as in the paper: it is not the derivative of the
/// loss. Terms are anchors that have both positives and negatives. A negative whose cosine is
/// -`margin` or less has a gradient of 0, though exp(0) of it is in the sum.
///
/// The usual settings are `margin` 0.4 and `gamma` 80 for retrieval, 0.25 and 128 for
/// re-identification, 0.25 and 256 for faces.
///
/// Either log-sum-exp takes its largest summand out first: nothing overflows at any `gamma`.
///
/// Source: Sun, Cheng, Zhang, Zhang, Zheng, Wang and Wei, "Circle Loss: A Unified Perspective of
/// Pair Similarity Optimization", CVPR 2020.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Circle {
    /// The distance d: `Cosine`, and no other.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How far the cosines of positives may be from 1, and those of negatives from 0; from 0 to 1.
    /// Default 0.4.
    pub margin: f32,
    /// How steep the loss is; any finite number greater than 0, and not subnormal. Default 80.
    pub gamma: f32,
}

impl Default for Circle {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            margin: 0.4,
            gamma: 80.0,
        }
    }
}

impl Description for Circle {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        check_part(Self::NAME, "margin", self.margin)?;
        check_normal(Self::NAME, "gamma", self.gamma)?;
        check_cosines(Self::NAME, self.distance)
    }

    fn gradient_factor(&self) -> f32 {
        self.gamma
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            parameters: vec![("margin", self.margin.to_bits()), ("gamma", self.gamma.to_bits())],
            ..TermsKernel::over_levels(shader!("terms/circle.wgsl"))
        }
    }
}
