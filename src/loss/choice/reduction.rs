//! From terms to one number.

use serde::{Deserialize, Serialize};

/// How the terms of a loss become one number. No reduction divides by zero: a batch without terms
/// has loss and gradient 0.
///
/// What a term is, is said by each loss: a pair, a mined triplet, a positive pair, a sample, an
/// element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
// Their order is the number that `shaders/finish/totals.wgsl` knows them by.
#[non_exhaustive]
pub enum Reduction {
    /// The sum of the terms.
    Sum,
    /// The sum over the number of terms that exist, zero or not.
    #[default]
    Mean,
    /// The sum over the number of terms strictly greater than 0. For
    /// [`Contrastive`](crate::Contrastive) the mean of the non-zero positive terms plus the
    /// mean of the non-zero negative terms.
    MeanNonZero,
    /// The sum over twice the number of terms (Hadsell et al. 2006), usual for listed and
    /// row-aligned pairs: [`Contrastive::siamese`](crate::Contrastive::siamese).
    /// [`Contrastive`](crate::Contrastive) only.
    HadsellMean,
}

impl Reduction {
    /// Every reduction.
    pub const ALL: [Self; 4] = [Self::Sum, Self::Mean, Self::MeanNonZero, Self::HadsellMean];
}
