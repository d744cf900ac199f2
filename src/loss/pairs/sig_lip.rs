//! The sigmoid loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_finite, check_normal};
use crate::loss::{Description, Distance, Learned, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The sigmoid loss of SigLIP: every pair by itself is the same or it is not.
///
/// With the similarity s(i, j), which is the cosine 1 - d(i, j) or, of another distance, -d(i, j),
/// the logit l(i, j) = `scale` s(i, j) + `bias`, and z(i, j) = 1 where the labels are the same and
/// -1 where they are not, the loss of anchor i is the sum over its pairs of
///
/// log(1 + exp(-z(i, j) l(i, j)))
///
/// Terms are anchors with a pair, so that `Mean` is the sum over all pairs divided by the rows, as
/// in the paper. Of two towers, images and texts, those of one kind are the rows and those of the
/// other the references; an image and its text have the same label, and images that share a text
/// share it. A term is symmetric in its two rows: there is no other direction to add.
///
/// The scale and the bias are numbers of the loss's description or, to be trained, inputs
/// ([`Batch::with_scale`](crate::Batch::with_scale), [`Batch::with_bias`](crate::Batch::with_bias));
/// their derivatives are [`Evaluation::gradient_scale`](crate::Evaluation::gradient_scale) and
/// [`Evaluation::gradient_bias`](crate::Evaluation::gradient_bias), by the plain numbers: who trains
/// the logarithm of the scale multiplies by the scale.
///
/// Source: Zhai, Mustafa, Kolesnikov and Beyer, "Sigmoid Loss for Language Image Pre-Training",
/// ICCV 2023.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SigLip {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How steep the loss is, where the batch brings no scale along; any finite number greater
    /// than 0, and not subnormal. Default 10.
    pub scale: f32,
    /// What is added to all logits, where the batch brings no bias along; any finite number. It
    /// stands for how few of the pairs are the same. Default -10.
    pub bias: f32,
}

impl Default for SigLip {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            scale: 10.0,
            bias: -10.0,
        }
    }
}

impl Description for SigLip {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        check_normal(Self::NAME, "scale", self.scale)?;
        check_finite(Self::NAME, "bias", self.bias)
    }

    /// Of a pair, thresholds may leave either anchor out.
    fn is_symmetric(&self) -> bool {
        self.reduction.thresholds().is_none()
    }

    fn learned(&self) -> Vec<Learned> {
        vec![Learned::scale(self.scale), Learned::bias(self.bias)]
    }

    fn gradient_factor(&self) -> f32 {
        self.scale
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            operations_per_pair: 64,
            symmetric: self.is_symmetric(),
            parameters: vec![("scale", self.scale.to_bits())],
            ..TermsKernel::new(shader!("terms/sig_lip.wgsl"))
        }
    }
}
