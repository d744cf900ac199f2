//! The NT-Xent loss (Chen, Kornblith, Norouzi and Hinton 2020).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, Term};
use crate::loss::NtXent;

impl Definition for NtXent {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// -log( exp(l_p) / (exp(l_p) + exp(L)) ) = log(1 + exp(L - l_p)), with L the log-sum-exp of
    /// the negatives' logits.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        terms.terms = anchor.positives.len() as u64;
        let of_temperature = N::exact(self.temperature.into()).divides();
        let logit = |d: N| of_temperature(-d);
        let (positives, negatives) = (&anchor.positives, &anchor.negatives);
        // Of the negatives the logits, then their softmax, stand in the place of the slopes.
        N::map_at(&anchor.distances, negatives, &mut terms.slopes, logit);
        let Some(level) = N::softmax_at(&mut terms.slopes, negatives) else {
            terms.nonzero = self.reduction.zeros_within(terms.terms);
            return terms;
        };
        let mut loss = N::Total::default();
        let thresholds = self.reduction.thresholds();
        terms.nonzero = terms.add_within(anchor, positives, &mut loss, thresholds, |d| {
            let term = (level - logit(d)).softplus();
            Term { slope: of_temperature(term.slope), ..term }
        });
        let weight: N = positives.iter().map(|p| terms.slopes[p]).sum();
        N::change_at(&mut terms.slopes, negatives, |part| -(weight * part));
        terms.with_loss(loss.into())
    }
}
