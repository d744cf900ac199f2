//! The loss of neighbourhood components analysis.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_temperature;
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The loss of neighbourhood components analysis (NCA), with a temperature the soft nearest
/// neighbour loss: how unlikely an anchor is to draw a neighbour of its own class.
///
/// With the logits l(i, j) = -d(i, j) / `temperature`, per anchor i with positives P(i) and
/// negatives N(i):
///
/// -log( sum over p in P(i) of exp(l(i, p)) / sum over j in P(i) and N(i) of exp(l(i, j)) )
///
/// The sum over the positives is inside the logarithm: the nearest positive is enough. Terms are
/// anchors that have positives; one without negatives is 0.
///
/// Against references of one row for each class, with `normalize`, `SquaredEuclidean` and a
/// temperature of 1/9, it is ProxyNCA++.
///
/// Either log-sum-exp takes its largest summand out first: nothing overflows at any temperature,
/// and anchors whose positives are far keep their loss and gradient.
///
/// Sources: Goldberger, Roweis, Hinton and Salakhutdinov, "Neighbourhood Components Analysis",
/// NIPS 2004; with a temperature: Frosst, Papernot and Hinton, "Analyzing and Improving
/// Representations with the Soft Nearest Neighbor Loss", ICML 2019; with proxies: Teh, DeVries and
/// Taylor, "ProxyNCA++: Revisiting and Revitalizing Proxy Neighborhood Component Analysis", ECCV
/// 2020.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Nca {
    /// The distance d. Default `SquaredEuclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// What distances are divided by; any finite number greater than 0, and not subnormal. Default
    /// 1.
    pub temperature: f32,
}

impl Default for Nca {
    fn default() -> Self {
        Self {
            distance: Distance::SquaredEuclidean,
            normalize: false,
            reduction: Reduction::Mean,
            temperature: 1.0,
        }
    }
}

impl Description for Nca {
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
            parameters: vec![("inverse_temperature", self.gradient_factor().to_bits())],
            ..TermsKernel::over_levels(shader!("terms/nca.wgsl"))
        }
    }
}
