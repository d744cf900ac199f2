//! The supervised contrastive loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_temperature;
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The supervised contrastive loss (SupCon): the positives of an anchor against all its pairs.
///
/// With the logits l(i, j) = -d(i, j) / `temperature`, which for `Cosine` are the cosines over the
/// temperature up to a constant that cancels, per anchor i with positives P(i) and negatives N(i):
///
/// -1/|P(i)| sum over p in P(i) of log( exp(l(i, p)) / sum over j in P(i) and N(i) of exp(l(i, j))
/// )
///
/// This is the paper's form with the mean outside the logarithm, without its common factor. Terms
/// are anchors that have positives.
///
/// The log-sum-exp takes its largest summand out first: nothing overflows at any temperature, and a
/// logit is off by no more than the rounding of its distance implies, about 1e-7 / `temperature`.
///
/// Source: Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu and Krishnan, "Supervised
/// Contrastive Learning", NeurIPS 2020.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SupCon {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// What distances are divided by; any finite number greater than 0, and not subnormal. Default
    /// 0.1.
    pub temperature: f32,
}

impl Default for SupCon {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            temperature: 0.1,
        }
    }
}

impl Description for SupCon {
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
        TermsKernel::over_logits(shader!("terms/sup_con.wgsl"), self.temperature)
    }
}
