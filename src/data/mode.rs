//! What an evaluation's inputs stand for.

use crate::names::named;

/// What the inputs of an evaluation stand for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Every row of one set with every other row: the pair (i, i) does not exist.
    Batch,
    /// Every query with every row of another set, which has labels of its own.
    Reference,
    /// Every row with one prototype per class: row c stands for class c.
    Prototypes,
    /// The rows are the scores of the classes.
    Scores,
    /// Every row of one set with the same row of another: Siamese networks.
    PairRows,
    /// Listed pairs of rows of one set.
    PairIndices,
    /// Every row of one set with the same row of another, and how similar the two should be.
    ScoredPairRows,
    /// Listed pairs of rows of one set, and how similar the two of each should be.
    ScoredPairIndices,
    /// Listed triplets of rows of one set: anchor, positive, negative.
    Triplets,
    /// No pairs: every number, or every row, by itself or against its target.
    Pointwise,
}

named! {
    /// Every mode.
    Mode, "mode":
    Batch "batch",
    Reference "reference",
    Prototypes "prototypes",
    Scores "scores",
    PairRows "pair rows",
    PairIndices "pair indices",
    ScoredPairRows "scored pair rows",
    ScoredPairIndices "scored pair indices",
    Triplets "triplets",
    Pointwise "pointwise",
}

impl Mode {
    /// Whether distances and gradients of this mode are worked on in tiles.
    #[cfg(any(feature = "gpu", feature = "reference"))]
    pub(crate) fn has_tiles(self) -> bool {
        matches!(self, Self::Batch | Self::Reference | Self::Prototypes)
    }

    /// Whether pair r is row r of both sets.
    #[cfg(feature = "gpu")]
    pub(crate) fn is_row_aligned(self) -> bool {
        matches!(self, Self::PairRows | Self::ScoredPairRows)
    }

    /// Whether every row is an anchor, with a label and all columns to meet.
    pub(crate) const fn has_anchors(self) -> bool {
        matches!(self, Self::Batch | Self::Reference | Self::Prototypes | Self::Scores)
    }

    /// Whether its terms can have weights: those of rows, pairs or triplets.
    pub(crate) const fn has_weights(self) -> bool {
        self.has_anchors() || matches!(self, Self::PairRows | Self::PairIndices | Self::Triplets)
    }

    /// Whether pairs are listed by the indices of their rows.
    pub(crate) fn has_pair_indices(self) -> bool {
        matches!(self, Self::PairIndices | Self::ScoredPairIndices)
    }

    /// Whether every pair has a target, in the place of being the same or different.
    pub(crate) fn is_scored(self) -> bool {
        matches!(self, Self::ScoredPairRows | Self::ScoredPairIndices)
    }
}
