//! The supervised contrastive loss (Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu and
//! Krishnan 2020).

use crate::loss::SupCon;
use crate::reference::anchor::Anchor;
use crate::reference::bounded::{Bounded, Count};
use crate::reference::definition::{Definition, Terms};
use crate::reference::problem::Problem;

impl Definition for SupCon {
    type Known = ();

    fn survey(&self, _: &Problem) {}

    /// The mean over the positives of -log( exp(l_p) / exp(L) ) = L - l_p, with L the log-sum-exp
    /// of all logits.
    fn terms_of(&self, anchor: &Anchor, (): &()) -> Terms {
        let mut terms = Terms::none(anchor);
        if anchor.positives.is_empty() {
            return terms;
        }
        let temperature = Bounded::exact(self.temperature.into());
        let logits = anchor.logits(self.temperature);
        let pairs = || anchor.positives.iter().chain(&anchor.negatives).copied();
        let Some(level) = Bounded::log_sum_exp(pairs().map(|j| logits[j])) else { return terms };
        let share = Count::exact(anchor.positives.len() as u64).reciprocal();
        for j in pairs() {
            terms.slopes[j] = -(logits[j] - level).exp_of_part();
        }
        for &p in &anchor.positives {
            terms.slopes[p] = share + terms.slopes[p];
        }
        for j in pairs() {
            terms.slopes[j] = terms.slopes[j] / temperature;
        }
        let loss = anchor.positives.iter().map(|&p| level - logits[p]).sum::<Bounded>() * share;
        terms.terms = 1;
        // A sum of more than one exponential is greater than each; that of a single pair is the pair's.
        terms.nonzero = Count::exact(u64::from(pairs().nth(1).is_some()));
        terms.with_loss(loss)
    }
}
