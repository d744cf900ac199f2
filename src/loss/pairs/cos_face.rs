//! The large margin cosine loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_count, check_finite, check_normal};
use crate::loss::{Description, Distance, Learned, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The large margin cosine loss, also the additive margin softmax: the own class has to be ahead by a
/// margin of the cosine.
///
/// With the similarity s(i, c) of sample i and the prototype of class c, which is the cosine
/// 1 - d(i, c) or, of another distance, -d(i, c), and t(i, c) the same but for the own class y,
/// t(i, y) = s(i, y) - `margin`, the loss of sample i is
///
/// log( sum over c of exp(`scale` t(i, c)) ) - `scale` t(i, y)
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
/// Source: Wang, Wang, Zhou, Ji, Gong, Zhou, Li and Liu, "CosFace: Large Margin Cosine Loss for Deep
/// Face Recognition", CVPR 2018; Wang, Cheng, Liu and Liu, "Additive Margin Softmax for Face
/// Verification", IEEE Signal Processing Letters 2018.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CosFace {
    /// The distance d to the prototypes. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row and every prototype is divided by its norm first, which `Cosine` does
    /// anyway. Default false.
    pub normalize: bool,
    /// How the samples become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How far ahead the own class must be; any finite number. Default 0.35.
    pub margin: f32,
    /// How steep the loss is, where the batch brings no scale along; any finite number greater
    /// than 0, and not subnormal. Default 64.
    pub scale: f32,
    /// Prototypes of a class, one behind the other, of which the nearest stands for it; at least 1,
    /// and a divisor of the number of prototypes. Default 1.
    pub centers_per_class: u32,
}

impl Default for CosFace {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            margin: 0.35,
            scale: 64.0,
            centers_per_class: 1,
        }
    }
}

impl Description for CosFace {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Prototypes]
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "margin", self.margin)?;
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
        let mut kernel = TermsKernel::over_classes(
            shader!("terms/cos_face.wgsl"),
            self.scale,
            self.centers_per_class,
        );
        kernel.parameters.push(("margin", self.margin.to_bits()));
        kernel
    }
}
