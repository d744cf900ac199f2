//! The soft triple loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_count, check_finite, check_normal};
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{TermsKernel, Walk};

/// The soft triple loss: the cross-entropy of similarities to classes of several centres, softly
/// assigned.
///
/// With the similarity s(i, k) of sample i and a centre k, which is the cosine 1 - d(i, k) or, of
/// another distance, -d(i, k), class c has the similarity
///
/// S(i, c) = sum over its centres k of q(i, k) s(i, k), q the softmax of s(i, k) / `gamma`
///
/// and with t(i, c) the same but for the own class y, t(i, y) = S(i, y) - `margin`, the loss of
/// sample i is
///
/// log( sum over c of exp(`scale` t(i, c)) ) - `scale` t(i, y)
///
/// The centres of class c are the prototypes c K to c K + K - 1 for `centers_per_class` K; positive
/// pairs are those of a sample with all centres of its class. Terms are samples. Labels index the
/// classes: a label >= C is an error. With one class the loss is 0, with one centre it is that of
/// [`CosFace`](crate::CosFace). Nothing overflows at any `scale` or `gamma`. The scale is a number
/// that is not trained. The regulariser of the paper, which merges centres, is not part of it.
///
/// Source: Qian, Shang, Sun, Hu, Li and Jin, "SoftTriple Loss: Deep Metric Learning Without Triplet
/// Sampling", ICCV 2019.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SoftTriple {
    /// The distance d to the centres. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row and every centre is divided by its norm first, which `Cosine` does anyway.
    /// Default false.
    pub normalize: bool,
    /// How the samples become one number. Default `Mean`.
    pub reduction: Reduction,
    /// Prototypes of a class, one behind the other; at least 1, and a divisor of the number of
    /// prototypes. Default 10.
    pub centers_per_class: u32,
    /// How softly a sample is assigned to the centres of a class; any finite number greater than 0,
    /// and not subnormal. Default 0.1.
    pub gamma: f32,
    /// By how much the own class has to be ahead; any finite number. Default 0.01.
    pub margin: f32,
    /// How steep the loss is; any finite number greater than 0, and not subnormal. Default 20.
    pub scale: f32,
}

impl Default for SoftTriple {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            centers_per_class: 10,
            gamma: 0.1,
            margin: 0.01,
            scale: 20.0,
        }
    }
}

impl Description for SoftTriple {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Prototypes]
    }

    fn check(&self) -> Result<()> {
        check_count(Self::NAME, "centers_per_class", self.centers_per_class)?;
        check_normal(Self::NAME, "gamma", self.gamma)?;
        check_finite(Self::NAME, "margin", self.margin)?;
        check_normal(Self::NAME, "scale", self.scale)
    }

    fn centers_per_class(&self) -> u32 {
        self.centers_per_class
    }

    fn gradient_factor(&self) -> f32 {
        self.scale
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let centers = self.centers_per_class;
        let shader = shader!("terms/soft_triple.wgsl");
        let mut kernel = TermsKernel::over_classes(shader, self.scale, centers);
        // Twice for every class in each of two reads, and for every centre four times.
        kernel.walk = Walk::reading(6 + 4 * u64::from(centers));
        kernel
            .parameters
            .extend([("gamma", self.gamma.to_bits()), ("margin", self.margin.to_bits())]);
        kernel
    }
}
