//! The binary cross-entropy of logits (Goodfellow, Bengio and Courville 2016, section 6.2.2.2).

use super::{Count, Elementwise, Number, Term};
use crate::loss::BinaryCrossEntropy;

impl Elementwise for BinaryCrossEntropy {
    /// max(x, 0) - x t + log(1 + exp(-|x|)), with the slope s(x) - t of the logistic function s.
    fn term_of<N: Number>(&self, x: N, t: N) -> Term<N> {
        let small = (-x.abs()).exp().or_flushed();
        let value = x.max(N::ZERO) - product(x, t) + small.ln_one_plus();
        // s(-|x|)
        let tail = small / (N::ONE + small);
        let slope = if x.value() >= 0.0 { (N::ONE - t) - tail } else { tail - t };
        // The cross-entropy of a probability is never 0, however small.
        let nonzero = if (0.0..=1.0).contains(&t.value()) {
            Count::exact(1)
        } else {
            value.or_flushed().hinge().nonzero
        };
        Term { value, slope, nonzero }
    }
}

/// x t, which nothing rounds where t is 0 or 1.
fn product<N: Number>(x: N, t: N) -> N {
    match t.value() {
        0.0 => N::ZERO,
        1.0 => x,
        _ => x * t,
    }
}
