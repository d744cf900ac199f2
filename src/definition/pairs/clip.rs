//! The symmetric cross-entropy of two towers (Radford et al. 2021).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, ULP};
use crate::definition::softmax::Softmax;
use crate::loss::Clip;

/// What the negatives of a row, or of a column, come to.
pub(crate) struct End<N> {
    softmax: Softmax<N>,
    /// The sum of the slopes of its terms.
    weight: N,
}

impl<N: Number> End<N> {
    /// `None` without a negative: the terms are 0.
    fn of(anchor: &Anchor<N>, scale: N) -> Option<Self> {
        let mut parts = vec![N::ZERO; anchor.distances.len()];
        let softmax = Softmax::of(anchor, &anchor.negatives, scale, &mut parts)?;
        let weight = anchor.sum(&anchor.positives, |d| softmax.over(scale, d).sigmoid());
        Some(Self { softmax, weight })
    }

    /// What a negative at this distance has of the slopes of the terms.
    fn share(&self, scale: N, d: N) -> N {
        self.weight * (-self.softmax.over(scale, d)).exp_of_part()
    }
}

/// The scale, and the end that every column is.
pub(crate) struct Known<N> {
    scale: f64,
    columns: Vec<Option<End<N>>>,
}

impl Definition for Clip {
    type Known<N: Number> = Known<N>;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known<N> {
        let scale = anchors.learned()[0];
        let columns = anchors.map_columns(|column| End::of(&column, N::exact(scale)));
        Known { scale, columns }
    }

    /// log(1 + exp(L - l_p)) with L the log-sum-exp of the negatives' logits: of those of the row,
    /// and of those of the column p.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        terms.terms = 2 * anchor.positives.len() as u64;
        let scale = N::exact(known.scale);
        let own = End::of(anchor, scale);
        let ends = |column| own.iter().chain(&known.columns[anchor.name_of(column)]);
        let (mut loss, mut of_scale) = (N::Total::default(), N::Total::default());
        for p in anchor.positives.iter() {
            let d = anchor.distance(p);
            for End { softmax, .. } in ends(p) {
                let term = softmax.over(scale, d).softplus();
                loss += term.value;
                of_scale += term.slope * softmax.apart(d);
                terms.slopes[p] = terms.slopes[p] + term.slope;
                terms.nonzero += term.nonzero;
            }
        }
        if let Some(own) = &own {
            let share = |d| own.share(scale, d);
            N::map_at(&anchor.distances, &anchor.negatives, &mut terms.slopes, share);
        }
        for n in anchor.negatives.iter() {
            let Some(column) = &known.columns[anchor.name_of(n)] else { continue };
            terms.slopes[n] = terms.slopes[n] + column.share(scale, anchor.distance(n));
        }
        for (kind, scale) in [(&anchor.positives, scale), (&anchor.negatives, -scale)] {
            // Kernels take the scale by that of the description, and apply that later.
            N::change_at(&mut terms.slopes, kind, |slope| (scale * slope).widened(3.0 * ULP));
        }
        terms.learned = vec![(0, of_scale.into())];
        terms.with_loss(loss.into())
    }
}
