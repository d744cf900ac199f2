//! The NCA loss (Goldberger, Roweis, Hinton and Salakhutdinov 2005).

use crate::definition::anchor::Anchor;
use crate::definition::levels::Levels;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::loss::Nca;

impl Definition for Nca {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// -log( sum over p of exp(l_p) / sum over p and n of exp(l) ) = log(1 + exp(N - P)), with P
    /// and N the log-sum-exps of the positives' and of the negatives' logits.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        terms.terms = u64::from(!anchor.positives.is_empty());
        let temperature = N::exact(self.temperature.into());
        let height = |j: usize| -anchor.distance(j);
        let levels = Levels::of(anchor, [N::ONE / temperature; 2], height, height);
        let Some([positive, negative]) = levels.both() else { return terms };
        let over =
            (negative.top - positive.top) / temperature + (negative.log_sum - positive.log_sum);
        let term = over.softplus();
        levels.share(anchor, [term.slope / temperature; 2], &mut terms);
        terms.nonzero = term.nonzero;
        terms.with_loss(term.value)
    }
}
