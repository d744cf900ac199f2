//! The contrastive loss (Hadsell, Chopra and LeCun 2006).

use crate::loss::{Contrastive, Reduction};
use crate::reference::anchor::Anchor;
use crate::reference::bounded::{Bounded, Count, Term};
use crate::reference::definition::{AnchorTerms, Definition, scale_of};
use crate::reference::problem::Problem;

/// What a positive and what a negative term is multiplied by.
pub(in crate::reference) struct Weights {
    positive: Bounded,
    negative: Bounded,
}

impl Contrastive {
    /// max(0, d - positive_margin)^power
    fn positive(&self, d: Bounded) -> Term {
        (d - Bounded::input(self.positive_margin)).hinge().power(self.power)
    }

    /// max(0, negative_margin - d)^power
    fn negative(&self, d: Bounded) -> Term {
        (Bounded::input(self.negative_margin) - d).hinge().power(self.power)
    }

    fn nonzero(&self, anchor: &Anchor) -> [Count; 2] {
        [
            anchor.positives.iter().map(|&p| self.positive(anchor.distances[p]).nonzero).sum(),
            anchor.negatives.iter().map(|&n| self.negative(anchor.distances[n]).nonzero).sum(),
        ]
    }

    fn is_split(&self) -> bool {
        self.reduction == Reduction::MeanNonZero
    }
}

impl Definition for Contrastive {
    type Known = Weights;

    /// The non-zero mean is the mean of the positives plus that of the negatives: their counts come
    /// first.
    fn survey(&self, problem: &Problem) -> Weights {
        if !self.is_split() {
            return Weights { positive: Bounded::exact(1.0), negative: Bounded::exact(1.0) };
        }
        let counts = problem.map_anchors(|anchor| self.nonzero(&anchor));
        let [positive, negative] =
            [0, 1].map(|kind| counts.iter().map(|count| count[kind]).sum::<Count>().reciprocal());
        Weights { positive, negative }
    }

    fn terms_of(&self, anchor: &Anchor, weights: &Weights) -> AnchorTerms {
        let mut terms = AnchorTerms::none(anchor);
        let mut losses = [Vec::new(), Vec::new()];
        for &p in &anchor.positives {
            let term = self.positive(anchor.distances[p]);
            losses[0].push(term.value);
            terms.slopes[p] = term.slope * weights.positive;
            terms.nonzero_positive += term.nonzero;
        }
        for &n in &anchor.negatives {
            let term = self.negative(anchor.distances[n]);
            losses[1].push(term.value);
            terms.slopes[n] = -term.slope * weights.negative;
            terms.nonzero_negative += term.nonzero;
        }
        let [positive, negative] = losses.map(|losses| losses.into_iter().sum::<Bounded>());
        terms.loss = positive + negative;
        terms.contribution = positive * weights.positive + negative * weights.negative;
        terms.terms = (anchor.positives.len() + anchor.negatives.len()) as u64;
        terms.nonzero = [terms.nonzero_positive, terms.nonzero_negative].into_iter().sum();
        terms
    }

    fn scale(&self, terms: u64, nonzero: Count) -> Bounded {
        match self.reduction {
            // The weights have done it.
            Reduction::MeanNonZero => Bounded::exact(1.0),
            other => scale_of(other, terms, nonzero),
        }
    }
}
