//! The supervised contrastive loss (Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu and
//! Krishnan 2020).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, ROUNDING, tree};
use crate::loss::SupCon;

impl Definition for SupCon {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// The mean over the positives of -log( exp(l_p) / exp(L) ) = L - l_p, with L the log-sum-exp
    /// of all logits: l_m + log(1 + others), with the largest logit l_m taken out.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        if anchor.positives.is_empty() {
            return terms;
        }
        let temperature = N::exact(self.temperature.into());
        let pairs = || anchor.positives.iter().chain(&anchor.negatives).copied();
        let near = |j: usize| anchor.distances[j];
        let Some(m) = pairs().reduce(|m, j| if near(j).value() < near(m).value() { j } else { m })
        else {
            return terms;
        };
        // The same with every distance less that of m: what f32 has for that is off for all alike.
        let exponential = |j| {
            let (value, error) = (near(j).value(), near(j).error());
            let behind = N::new(value - near(m).value(), error).widened(ROUNDING);
            (-behind / temperature).exp()
        };
        let exponentials = [&anchor.positives, &anchor.negatives]
            .map(|columns| columns.iter().map(|&j| exponential(j)).collect::<Vec<N>>());
        let [positives, negatives] =
            exponentials.each_ref().map(|kind| kind.iter().copied().sum::<N>());
        let sum = positives + negatives;
        let count = N::exact(anchor.positives.len() as f64);
        for (&p, &exponential) in anchor.positives.iter().zip(&exponentials[0]) {
            // 1 / |P| - e_p / sum, without the difference where the row is confident.
            let own = count * exponential;
            let beyond = if count.value() == 1.0 { N::ZERO } else { positives - own };
            let slope = (beyond + negatives) / (count * sum);
            // With several positives the other form says more: the sums are then most of 1 / |P|.
            let summands = (positives + own + negatives) / (count * sum);
            let rounding = (tree(anchor.positives.len()) + 6.0 * ROUNDING) * summands.magnitude();
            let error = (exponential / sum).error() + rounding;
            let slope = N::new(slope.value(), slope.error().min(error));
            terms.slopes[p] = slope.within_two() / temperature;
        }
        for (&n, &exponential) in anchor.negatives.iter().zip(&exponentials[1]) {
            terms.slopes[n] = -((exponential / sum).within_two() / temperature);
        }
        // How far every logit is below the largest.
        let lead = |j| if j == m { N::ZERO } else { (near(j) - near(m)) / temperature };
        let others: N = pairs().filter(|&j| j != m).map(|j| (-lead(j)).exp()).sum();
        let below: N = anchor.positives.iter().map(|&p| lead(p)).sum();
        let farthest_off = pairs().map(|j| lead(j).error()).fold(0.0, f64::max);
        let loss = (below / count + others.ln_of_one_and()).within_log(2.0 * farthest_off);
        terms.terms = 1;
        // A sum of more than one exponential is greater than each; that of a single pair is the
        // pair's.
        terms.nonzero = Count::exact(u64::from(pairs().nth(1).is_some()));
        terms.with_loss(loss)
    }
}
