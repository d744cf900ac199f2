//! The multi-class margin loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_finite, check_power};
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The multi-class margin loss: "margin" in its first meaning.
///
/// With scores s(i, c) of N samples and C classes, given directly or s(i, c) = -d(x_i, w_c) against
/// one prototype w_c a class, the loss of sample i with label y is
///
/// sum over c != y of max(0, s(i, c) - s(i, y) + `margin`)^`power`
///
/// Terms are samples, so `Mean` divides by N. Labels index the classes: a label >= C is an error.
/// The gradient is with respect to the scores, or to the embeddings and the prototypes.
///
/// Source: Crammer and Singer, "On the Algorithmic Implementation of Multiclass Kernel-based Vector
/// Machines", JMLR 2001, in the summed form of Weston and Watkins, "Support Vector Machines for
/// Multi-Class Pattern Recognition", ESANN 1999.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiMargin {
    /// The distance to the prototypes; without effect on scores. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row and every prototype is divided by its norm first; without effect on
    /// scores. Default false.
    pub normalize: bool,
    /// How the samples become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How far the own class's score must be ahead; any finite number. Default 1.
    pub margin: f32,
    /// The exponent, 1 or 2. Default 1.
    pub power: u32,
    /// Divides every term by C, as the deep-learning frameworks do. Default false.
    pub divide_by_classes: bool,
}

impl Default for MultiMargin {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::Mean,
            margin: 1.0,
            power: 1,
            divide_by_classes: false,
        }
    }
}

impl Description for MultiMargin {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Scores, Mode::Prototypes]
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "margin", self.margin)?;
        check_power(Self::NAME, self.power)
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            constants: vec![
                ("POWER", self.power.into()),
                ("DIVIDE_BY_CLASSES", self.divide_by_classes.into()),
            ],
            parameters: vec![("margin", self.margin.to_bits())],
            ..TermsKernel::new(shader!("terms/multi_margin.wgsl"))
        }
    }

    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self> {
        let with = |power| {
            [false, true].map(|divide_by_classes| Self { power, divide_by_classes, ..self.clone() })
        };
        [1, 2].map(with).concat()
    }
}
