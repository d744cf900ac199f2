//! The L1 regulariser (Tibshirani 1996).

use super::{Elementwise, Number, Term};
use crate::loss::L1;

impl Elementwise for L1 {
    /// strength |w|, with derivative 0 at 0.
    fn term_of<N: Number>(&self, w: N, _: N) -> Term<N> {
        let strength = N::input(self.strength);
        let slope = strength * w.sign();
        Term { value: strength * w.abs(), slope, nonzero: slope.nonzero() }
    }
}
