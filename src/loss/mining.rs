//! Which triplets a batch gives.

use serde::{Deserialize, Serialize};

/// Which (anchor, positive, negative) triplets are the terms of [`Triplet`](crate::Triplet). Ties go to the lowest index.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Mining {
    /// Every triplet: each anchor with each of its positives and each of its negatives.
    #[default]
    All,
    /// One triplet per anchor with a positive and a negative: the farthest positive and the nearest negative
    /// (batch-hard; Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person Re-Identification", 2017).
    Hard,
    /// One triplet per (anchor, positive) of an anchor with a negative: the nearest negative that is farther than the
    /// positive, or the farthest negative where none is (Schroff, Kalenichenko and Philbin, "FaceNet", CVPR 2015).
    SemiHard,
    /// The triplets that the caller lists ([`Batch::triplets`](crate::Batch::triplets)), repeats counted.
    Explicit,
}

impl Mining {
    /// Every mining.
    pub const ALL: [Self; 4] = [Self::All, Self::Hard, Self::SemiHard, Self::Explicit];
}
