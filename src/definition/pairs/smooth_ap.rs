//! The Smooth-AP loss (Brown, Xie, Kalogeiton and Zisserman 2020).

use crate::definition::anchor::Anchor;
use crate::definition::columns::Columns;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, Term, chain};
use crate::loss::SmoothAp;

/// The sum of the numbers at these columns, which are not negative: in f32 one after the other.
fn sum<N: Number>(numbers: &[N], columns: &Columns) -> N {
    if !N::IS_BOUNDED {
        let mut total = N::Total::default();
        N::sum_at(numbers, columns, &mut total, |number| number);
        return total.into();
    }
    let mut sum = N::ZERO;
    columns.iter().for_each(|column| sum.gather(numbers[column]));
    sum.widened(chain(columns.len()))
}

/// The sum of the steps to these columns, and their derivatives.
fn steps<N: Number>(
    anchor: &Anchor<N>,
    columns: &Columns,
    derivatives: &mut [N],
    step: impl Fn(N) -> Term<N>,
) -> N {
    if !N::IS_BOUNDED {
        let mut total = N::Total::default();
        N::terms_at(&anchor.distances, columns, derivatives, &mut total, step);
        return total.into();
    }
    let value = |j: usize| {
        let Term { value, slope, .. } = step(anchor.distance(j));
        derivatives[j] = slope;
        value
    };
    let values: Vec<N> = columns.iter().map(value).collect();
    sum(&values, &Columns::from(0..values.len()))
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
        let all = anchor.distances.len();
        // Those of the steps from p to every column.
        let mut derivatives = vec![N::ZERO; all];
        // What the roundings of the slopes are relative to.
        let mut summed = vec![0.0; if N::IS_BOUNDED { all } else { 0 }];
        for p in positives.iter() {
            // The sigmoid of how far a column is before p, and its derivative without a difference
            // from 1.
            let own = anchor.distance(p);
            let step = |d: N| {
                let [value, other] = ((own - d) / temperature).sigmoids();
                Term { value, slope: value * other, nonzero: Count::default() }
            };
            let others = positives.clone().without(p);
            let among_positives = N::ONE + steps(anchor, &others, &mut derivatives, step);
            let before = steps(anchor, negatives, &mut derivatives, step);
            let rank = among_positives + before;
            let part = |number: N| (number / rank).within_one();
            losses.push(part(before));
            let by_positives = part(part(before));
            let by_negatives = part(part(among_positives));
            for (columns, weight) in [(&others, -by_positives), (negatives, by_negatives)] {
                let own = weight * sum(&derivatives, columns);
                for run in columns.runs() {
                    let slopes = terms.slopes[run.clone()].iter_mut();
                    for (slope, &derivative) in slopes.zip(&derivatives[run]) {
                        slope.gather(-(weight * derivative));
                    }
                }
                terms.slopes[p].gather(own);
                if N::IS_BOUNDED {
                    let slopes = columns.iter().map(|j| (j, weight * derivatives[j]));
                    let slopes = slopes.chain([(p, own)]);
                    slopes.for_each(|(j, slope)| summed[j] += slope.value().abs());
                }
            }
        }
        let rounding = chain(positives.len() + 1);
        for (at, slope) in terms.slopes.iter_mut().enumerate() {
            let error = summed.get(at).map_or(0.0, |summed| slope.error() + rounding * summed);
            *slope = N::new(slope.value(), error) / count / temperature;
        }
        terms.terms = 1;
        terms.nonzero = Count::exact(u64::from(!negatives.is_empty()));
        terms.with_loss(losses.into_iter().sum::<N>() / count)
    }
}
