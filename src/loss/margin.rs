//! The margin loss of Wu et al.

use serde::{Deserialize, Serialize};

use super::{Description, Distance, Mode, Reduction, Terms, check_finite};
use crate::shader::shader;
use crate::{Error, Result};

/// The margin loss with a learnable boundary: "margin" in its second meaning.
///
/// Per ordered pair (i, j) at distance d, with the boundary beta:
///
/// - positive: max(0, d - beta + `alpha`)
/// - negative: max(0, beta - d + `alpha`)
///
/// Beta is an input ([`Batch::with_beta`](crate::Batch::with_beta)): one number, [`Margin::DEFAULT_BETA`] where none is given, or
/// with `beta_per_class` one per class, indexed by the anchor's label. Its gradient is part of the result. Terms are pairs.
///
/// Source: Wu, Manmatha, Smola and Krähenbühl, "Sampling Matters in Deep Embedding Learning", ICCV 2017.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Margin {
    /// The distance d. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the pairs become one number. Default `MeanNonZero`, over positives and negatives together.
    pub reduction: Reduction,
    /// How far from beta a pair must be to cost nothing; any finite number. Default 0.2.
    pub alpha: f32,
    /// Whether beta has one entry per class instead of one in all. Default false.
    pub beta_per_class: bool,
}

impl Margin {
    /// The boundary where the caller gives none.
    pub const DEFAULT_BETA: f32 = 1.2;

    pub(crate) const NAME: &'static str = "Margin";
}

impl Default for Margin {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::MeanNonZero,
            alpha: 0.2,
            beta_per_class: false,
        }
    }
}

impl Description for Margin {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        match self.beta_per_class {
            // Listed and row-aligned pairs have no labels to index the betas by.
            true => &[Mode::Batch, Mode::Reference],
            false => &[Mode::Batch, Mode::Reference, Mode::PairRows, Mode::PairIndices],
        }
    }

    fn check(&self) -> Result<(), Error> {
        check_finite(Self::NAME, "alpha", self.alpha)
    }

    fn beta(&self) -> Option<super::Beta> {
        Some(super::Beta { per_class: self.beta_per_class, default: Self::DEFAULT_BETA })
    }

    fn terms(&self) -> Terms {
        Terms {
            // The pair (i, j) uses the beta of i's class.
            symmetric: !self.beta_per_class,
            constants: vec![("BETA_PER_CLASS", self.beta_per_class.into())],
            parameters: vec![("alpha", self.alpha)],
            ..Terms::of(shader!("terms/margin.wgsl"))
        }
    }
}
