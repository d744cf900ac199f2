//! The symmetric cross-entropy of two towers.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_normal;
use crate::loss::{Description, Distance, Learned, Mode, Reduction, Thresholded};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Statistics, TermsKernel, Walk};

/// The symmetric cross-entropy of CLIP: each positive pair against the negatives of its row, and
/// against those of its reference.
///
/// With the similarity s(i, j), which is the cosine 1 - d(i, j) or, of another distance, -d(i, j),
/// and the logit l(i, j) = `scale` s(i, j), every pair of a row i and a reference p with its label
/// has two terms,
///
/// log(1 + exp(L(i) - l(i, p))) and log(1 + exp(L(p) - l(i, p)))
///
/// where L(i) = log( sum of exp(l(i, n)) ) over the references n with another label than i, and
/// L(p) the same over the rows with another label than p. A term without such is 0. `Mean` is the
/// mean of both directions: half of [`NtXent`](crate::NtXent) of the rows against the references,
/// and half of that of the references against the rows, at the temperature 1 / `scale`.
///
/// Of two towers, images and texts, those of one kind are the rows and those of the other the
/// references; an image and its text have the same label. References that no row owns, hard
/// negatives, enter the first direction only. With `InnerProduct` it is the N-pair loss of both
/// directions.
///
/// The softmax is taken of differences from the nearest negative: nothing overflows at any `scale`.
/// The scale is a number of the loss's description or, to be trained, an input
/// ([`Batch::with_scale`](crate::Batch::with_scale)); its derivative is
/// [`Evaluation::gradient_scale`](crate::Evaluation::gradient_scale), by the plain number: who
/// trains its logarithm multiplies by the scale. Terms are of two rows of two sets: there are no
/// per-anchor losses.
///
/// Sources: Radford et al., "Learning Transferable Visual Models From Natural Language
/// Supervision", ICML 2021; after Henderson et al., "Efficient Natural Language Response Suggestion
/// for Smart Reply", 2017, and Sohn, "Improved Deep Metric Learning with Multi-class N-pair Loss
/// Objective", NeurIPS 2016.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clip {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How steep the loss is, where the batch brings no scale along; any finite number greater
    /// than 0, and not subnormal. Default 1 / 0.07.
    pub scale: f32,
}

impl Default for Clip {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            scale: 1.0 / 0.07,
        }
    }
}

impl Description for Clip {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        check_normal(Self::NAME, "scale", self.scale)
    }

    fn per_anchor(&self) -> bool {
        false
    }

    /// Of every column it needs what the rows of other labels come to.
    fn needs_all_rows(&self) -> bool {
        true
    }

    fn learned(&self) -> Vec<Learned> {
        vec![Learned::scale(self.scale)]
    }

    fn gradient_factor(&self) -> f32 {
        self.scale
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let mut parameters = vec![("scale", self.scale.to_bits())];
        parameters.extend(self.reduction.threshold_parameters());
        TermsKernel {
            operations_per_pair: 96,
            statistics: Statistics::Sides,
            walk: Walk::reading(3),
            parameters,
            ..TermsKernel::new(shader!("terms/clip.wgsl"))
        }
    }
}
