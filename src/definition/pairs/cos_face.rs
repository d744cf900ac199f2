//! The large margin cosine loss (Wang, Wang, Zhou, Ji, Gong, Zhou, Li and Liu 2018).

use crate::definition::anchor::Anchor;
use crate::definition::classes::{Classes, Own, cross_entropy};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::loss::CosFace;

impl Definition for CosFace {
    /// The scale.
    type Known<N: Number> = f64;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> f64 {
        anchors.learned()[0]
    }

    /// log(sum over c of exp(scale t_c)) - scale t_y, with t_y = s_y - margin.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, &scale: &f64) -> AnchorTerms<N> {
        let own = |d| Own::at(d + N::input(self.margin));
        cross_entropy(anchor, self.centers_per_class, Classes::by_nearest, own, N::exact(scale))
    }
}
