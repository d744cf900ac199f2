//! From terms to one number.

use serde::{Deserialize, Serialize};

use crate::names::named;

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
    /// The sum over the number of terms strictly greater than 0, whatever they round to: smooth
    /// terms (softplus, log-sum-exp, entropy) are never 0, and there it is the mean. For
    /// [`Contrastive`](crate::Contrastive) the mean of the non-zero positive terms plus the
    /// mean of the non-zero negative terms.
    MeanNonZero,
    /// The sum over twice the number of terms (Hadsell et al. 2006), usual for listed and
    /// row-aligned pairs: [`Contrastive::siamese`](crate::Contrastive::siamese).
    /// [`Contrastive`](crate::Contrastive) only.
    HadsellMean,
}

named! {
    /// Every reduction.
    Reduction, "reduction":
    Sum,
    Mean,
    MeanNonZero,
    HadsellMean,
}
