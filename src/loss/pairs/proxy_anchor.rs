//! The proxy-anchor loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_finite, check_normal};
use crate::loss::{Description, Distance, Mode, Reduction, Thresholded};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Statistics, TermsKernel, Walk};

/// The proxy-anchor loss: each class's prototype against all samples of the batch.
///
/// With the similarity s(i, c) of sample i and the prototype of class c, which is the cosine
/// 1 - d(i, c) or, of another distance, -d(i, c), a class c has
///
/// - a negative term, log(1 + sum of exp(`alpha` (s(i, c) + `margin`))) over the samples i of other
///   classes, which is 0 where there is none,
/// - and, where it has samples, a positive term, log(1 + sum of exp(-`alpha` (s(i, c) - `margin`)))
///   over these.
///
/// `Mean` is the mean of the positive terms and the mean of the negative terms, added;
/// `MeanNonZero` the same of those greater than 0, and `MeanWithin` of those within thresholds.
/// Labels index the classes: a label >= C is an error. Terms are of classes: there are no per-anchor
/// losses. The sums are taken of differences from their largest summand: nothing overflows at any
/// `alpha`.
///
/// Prototypes are to be learned, and want a learning rate that is much larger than that of the
/// embeddings: the authors take 100 times that.
///
/// Source: Kim, Kim, Cho and Kwak, "Proxy Anchor Loss for Deep Metric Learning", CVPR 2020.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProxyAnchor {
    /// The distance d to the prototypes. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row and every prototype is divided by its norm first, which `Cosine` does
    /// anyway. Default false.
    pub normalize: bool,
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How much harder samples weigh more; any finite number greater than 0, and not subnormal.
    /// Default 32.
    pub alpha: f32,
    /// How much similarities should be above or below 0; any finite number. Default 0.1.
    pub margin: f32,
}

impl Default for ProxyAnchor {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            alpha: 32.0,
            margin: 0.1,
        }
    }
}

impl Description for ProxyAnchor {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Prototypes]
    }

    fn check(&self) -> Result<()> {
        check_normal(Self::NAME, "alpha", self.alpha)?;
        check_finite(Self::NAME, "margin", self.margin)
    }

    fn per_anchor(&self) -> bool {
        false
    }

    fn takes_weights(&self) -> bool {
        false
    }

    fn gradient_factor(&self) -> f32 {
        self.alpha
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let mut parameters =
            vec![("alpha", self.alpha.to_bits()), ("margin", self.margin.to_bits())];
        parameters.extend(self.reduction.threshold_parameters());
        TermsKernel {
            statistics: Statistics::Columns,
            walk: Walk::reading(2),
            constants: vec![("SPLIT_MEAN", (self.reduction != Reduction::Sum).into())],
            parameters,
            ..TermsKernel::new(shader!("terms/proxy_anchor.wgsl"))
        }
    }
}
