//! The normalized softmax loss (Wang, Xiang, Cheng and Yuille 2017).

use crate::definition::anchor::Anchor;
use crate::definition::classes::{Classes, Own, cross_entropy};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::loss::NormalizedSoftmax;

impl Definition for NormalizedSoftmax {
    /// The scale.
    type Known<N: Number> = f64;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> f64 {
        anchors.learned()[0]
    }

    /// log(sum over c of exp(scale s_c)) - scale s_y.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, &scale: &f64) -> AnchorTerms<N> {
        cross_entropy(anchor, self.centers_per_class, Classes::by_nearest, Own::at, N::exact(scale))
    }
}
