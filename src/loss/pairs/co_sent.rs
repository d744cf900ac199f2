//! The CoSENT loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_normal;
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Statistics, TermsKernel};

/// The CoSENT loss: pairs in the order in which a target says how similar each should be.
///
/// With the similarity s(r) of the rows of pair r, which is their cosine 1 - d or, of another
/// distance, -d, and its target t(r), the loss is
///
/// log( 1 + sum over all pairs (a, b) of pairs with t(a) < t(b) of exp(`scale` (s(a) - s(b))) )
///
/// Every pair that should be less similar than another, and is not, costs. Only the order of targets
/// counts, so they may be marks from 0 to 5 as well as 0 and 1, and equal ones are not compared. The
/// loss is one number: there is one term, or none where all targets are equal, and `Mean` is the
/// same as `Sum`.
///
/// The pairs are sorted by their targets, and two scans give each pair the log-sum-exp of those with
/// a lower target and of those with a higher one: nothing of the size of all comparisons is stored
/// or computed. Logarithms keep it finite at any scale.
///
/// Sources: Su, "CoSENT (1): a more effective sentence-vector scheme than Sentence-BERT", 2022;
/// Huang, Peng, Zou, Liu, Li, Liu, Wu, Su and Yu, "CoSENT: Consistent Sentence Embedding via
/// Similarity Ranking", IEEE/ACM TASLP 2024.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CoSent {
    /// The distance d. Default `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// `Mean` or `Sum`, which are the same. Default `Mean`.
    pub reduction: Reduction,
    /// How steep the loss is; any finite number greater than 0, and not subnormal. Default 20.
    pub scale: f32,
}

impl Default for CoSent {
    fn default() -> Self {
        Self {
            distance: Distance::Cosine,
            normalize: false,
            reduction: Reduction::Mean,
            scale: 20.0,
        }
    }
}

impl Description for CoSent {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::ScoredPairRows, Mode::ScoredPairIndices]
    }

    fn check(&self) -> Result<()> {
        check_normal(Self::NAME, "scale", self.scale)
    }

    fn allows(&self, reduction: Reduction) -> bool {
        matches!(reduction, Reduction::Sum | Reduction::Mean)
    }

    fn per_anchor(&self) -> bool {
        false
    }

    fn takes_weights(&self) -> bool {
        false
    }

    fn gradient_factor(&self) -> f32 {
        self.scale
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            // Two searches in the order.
            operations_per_pair: 512,
            statistics: Statistics::Order,
            parameters: vec![("scale", self.scale.to_bits())],
            ..TermsKernel::new(shader!("terms/co_sent.wgsl"))
        }
    }
}
