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
        argument.hinge().power(self.power)
    }

    /// Adds up the terms of both kinds, with these weights; how many of each count.
    fn add<N: Number>(
        &self,
        terms: &mut AnchorTerms<N>,
        anchor: &Anchor<N>,
        weights: &Weights<N>,
    ) -> ([N; 2], [Count; 2]) {
        let thresholds = self.reduction.thresholds();
        let [mut positive, mut negative] = [N::Total::default(), N::Total::default()];
        let counts = [
            terms.add_within(anchor, &anchor.positives, &mut positive, thresholds, |d| {
                let term = self.positive(d);
                Term { slope: term.slope * weights.positive, ..term }
            }),
            terms.add_within(anchor, &anchor.negatives, &mut negative, thresholds, |d| {
                let term = self.negative(d);
                Term { slope: -term.slope * weights.negative, ..term }
            }),
        ];
        ([positive.into(), negative.into()], counts)
    }
}

impl Definition for Contrastive {
    type Known<N: Number> = Weights<N>;

    /// Two means are that of the positives and that of the negatives: their counts come first.
    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Weights<N> {
        let ones = Weights { positive: N::ONE, negative: N::ONE };
        if !self.has_two_means() {
            return ones;
        }
        let counts = anchors
            .map_anchors(|anchor| self.add(&mut AnchorTerms::none(&anchor), &anchor, &ones).1);
        let [positive, negative] =
            [0, 1].map(|kind| counts.iter().map(|count| count[kind]).sum::<Count>().reciprocal());
        Weights { positive, negative }
    }

    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, weights: &Weights<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let ([positive, negative], counts) = self.add(&mut terms, anchor, weights);
        [terms.nonzero_positive, terms.nonzero_negative] = counts;
        terms.loss = positive + negative;
        terms.contribution = positive * weights.positive + negative * weights.negative;
        terms.terms = (anchor.positives.len() + anchor.negatives.len()) as u64;
        terms.nonzero = counts.into_iter().sum();
        terms
    }

    fn scale<N: Number>(&self, terms: u64, nonzero: Count) -> N {
        // The weights of two means have done it.
        if self.has_two_means() { N::ONE } else { scale_of(self.reduction, terms, nonzero) }
    }
}
