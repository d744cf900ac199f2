//! The L2 regulariser (Hoerl and Kennard 1970).

use super::{Elementwise, Number, Term};
use crate::loss::L2;

impl Elementwise for L2 {
    /// strength w^2
    fn term_of<N: Number>(&self, w: N, _: N) -> Term<N> {
        let strength = N::input(self.strength);
        Term {
            value: strength * w * w,
            slope: N::exact(2.0) * strength * w,
            nonzero: (strength * w.sign()).nonzero(),
        }
    }
}
