//! The cross-entropy of class logits (Bridle 1990).

use super::softmax::Softmax;
use super::{Number, Pointwise, Row};
use crate::loss::CrossEntropy;

impl Pointwise for CrossEntropy {
    /// log(sum over c of exp(x(c))) - x(y), with the slopes P(c), and P(y) - 1 of the class y.
    fn row_of<N: Number>(&self, x: &[N], _: &[f32], y: usize) -> Row<N> {
        let softmax = Softmax::of(x);
        let mut slopes = softmax.parts();
        slopes[y] = if y == softmax.column { -softmax.rest() } else { slopes[y] - N::ONE };
        Row::of_one_entropy(softmax.largest - x[y] + softmax.log_sum(), slopes)
    }
}
