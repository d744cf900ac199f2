//! The Smooth-AP loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_temperature;
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Chunks, TermsKernel, Walk};

/// The walk of `shaders/terms/smooth_ap.wgsl`, as that of soft triplets: for each of 256 invocations
/// one positive of 256. Its rank takes 32 rounds for 256 columns and one to end, and each column 32
/// for all of them and one to end.
#[cfg(feature = "gpu")]
const WALK: Walk = Walk {
    reads: 4,
    chunks: Some(Chunks { size: 256, most: 2, reads: 65, rounds: 32, operations: 256 * 64 }),
};

/// The Smooth-AP loss: one less the average precision of an anchor's ranking, with sigmoids in the
/// place of the steps from one rank to the next.
///
/// With G(z) = 1 / (1 + exp(-z / `temperature`)), per anchor i with positives P(i) and negatives
/// N(i):
///
/// 1 - 1/|P(i)| sum over p in P(i) of A(p) / R(p)
///
/// A(p) = 1 + sum over the other positives q of G(d(i, p) - d(i, q)) is the rank of p among the
/// positives, and R(p) = A(p) + sum over n in N(i) of G(d(i, p) - d(i, n)) its rank among all. A tie
/// counts 1/2. Terms are anchors that have positives; one without negatives is 0.
///
/// The loss is summed up as (R(p) - A(p)) / R(p), without the difference from 1. Every positive of an
/// anchor meets all its pairs, so that it costs as many steps as soft triplets; none is stored.
///
/// Source: Brown, Xie, Kalogeiton and Zisserman, "Smooth-AP: Smoothing the Path Towards Large-Scale
/// Image Retrieval", ECCV 2020.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmoothAp {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How wide a step is; any finite number greater than 0, and not subnormal. Default 0.01.
    pub temperature: f32,
}

impl Default for SmoothAp {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            temperature: 0.01,
        }
    }
}

impl Description for SmoothAp {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        check_temperature(Self::NAME, self.temperature)
    }

    fn gradient_factor(&self) -> f32 {
        1.0 / self.temperature
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            walk: WALK,
            parameters: vec![("inverse_temperature", self.gradient_factor().to_bits())],
            ..TermsKernel::new(shader!("terms/smooth_ap.wgsl"))
        }
    }
}
