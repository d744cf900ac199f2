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
        let temperature = N::exact(self.temperature.into());
        let logit = |d: N| -d / temperature;
        let (positives, negatives) = (&anchor.positives, &anchor.negatives);
        // Of the negatives the logits stand in the place of the slopes that they become.
        let logits = &mut terms.slopes;
        N::map_at(&anchor.distances, negatives, logits, logit);
        let Some(level) = N::log_sum_exp_at(logits, negatives, |logit| logit) else {
            terms.nonzero = self.reduction.zeros_within(terms.terms);
            return terms;
        };
        let mut loss = N::Total::default();
        let thresholds = self.reduction.thresholds();
        terms.nonzero = terms.add_within(anchor, positives, &mut loss, thresholds, |d| {
            let term = (level - logit(d)).softplus();
            Term { slope: term.slope / temperature, ..term }
        });
        let weight: N = positives.iter().map(|p| terms.slopes[p]).sum();
        let slope = |logit: N| -(weight * (logit - level).exp_of_part());
        N::change_at(&mut terms.slopes, negatives, slope);
        terms.with_loss(loss.into())
    }
}
