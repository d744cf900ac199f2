//! The sigmoid loss (Zhai, Mustafa, Kolesnikov and Beyer 2023).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, ULP};
use crate::loss::{Distance, SigLip};

impl SigLip {
    /// The cosine, or the negated distance.
    fn similarity<N: Number>(&self, d: N) -> N {
        if self.distance == Distance::Cosine { N::ONE - d } else { -d }
    }
}

impl Definition for SigLip {
    /// The scale and the bias.
    type Known<N: Number> = [f64; 2];

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> [f64; 2] {
        [0, 1].map(|place| anchors.learned()[place])
    }

    /// The sum of log(1 + exp(-l)) over the positives and of log(1 + exp(l)) over the negatives,
    /// with l = scale s + bias.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, &[scale, bias]: &[f64; 2]) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let weight = N::exact(scale);
        let logit = |d: N| weight * self.similarity(d) + N::input(bias);
        let mut loss = N::Total::default();
        // The slopes are those of the logits first.
        terms.add(anchor, &anchor.positives, &mut loss, |d| (-logit(d)).softplus().negated());
        terms.add(anchor, &anchor.negatives, &mut loss, |d| logit(d).softplus());
        let pairs = || anchor.positives.iter().chain(anchor.negatives.iter());
        let slope = |j: usize| terms.slopes[j];
        let of_scale = pairs().map(|j| slope(j) * self.similarity(anchor.distance(j))).sum();
        terms.learned = vec![(0, of_scale), (1, pairs().map(slope).sum())];
        for kind in [&anchor.positives, &anchor.negatives] {
            // Kernels take the scale by that of the description, and apply that later.
            N::change_at(&mut terms.slopes, kind, |slope| -(weight * slope).widened(3.0 * ULP));
        }
        terms.terms = pairs().count().min(1) as u64;
        terms.nonzero = Count::exact(terms.terms);
        terms.with_loss(loss.into())
    }
}
