//! The circle loss (Sun, Cheng, Zhang, Zhang, Zheng, Wang and Wei 2020).

use crate::definition::anchor::Anchor;
use crate::definition::levels::Levels;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::loss::Circle;

impl Circle {
    /// The pace of every column: max(0, 1 + margin - s) = d + margin of a positive, max(0, s +
    /// margin) of a negative.
    pub(crate) fn paces<N: Number>(&self, anchor: &Anchor<N>) -> Vec<N> {
        let margin = N::input(self.margin);
        let mut paces = vec![N::ZERO; anchor.distances.len()];
        let (distances, farthest) = (&anchor.distances, N::ONE + margin);
        N::map_at(distances, &anchor.positives, &mut paces, |d| d + margin);
        N::map_at(distances, &anchor.negatives, &mut paces, |d| (farthest - d).max(N::ZERO));
        paces
    }

    /// The terms of an anchor whose pairs have these paces, which are constants for the slopes.
    pub(crate) fn terms_at<N: Number>(&self, anchor: &Anchor<N>, paces: &[N]) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let (margin, gamma) = (N::input(self.margin), N::exact(self.gamma.into()));
        let d = |j: usize| anchor.distance(j);
        let positive = |p| paces[p] * (d(p) - margin);
        let negative = |n| paces[n] * (N::ONE - margin - d(n));
        let levels = Levels::of(anchor, [gamma; 2], positive, negative);
        let Some([positive, negative]) = levels.both() else { return terms };
        let over = gamma * (positive.top + negative.top) + (positive.log_sum + negative.log_sum);
        let term = over.softplus();
        levels.share(anchor, [gamma * term.slope; 2], &mut terms);
        for (slope, &pace) in terms.slopes.iter_mut().zip(paces) {
            *slope = *slope * pace;
        }
        terms.terms = 1;
        terms.nonzero = term.nonzero;
        terms.with_loss(term.value)
    }
}

impl Definition for Circle {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// log(1 + sum over p of exp(-gamma a_p (s_p - 1 + margin)) * sum over n of exp(gamma a_n (s_n
    /// - margin))), with the paces a.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        self.terms_at(anchor, &self.paces(anchor))
    }
}
