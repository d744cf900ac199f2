//! The hinge loss (Cortes and Vapnik 1995).

use super::{Bounded, Elementwise, Term};
use crate::loss::Hinge;

impl Elementwise for Hinge {
    /// max(0, 1 - t p)
    fn term_of(&self, p: Bounded, t: Bounded) -> Term {
        // Nothing is rounded where t is a sign.
        let agreement = if t.value > 0.0 { p } else { -p };
        let hinge = (Bounded::exact(1.0) - agreement).hinge();
        Term { slope: -t * hinge.slope, ..hinge }
    }
}
