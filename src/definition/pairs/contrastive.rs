//! The contrastive loss (Hadsell, Chopra and LeCun 2006).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition, scale_of};
use crate::definition::number::{Count, Number, Term};
use crate::loss::Contrastive;

/// What a positive and what a negative term is multiplied by.
pub(crate) struct Weights<N> {
    positive: N,
    negative: N,
}

impl Contrastive {
    /// max(0, d - positive_margin)^power
    fn positive<N: Number>(&self, d: N) -> Term<N> {
        self.term(d - N::input(self.positive_margin))
    }

    /// max(0, negative_margin - d)^power
    fn negative<N: Number>(&self, d: N) -> Term<N> {
        self.term(N::input(self.negative_margin) - d)
    }

    fn term<N: Number>(&self, argument: N) -> Term<N> {
        argument.hinge().power(self.power).within(self.reduction.thresholds())
    }

    fn nonzero<N: Number>(&self, anchor: &Anchor<N>) -> [Count; 2] {
        let mut terms = AnchorTerms::none(anchor);
        [
            terms.add(anchor, &anchor.positives, &mut N::Total::default(), |d| self.positive(d)),
            terms.add(anchor, &anchor.negatives, &mut N::Total::default(), |d| self.negative(d)),
        ]
    }
}

impl Definition for Contrastive {
    type Known<N: Number> = Weights<N>;

    /// Two means are that of the positives and that of the negatives: their counts come first.
    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Weights<N> {
        if !self.has_two_means() {
            return Weights { positive: N::ONE, negative: N::ONE };
        }
        let counts = anchors.map_anchors(|anchor| self.nonzero(&anchor));
        let [positive, negative] =
            [0, 1].map(|kind| counts.iter().map(|count| count[kind]).sum::<Count>().reciprocal());
        Weights { positive, negative }
    }

    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, weights: &Weights<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let mut losses = [N::Total::default(), N::Total::default()];
        let [of_positives, of_negatives] = &mut losses;
        terms.nonzero_positive = terms.add(anchor, &anchor.positives, of_positives, |d| {
            let term = self.positive(d);
            Term { slope: term.slope * weights.positive, ..term }
        });
        terms.nonzero_negative = terms.add(anchor, &anchor.negatives, of_negatives, |d| {
            let term = self.negative(d);
            Term { slope: -term.slope * weights.negative, ..term }
        });
        let [positive, negative] = losses.map(Into::<N>::into);
        terms.loss = positive + negative;
        terms.contribution = positive * weights.positive + negative * weights.negative;
        terms.terms = (anchor.positives.len() + anchor.negatives.len()) as u64;
        terms.nonzero = [terms.nonzero_positive, terms.nonzero_negative].into_iter().sum();
        terms
    }

    fn scale<N: Number>(&self, terms: u64, nonzero: Count) -> N {
        // The weights of two means have done it.
        if self.has_two_means() { N::ONE } else { scale_of(self.reduction, terms, nonzero) }
    }
}
