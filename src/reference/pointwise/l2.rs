//! The L2 regulariser (Hoerl and Kennard 1970).

use super::{Bounded, Elementwise, Term};
use crate::loss::L2;

impl Elementwise for L2 {
    /// strength w^2
    fn term_of(&self, w: Bounded, _: Bounded) -> Term {
        let strength = Bounded::input(self.strength);
        Term {
            value: strength * w * w,
            slope: Bounded::exact(2.0) * strength * w,
            nonzero: (strength * w.sign()).nonzero(),
        }
    }
}
