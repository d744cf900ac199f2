//! The symmetric cross-entropy of two towers (Radford et al. 2021).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, Term, ULP};
use crate::definition::softmax::Softmax;
use crate::loss::{Clip, Thresholds};

/// What the negatives of a row, or of a column, come to.
pub(crate) struct End<N> {
    softmax: Softmax<N>,
    /// The sum of the slopes of its terms.
    weight: N,
}

impl<N: Number> End<N> {
    /// `None` without a negative: the terms are 0. `weight_of` has the weight of each positive, where
    /// there are any.
    fn of(
        anchor: &Anchor<N>,
        scale: N,
        thresholds: Option<Thresholds>,
        weight_of: Option<impl Fn(usize) -> N>,
    ) -> Option<Self> {
        let mut parts = vec![N::ZERO; anchor.distances.len()];
        let softmax = Softmax::of(anchor, &anchor.negatives, scale, &mut parts)?;
        let sigmoid = |d: N| slope(softmax.over(scale, d), thresholds);
        let positives = &anchor.positives;
        let Some(weight_of) = weight_of else {
            return Some(Self { weight: anchor.sum(positives, sigmoid), softmax });
        };
        N::map_at(&anchor.distances, positives, &mut parts, sigmoid);
        positives.iter().for_each(|p| parts[p] = weight_of(p) * parts[p]);
        let mut weight = N::Total::default();
        N::sum_at(&parts, positives, &mut weight, |part| part);
        let weight = weight.into();
        Some(Self { softmax, weight })
    }

    /// What a negative at this distance has of the slopes of the terms.
    fn share(&self, scale: N, d: N) -> N {
        self.weight * (-self.softmax.over(scale, d)).exp_of_part()
    }
}

/// The slope of the term of a positive, by how far it is beyond the negatives: 0 where the term is
/// not within thresholds.
fn slope<N: Number>(over: N, thresholds: Option<Thresholds>) -> N {
    let slope = over.sigmoid();
    if thresholds.is_none() {
        return slope;
    }
    Term { slope, ..over.softplus() }.within(thresholds).slope
}

/// A number times a weight, where there is one.
fn weighed<N: Number>(weight: Option<N>, number: N) -> N {
    weight.map_or(number, |weight| weight * number)
}

/// The scale, the weight of every row where rows have any, and the end that every column is; no
/// column where their terms are left out.
pub(crate) struct Known<N> {
    scale: f64,
    weights: Vec<f32>,
    columns: Vec<Option<End<N>>>,
}

impl<N> Known<N> {
    fn column(&self, name: usize) -> Option<&End<N>> {
        self.columns.get(name)?.as_ref()
    }
}

impl Definition for Clip {
    type Known<N: Number> = Known<N>;

    const WEIGHS_PAIRS: bool = true;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known<N> {
        let scale = anchors.learned()[0];
        let (weights, thresholds) = (anchors.weights(), self.reduction.thresholds());
        let end = |column: Anchor<N>| {
            let weight_of = |row| N::input(weights[column.name_of(row)]);
            let weight_of = (!weights.is_empty()).then_some(weight_of);
            End::of(&column, N::exact(scale), thresholds, weight_of)
        };
        let columns = if anchors.is_one_sided() { Vec::new() } else { anchors.map_columns(end) };
        Known { scale, weights: weights.to_vec(), columns }
    }

    /// log(1 + exp(L - l_p)) with L the log-sum-exp of the negatives' logits: of those of the row,
    /// and of those of the column p. Both have the weight of the row.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        terms.terms = 2 * anchor.positives.len() as u64;
        let scale = N::exact(known.scale);
        let weight = known.weights.get(anchor.name).map(|&weight| N::input(weight));
        let thresholds = self.reduction.thresholds();
        let own = End::of(anchor, scale, thresholds, weight.map(|weight| move |_| weight));
        let ends = |column| own.iter().chain(known.column(anchor.name_of(column)));
        let (mut loss, mut of_scale) = (N::Total::default(), N::Total::default());
        for p in anchor.positives.iter() {
            let d = anchor.distance(p);
            terms.nonzero += self.reduction.zeros_within(2 - ends(p).count() as u64);
            for End { softmax, .. } in ends(p) {
                let term = softmax.over(scale, d).softplus().within(thresholds);
                let slope = weighed(weight, term.slope);
                loss += weighed(weight, term.value);
                of_scale += slope * softmax.apart(d);
                terms.slopes[p] = terms.slopes[p] + slope;
                terms.nonzero += term.nonzero;
            }
        }
        if let Some(own) = &own {
            let share = |d| own.share(scale, d);
            N::map_at(&anchor.distances, &anchor.negatives, &mut terms.slopes, share);
        }
        let columns =
            || anchor.negatives.iter().filter_map(|n| Some((n, known.column(anchor.name_of(n))?)));
        // The exponentials of all at once.
        let mut parts = vec![N::ZERO; anchor.distances.len()];
        columns().for_each(|(n, end)| parts[n] = -end.softmax.over(scale, anchor.distance(n)));
        N::change_at(&mut parts, &anchor.negatives, N::exp_of_part);
        columns().for_each(|(n, end)| terms.slopes[n] = terms.slopes[n] + end.weight * parts[n]);
        for (kind, scale) in [(&anchor.positives, scale), (&anchor.negatives, -scale)] {
            // Kernels take the scale by that of the description, and apply that later.
            N::change_at(&mut terms.slopes, kind, |slope| (scale * slope).widened(3.0 * ULP));
        }
        terms.learned = vec![(0, of_scale.into())];
        terms.with_loss(loss.into())
    }
}
