//! The elastic net (Zou and Hastie 2005).

use super::{Elementwise, Number, Term};
use crate::loss::ElasticNet;

impl Elementwise for ElasticNet {
    /// l1_strength |w| + l2_strength w^2, with derivative 0 at 0.
    fn term_of<N: Number>(&self, w: N, _: N) -> Term<N> {
        let (l1, l2) = (N::input(self.l1_strength), N::input(self.l2_strength));
        Term {
            value: l1 * w.abs() + l2 * w * w,
            slope: l1 * w.sign() + N::exact(2.0) * l2 * w,
            nonzero: (l1.max(l2) * w.sign()).nonzero(),
        }
    }
}
