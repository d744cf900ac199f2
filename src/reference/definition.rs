//! What a loss says of one anchor: the frame that every loss file fills.

use super::anchor::Anchor;
use super::bounded::{Bounded, Count};
use super::choice::Choice;
use super::problem::Problem;
use crate::loss::{Description, Reduction};

/// A loss by its definition.
pub(super) trait Definition: Description + Sync {
    /// What an anchor's terms need to know beyond the anchor's own row.
    type Known: Sync;

    /// Finds that out.
    fn survey(&self, problem: &Problem) -> Self::Known;

    /// The terms of one anchor.
    fn terms_of(&self, anchor: &Anchor, known: &Self::Known) -> AnchorTerms;

    /// What the sum of all terms is multiplied by.
    fn scale(&self, terms: u64, nonzero: Count) -> Bounded {
        scale_of(self.settings().2, terms, nonzero)
    }
}

/// What a reduction multiplies the sum of the terms by.
pub(super) fn scale_of(reduction: Reduction, terms: u64, nonzero: Count) -> Bounded {
    match reduction {
        Reduction::Sum => Bounded::exact(1.0),
        Reduction::Mean => Count::exact(terms).reciprocal(),
        Reduction::MeanNonZero => nonzero.reciprocal(),
        Reduction::HadsellMean => Count::exact(2 * terms).reciprocal(),
    }
}

/// What one anchor adds to the result.
pub(super) struct AnchorTerms {
    /// The sum of the terms.
    pub loss: Bounded,
    /// The value of the term as it enters the reduced loss, before the common scale.
    pub contribution: Bounded,
    pub terms: u64,
    pub nonzero: Count,
    pub nonzero_positive: Count,
    pub nonzero_negative: Count,
    /// The derivative of the contribution by the distance to every column.
    pub slopes: Vec<Bounded>,
    /// The derivative of the contribution by beta, and which beta.
    pub beta: Option<(usize, Bounded)>,
}

impl AnchorTerms {
    /// No terms yet.
    pub(crate) fn none(anchor: &Anchor) -> Self {
        Self {
            loss: Bounded::ZERO,
            contribution: Bounded::ZERO,
            terms: 0,
            nonzero: Count::default(),
            nonzero_positive: Count::default(),
            nonzero_negative: Count::default(),
            slopes: vec![Bounded::ZERO; anchor.distances.len()],
            beta: None,
        }
    }

    /// Sets the sum of the terms, for losses that weigh all terms alike.
    pub(crate) fn with_loss(mut self, loss: Bounded) -> Self {
        self.loss = loss;
        self.contribution = loss;
        self
    }

    /// Gives a slope to the candidate that is picked; whatever could be picked instead may get it
    /// too.
    pub(crate) fn add_slope(&mut self, choice: &Choice, slope: Bounded) {
        self.slopes[choice.index].value += slope.value;
        let doubt = if choice.plausible.len() > 1 { slope.magnitude() } else { slope.error };
        for &candidate in &choice.plausible {
            self.slopes[candidate].error += doubt;
        }
    }
}
