//! The cross-entropy of class logits against every class alike (Szegedy et al. 2016, section 7).

use super::softmax::Softmax;
use super::{Number, Pointwise, Row};
use crate::loss::UniformEntropy;

impl Pointwise for UniformEntropy {
    /// sum over c of (log(sum over k of exp(x(k))) - x(c)), with the slopes C P(c) - 1 for C
    /// classes.
    fn row_of<N: Number>(&self, x: &[N], _: &[f32], _: usize) -> Row<N> {
        let softmax = Softmax::of(x);
        let classes = N::exact(x.len() as f64);
        let below: N = x.iter().map(|&x| softmax.largest - x).sum();
        let slopes = softmax.parts().into_iter().map(|part| classes * part - N::ONE).collect();
        Row::of_one_entropy(below + classes * softmax.log_sum(), slopes)
    }
}
