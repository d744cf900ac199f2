//! The elastic net (Zou and Hastie 2005).

use super::{Bounded, Elementwise, Term};
use crate::loss::ElasticNet;

impl Elementwise for ElasticNet {
    /// l1_strength |w| + l2_strength w^2, with derivative 0 at 0.
    fn term_of(&self, w: Bounded, _: Bounded) -> Term {
        let (l1, l2) = (Bounded::input(self.l1_strength), Bounded::input(self.l2_strength));
        Term {
            value: l1 * w.abs() + l2 * w * w,
            slope: l1 * w.sign() + Bounded::exact(2.0) * l2 * w,
            nonzero: (l1.max(l2) * w.sign()).nonzero(),
        }
    }
}
