//! The Smooth-AP loss (Brown, Xie, Kalogeiton and Zisserman 2020).

use crate::definition::anchor::Anchor;
use crate::definition::columns::Columns;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, chain};
use crate::loss::SmoothAp;

/// A sum of numbers that are not negative, one after the other.
fn sum<N: Number>(numbers: impl Iterator<Item = N>) -> N {
    let mut sum = N::ZERO;
    let mut count = 0;
    for number in numbers {
        sum.gather(number);
        count += 1;
    }
    sum.widened(chain(count))
}

impl Definition for SmoothAp {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// The mean over the positives p of B_p / R_p: 1 less their precisions A_p / R_p. Here A_p and B_p
    /// count the other positives and the negatives before p, each by the sigmoid of how far it is
    /// before it over the temperature; A_p and their sum, the rank R_p, count p itself.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let (positives, negatives) = (&anchor.positives, &anchor.negatives);
        if positives.is_empty() {
            return terms;
        }
        let temperature = N::exact(self.temperature.into());
        let count = N::exact(positives.len() as f64);
        let mut losses = Vec::new();
        // What the roundings of the slopes are relative to.
        let mut summed = vec![0.0; anchor.distances.len()];
        for p in positives.iter() {
            let ahead = |j: usize| (anchor.distance(p) - anchor.distance(j)) / temperature;
            let steps = |columns: &Columns| {
                let others = columns.iter().filter(|&j| j != p);
                // The sigmoid, and its derivative without a difference from 1.
                others
                    .map(|j| {
                        let [sigmoid, other] = ahead(j).sigmoids();
                        (j, sigmoid, sigmoid * other)
                    })
                    .collect::<Vec<_>>()
            };
            let [of_positives, of_negatives] = [steps(positives), steps(negatives)];
            let among_positives = N::ONE + sum(of_positives.iter().map(|step| step.1));
            let before = sum(of_negatives.iter().map(|step| step.1));
            let rank = among_positives + before;
            let part = |number: N| (number / rank).within_one();
            losses.push(part(before));
            let by_positives = part(part(before));
            let by_negatives = part(part(among_positives));
            for (steps, weight) in [(&of_positives, -by_positives), (&of_negatives, by_negatives)] {
                let others = steps.iter().map(|&(j, _, derivative)| (j, -(weight * derivative)));
                let own = weight * sum(steps.iter().map(|step| step.2));
                for (j, slope) in others.chain([(p, own)]) {
                    terms.slopes[j].gather(slope);
                    summed[j] += slope.value().abs();
                }
            }
        }
        let rounding = chain(positives.len() + 1);
        for (slope, summed) in terms.slopes.iter_mut().zip(summed) {
            let error = slope.error() + rounding * summed;
            *slope = N::new(slope.value(), error) / count / temperature;
        }
        terms.terms = 1;
        terms.nonzero = Count::exact(u64::from(!negatives.is_empty()));
        terms.with_loss(losses.into_iter().sum::<N>() / count)
    }
}
