//! The generalized lifted structured loss (Hermans, Beyer and Leibe 2017).

use crate::definition::anchor::Anchor;
use crate::definition::levels::Levels;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::loss::GeneralizedLiftedStructured;

impl Definition for GeneralizedLiftedStructured {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// max(0, log sum over p of exp(d_p) + log sum over n of exp(margin - d_n)).
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let d = |j: usize| anchor.distance(j);
        let levels = Levels::of(anchor, [N::ONE; 2], d, |n| -d(n));
        let Some([positive, negative]) = levels.both() else { return terms };
        let reach = (positive.top + negative.top + N::input(self.margin))
            + (positive.log_sum + negative.log_sum);
        let term = reach.hinge();
        levels.share(anchor, [term.slope; 2], &mut terms);
        terms.terms = 1;
        terms.nonzero = term.nonzero;
        terms.with_loss(term.value)
    }
}
