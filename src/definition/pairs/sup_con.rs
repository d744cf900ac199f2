//! The supervised contrastive loss (Khosla, Teterwak, Wang, Sarna, Tian, Isola, Maschinot, Liu and
//! Krishnan 2020).

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
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
        let of_temperature = N::exact(self.temperature.into()).divides();
        let kinds = [&anchor.positives, &anchor.negatives];
        let near = |j: usize| anchor.distance(j);
        let nearest = kinds.map(|kind| Choice::nearest(anchor, kind).map(|choice| choice.index));
        let nearer = |m: usize, j| if near(j).value() < near(m).value() { j } else { m };
        let Some(m) = nearest.into_iter().flatten().reduce(nearer) else { return terms };
        let nearest = near(m);
        let pairs = || anchor.positives.iter().chain(anchor.negatives.iter());
        // The same with every distance less that of m: what f32 has for that is off for all alike.
        let exponential = |d: N| {
            let behind = N::new(d.value() - nearest.value(), d.error()).widened(ROUNDING);
            of_temperature(-behind).exp()
        };
        // They stand in the place of the slopes that they become.
        let exponentials = &mut terms.slopes;
        let [positives, negatives]: [N; 2] = kinds.map(|kind| {
            N::map_at(&anchor.distances, kind, exponentials, exponential);
            let mut total = N::Total::default();
            N::sum_at(exponentials, kind, &mut total, |exponential| exponential);
            total.into()
        });
        let sum = positives + negatives;
        let of_sum = sum.divides();
        // How far every logit is below the largest.
        let lead = |d: N| of_temperature(d - nearest);
        let mut others = N::Total::default();
        for kind in kinds {
            let rest = kind.clone().without(m);
            match N::IS_BOUNDED {
                true => N::sum_at(&anchor.distances, &rest, &mut others, |d| (-lead(d)).exp()),
                // Without errors to keep apart they are the exponentials again.
                false => N::sum_at(exponentials, &rest, &mut others, |exponential| exponential),
            }
        }
        let others: N = others.into();
        let count = N::exact(anchor.positives.len() as f64);
        N::change_at(&mut terms.slopes, &anchor.positives, |exponential| {
            // 1 / |P| - e_p / sum, without the difference where the row is confident.
            let own = count * exponential;
            let beyond = if count.value() == 1.0 { N::ZERO } else { positives - own };
            let slope = (beyond + negatives) / (count * sum);
            // With several positives the other form says more: the sums are then most of 1 / |P|.
            let summands = (positives + own + negatives) / (count * sum);
            let rounding = (tree(anchor.positives.len()) + 6.0 * ROUNDING) * summands.magnitude();
            let error = of_sum(exponential).error() + rounding;
            let slope = N::new(slope.value(), slope.error().min(error));
            of_temperature(slope.within_two())
        });
        let slope = |exponential: N| -of_temperature(of_sum(exponential).within_two());
        N::change_at(&mut terms.slopes, &anchor.negatives, slope);
        let lead_of = |j| if j == m { N::ZERO } else { lead(near(j)) };
        let below: N = anchor.positives.iter().map(lead_of).sum();
        let farthest_off = match N::IS_BOUNDED {
            true => pairs().map(|j| lead_of(j).error()).fold(0.0, f64::max),
            false => 0.0,
        };
        let loss = (below / count + others.ln_of_one_and()).within_log(2.0 * farthest_off);
        terms.terms = 1;
        // A sum of more than one exponential is greater than each; that of a single pair is the
        // pair's.
        terms.nonzero = Count::exact(u64::from(pairs().nth(1).is_some()));
        terms.with_loss(loss)
    }
}
