//! The NT-Xent loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_temperature;
use crate::loss::{Description, Distance, Mode, Reduction, Thresholded};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The normalized, temperature-scaled cross entropy (NT-Xent) of SimCLR: each positive against all
/// negatives of its anchor.
///
/// With the logits l(i, j) = -d(i, j) / `temperature`, which for `Cosine` are the cosines over the
/// temperature up to a constant that cancels, per ordered positive pair (i, p):
///
/// -log( exp(l(i, p)) / ( exp(l(i, p)) + sum over the negatives n of i of exp(l(i, n)) ) )
///
/// It is 0 where the anchor has no negatives. Terms are ordered positive pairs. Two views of N
/// images are 2N rows in which both views of an image have its label.
///
/// The log-sum-exp takes its largest summand out first: nothing overflows at any temperature, and a
/// logit is off by no more than the rounding of its distance implies, about 1e-7 / `temperature`.
///
/// Sources: Chen, Kornblith, Norouzi and Hinton, "A Simple Framework for Contrastive Learning of
/// Visual Representations", ICML 2020; after Sohn, "Improved Deep Metric Learning with Multi-class
/// N-pair Loss Objective", NeurIPS 2016.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NtXent {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the positive pairs become one number. Default `Mean`.
    pub reduction: Reduction,
    /// What distances are divided by; any finite number greater than 0, and not subnormal. Default
    /// 0.1.
    pub temperature: f32,
}

impl Default for NtXent {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            temperature: 0.1,
        }
    }
}

impl Description for NtXent {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
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
        let mut kernel = TermsKernel::over_logits(shader!("terms/nt_xent.wgsl"), self.temperature);
        kernel.parameters.extend(self.reduction.threshold_parameters());
        kernel
    }
}
