//! The multi-similarity loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::{check_finite, check_normal, check_strength};
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::TermsKernel;

/// The multi-similarity loss: every pair is weighed by its own distance and by those of its anchor's
/// other pairs.
///
/// Per anchor i, with P(i) and N(i) its positives and negatives that are taken:
///
/// 1/`alpha` log( 1 + sum over p in P(i) of exp(`alpha` (d(i, p) - `base`)) ) + 1/`beta` log( 1 +
/// sum over n in N(i) of exp(`beta` (`base` - d(i, n))) )
///
/// Without `epsilon` every pair is taken. With it, a positive is taken if d(i, p) + `epsilon` is
/// greater than the distance of the nearest negative, and a negative if d(i, n) - `epsilon` is less
/// than that of the farthest positive; an anchor without positives or without negatives takes none.
/// That is the paper's mining. No gradient flows through the choice.
///
/// Terms are anchors that have any pair, taken or not. `base` is a distance; libraries that compare
/// similarities have 1 - `base` for `Cosine`.
///
/// Either log-sum-exp takes its largest summand out first: nothing overflows at any `alpha` or
/// `beta`.
///
/// Source: Wang, Han, Huang, Dong and Scott, "Multi-Similarity Loss with General Pair Weighting for
/// Deep Metric Learning", CVPR 2019.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MultiSimilarity {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How steeply positives weigh more the farther they are; any finite number greater than 0, and
    /// not subnormal. Default 2.
    pub alpha: f32,
    /// How steeply negatives weigh more the nearer they are; any finite number greater than 0, and
    /// not subnormal. Default 50.
    pub beta: f32,
    /// The distance that all are compared with; any finite number. Default 0.5.
    pub base: f32,
    /// By how much pairs may miss the mining's comparisons; any finite number of at least 0. Default
    /// `None`, which takes every pair; the paper has 0.1.
    pub epsilon: Option<f32>,
}

impl Default for MultiSimilarity {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            alpha: 2.0,
            beta: 50.0,
            base: 0.5,
            epsilon: None,
        }
    }
}

impl Description for MultiSimilarity {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        check_normal(Self::NAME, "alpha", self.alpha)?;
        check_normal(Self::NAME, "beta", self.beta)?;
        check_finite(Self::NAME, "base", self.base)?;
        check_strength(Self::NAME, "epsilon", self.epsilon.unwrap_or_default())
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            parameters: vec![
                ("alpha", self.alpha.to_bits()),
                ("beta", self.beta.to_bits()),
                ("base", self.base.to_bits()),
                ("epsilon", self.epsilon.unwrap_or_default().to_bits()),
                ("mines", self.epsilon.is_some().into()),
            ],
            ..TermsKernel::over_levels(shader!("terms/multi_similarity.wgsl"))
        }
    }
}
