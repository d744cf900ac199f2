//! The normalized softmax loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_count, check_normal};
use crate::loss::{Description, Distance, Learned, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The normalized softmax loss: the cross-entropy of cosines to one prototype a class.
///
/// With the similarity s(i, c) of sample i and the prototype of class c, which is the cosine
/// 1 - d(i, c) or, of another distance, -d(i, c), the loss of sample i with label y is
///
/// log( sum over c of exp(`scale` s(i, c)) ) - `scale` s(i, y)
///
/// Terms are samples. Labels index the classes: a label >= C is an error. With one class the loss is
/// 0. The softmax is taken of differences from the nearest other class: nothing overflows at any
/// `scale`.
///
/// With several centres a class, the prototypes c K to c K + K - 1 for K of them, the nearest one
/// stands for the class and has the gradient; of equals it is the first. Positive pairs are then
/// those of a sample with all centres of its class.
///
/// The scale is a number of the loss's description or, to be trained, an input
/// ([`Batch::with_scale`](crate::Batch::with_scale)); its derivative is
/// [`Evaluation::gradient_scale`](crate::Evaluation::gradient_scale), by the plain number: who
/// trains its logarithm multiplies by the scale.
///
/// Source: Wang, Xiang, Cheng and Yuille, "NormFace: L2 Hypersphere Embedding for Face
/// Verification", ACM Multimedia 2017; Zhai and Wu, "Classification is a Strong Baseline for Deep
/// Metric Learning", BMVC 2019.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NormalizedSoftmax {
    /// The distance d to the prototypes. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row and every prototype is divided by its norm first, which `Cosine` does
    /// anyway. Default false.
    pub normalize: bool,
    /// How the samples become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How steep the loss is, where the batch brings no scale along; any finite number greater
    /// than 0, and not subnormal. Default 20.
    pub scale: f32,
    /// Prototypes of a class, one behind the other, of which the nearest stands for it; at least 1,
    /// and a divisor of the number of prototypes. Default 1.
    pub centers_per_class: u32,
}

impl Default for NormalizedSoftmax {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            scale: 20.0,
            centers_per_class: 1,
        }
    }
}

impl Description for NormalizedSoftmax {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Prototypes]
    }

    fn check(&self) -> Result<()> {
        check_normal(Self::NAME, "scale", self.scale)?;
        check_count(Self::NAME, "centers_per_class", self.centers_per_class)
    }

    fn centers_per_class(&self) -> u32 {
        self.centers_per_class
    }

    fn learned(&self) -> Vec<Learned> {
        vec![Learned::scale(self.scale)]
    }

    fn gradient_factor(&self) -> f32 {
        self.scale
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel::over_classes(
            shader!("terms/normalized_softmax.wgsl"),
            self.scale,
            self.centers_per_class,
        )
    }
}
