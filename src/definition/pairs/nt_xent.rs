//! The NT-Xent loss (Chen, Kornblith, Norouzi and Hinton 2020).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
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
        let logits = anchor.logits(self.temperature);
        let negatives = anchor.negatives.iter().map(|&n| logits[n]);
        let Some(level) = N::log_sum_exp(negatives) else { return terms };
        let mut losses = Vec::new();
        for &p in &anchor.positives {
            let term = (level - logits[p]).softplus();
            losses.push(term.value);
            terms.slopes[p] = term.slope / temperature;
            terms.nonzero += term.nonzero;
        }
        let weight: N = anchor.positives.iter().map(|&p| terms.slopes[p]).sum();
        for &n in &anchor.negatives {
            terms.slopes[n] = -(weight * (logits[n] - level).exp_of_part());
        }
        terms.with_loss(losses.into_iter().sum())
    }
}
