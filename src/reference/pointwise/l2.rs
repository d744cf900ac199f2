//! The L2 regulariser (Hoerl and Kennard 1970).

use super::{Bounded, Elementwise, Term, input};
use crate::loss::L2;

impl Elementwise for L2 {
    /// strength w^2
    fn term_of(&self, w: Bounded, _: Bounded) -> Term {
        let slope = Bounded::exact(2.0) * input(self.strength) * w;
        Term { value: input(self.strength) * w * w, slope, nonzero: slope.or_flushed().nonzero() }
    }
}
