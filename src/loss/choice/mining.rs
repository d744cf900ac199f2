//! Which triplets a batch gives.

use serde::{Deserialize, Serialize};

use crate::names::{every, named};

/// Which (anchor, positive, negative) triplets are the terms of [`Triplet`](crate::Triplet). Ties
/// go to the lowest index.
///
/// A *hard* positive is the farthest, an *easy* one the nearest. A *hard* negative is the nearest,
/// an *easy* one the farthest, a *semi-hard* one the nearest that is farther than the positive, or
/// the farthest where none is. The minings that are named after both give one triplet per anchor
/// with a positive and a negative.
///
/// Sources: Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person
/// Re-Identification", 2017 (`Hard`, as batch-hard); Schroff, Kalenichenko and Philbin, "FaceNet: A
/// Unified Embedding for Face Recognition and Clustering", CVPR 2015 (semi-hard); Xuan, Stylianou
/// and Pless, "Improved Embeddings with Easy Positive Triplet Mining", WACV 2020 (easy positives).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Mining {
    /// Every triplet: each anchor with each of its positives and each of its negatives.
    #[default]
    All,
    /// One triplet per anchor: the farthest positive and the nearest negative.
    Hard,
    /// One triplet per (anchor, positive) of an anchor with a negative: the nearest negative that
    /// is farther than the positive, or the farthest negative where none is.
    SemiHard,
    /// One triplet per anchor: the farthest positive, and the nearest negative that is farther, or
    /// the farthest where none is.
    HardPositiveSemiHardNegative,
    /// One triplet per anchor: the farthest positive and the farthest negative.
    HardPositiveEasyNegative,
    /// One triplet per anchor: the nearest positive and the nearest negative.
    EasyPositiveHardNegative,
    /// One triplet per anchor: the nearest positive, and the nearest negative that is farther, or
    /// the farthest where none is.
    EasyPositiveSemiHardNegative,
    /// One triplet per anchor: the nearest positive and the farthest negative.
    EasyPositiveEasyNegative,
    /// The triplets that the caller lists ([`Batch::triplets`](crate::Batch::triplets)), repeats
    /// counted.
    Explicit,
}

named! {
    /// Every mining.
    Mining, "mining":
    All,
    Hard,
    SemiHard,
    HardPositiveSemiHardNegative,
    HardPositiveEasyNegative,
    EasyPositiveHardNegative,
    EasyPositiveSemiHardNegative,
    EasyPositiveEasyNegative,
    Explicit,
}

impl Mining {
    /// Whether an anchor has one triplet at most: then two of its pairs alone have a share in the
    /// gradient.
    pub fn is_one_per_anchor(self) -> bool {
        matches!(self.triplets(), Triplets::OnePerAnchor { .. })
    }

    /// The triplets in the terms of kernels and reference.
    pub(crate) fn triplets(self) -> Triplets {
        use Difficulty::{Easy, Hard, SemiHard};
        let one = |positive, negative| Triplets::OnePerAnchor { positive, negative };
        match self {
            Self::All => Triplets::Every,
            Self::SemiHard => Triplets::OnePerPositive,
            Self::Hard => one(Hard, Hard),
            Self::HardPositiveSemiHardNegative => one(Hard, SemiHard),
            Self::HardPositiveEasyNegative => one(Hard, Easy),
            Self::EasyPositiveHardNegative => one(Easy, Hard),
            Self::EasyPositiveSemiHardNegative => one(Easy, SemiHard),
            Self::EasyPositiveEasyNegative => one(Easy, Easy),
            Self::Explicit => Triplets::Listed,
        }
    }
}

/// How many triplets an anchor has, and which: each has a kernel of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Triplets {
    /// An anchor with each of its positives and each of its negatives.
    Every,
    /// Each of its positives with its semi-hard negative.
    OnePerPositive,
    /// One positive with one negative.
    OnePerAnchor { positive: Difficulty, negative: Difficulty },
    /// The triplets that the caller lists.
    Listed,
}

/// How hard a positive or a negative is chosen. No positive is semi-hard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
// Their order is the number that `shaders/terms/triplet/one_per_anchor.wgsl` knows them by.
pub(crate) enum Difficulty {
    Easy,
    SemiHard,
    Hard,
}

every! {
    /// Every difficulty.
    #[cfg(feature = "gpu")]
    pub(crate) Difficulty: Easy, SemiHard, Hard
}
