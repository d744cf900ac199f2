//! The NT-Xent loss (Chen, Kornblith, Norouzi and Hinton 2020).

use crate::loss::NtXent;
use crate::reference::anchor::Anchor;
use crate::reference::bounded::Bounded;
use crate::reference::definition::{AnchorTerms, Definition};
use crate::reference::problem::Problem;

impl Definition for NtXent {
    type Known = ();

    fn survey(&self, _: &Problem) {}

    /// -log( exp(l_p) / (exp(l_p) + exp(L)) ) = log(1 + exp(L - l_p)), with L the log-sum-exp of
    /// the negatives' logits.
    fn terms_of(&self, anchor: &Anchor, (): &()) -> AnchorTerms {
        let mut terms = AnchorTerms::none(anchor);
        terms.terms = anchor.positives.len() as u64;
        let temperature = Bounded::exact(self.temperature.into());
        let logits = anchor.logits(self.temperature);
        let negatives = anchor.negatives.iter().map(|&n| logits[n]);
        let Some(level) = Bounded::log_sum_exp(negatives) else { return terms };
        let mut losses = Vec::new();
        for &p in &anchor.positives {
            let term = (level - logits[p]).softplus();
            losses.push(term.value);
            terms.slopes[p] = term.slope / temperature;
            terms.nonzero += term.nonzero;
        }
        let weight: Bounded = anchor.positives.iter().map(|&p| terms.slopes[p]).sum();
        for &n in &anchor.negatives {
            terms.slopes[n] = -(weight * (logits[n] - level).exp_of_part());
        }
        terms.with_loss(losses.into_iter().sum())
    }
}
