//! The contrastive loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_finite, check_power};
use crate::loss::{Description, Distance, Mode, Reduction, Thresholded};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Statistics, TermsKernel};

/// The contrastive loss, and with `power` 1 the Siamese form.
///
/// Per ordered pair (i, j) of rows at distance d, positive when their labels are equal, or per
/// listed or row-aligned pair, positive when it is said to be the same:
///
/// - positive: max(0, d - `positive_margin`)^`power`
/// - negative: max(0, `negative_margin` - d)^`power`
///
/// Terms are pairs; for pairs that are listed or row-aligned [`Contrastive::siamese`] has the
/// reduction of the source. [`Reduction::MeanNonZero`] is the mean of the non-zero positive terms
/// plus the mean of the non-zero negative terms, and [`Reduction::MeanWithin`] likewise of the terms
/// within its thresholds.
///
/// Source: Hadsell, Chopra and LeCun, "Dimensionality Reduction by Learning an Invariant Mapping",
/// CVPR 2006.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Contrastive {
    /// The distance d. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the pairs become one number. Default `Mean`.
    pub reduction: Reduction,
    /// Positives nearer than this cost nothing; any finite number. Default 0.
    pub positive_margin: f32,
    /// Negatives farther than this cost nothing; any finite number. Default 1.
    pub negative_margin: f32,
    /// The exponent, 1 or 2. Default 2.
    pub power: u32,
}

impl Contrastive {
    /// The loss as Siamese networks are trained with it on listed or row-aligned pairs: the default
    /// with [`Reduction::HadsellMean`], the sum over twice the number of pairs. The program
    /// takes it for pairs where no reduction is asked for.
    pub fn siamese() -> Self {
        Self { reduction: Reduction::HadsellMean, ..Self::default() }
    }

    /// Whether the positive and the negative terms have means of their own, which are added.
    pub(crate) fn has_two_means(&self) -> bool {
        matches!(self.reduction, Reduction::MeanNonZero | Reduction::MeanWithin(_))
    }
}

impl Default for Contrastive {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::Mean,
            positive_margin: 0.0,
            negative_margin: 1.0,
            power: 2,
        }
    }
}

impl Description for Contrastive {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference, Mode::PairRows, Mode::PairIndices]
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "positive_margin", self.positive_margin)?;
        check_finite(Self::NAME, "negative_margin", self.negative_margin)?;
        check_power(Self::NAME, self.power)
    }

    fn allows(&self, _: Reduction) -> bool {
        true
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
    }

    fn is_symmetric(&self) -> bool {
        true
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        // Two means weigh positives and negatives apart: both counts come before any coefficient.
        let split = self.has_two_means();
        let mut parameters = vec![
            ("positive_margin", self.positive_margin.to_bits()),
            ("negative_margin", self.negative_margin.to_bits()),
        ];
        parameters.extend(self.reduction.threshold_parameters());
        TermsKernel {
            statistics: if split { Statistics::Totals } else { Statistics::None },
            symmetric: self.is_symmetric(),
            constants: vec![("POWER", self.power.into()), ("SPLIT_MEAN", split.into())],
            parameters,
            ..TermsKernel::new(shader!("terms/contrastive.wgsl"))
        }
    }

    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self> {
        [1, 2].map(|power| Self { power, ..self.clone() }).to_vec()
    }
}
