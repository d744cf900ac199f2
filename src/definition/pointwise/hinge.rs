//! The hinge loss (Cortes and Vapnik 1995).

use super::{Elementwise, Number, Term};
use crate::loss::Hinge;

impl Elementwise for Hinge {
    /// max(0, 1 - t p)
    fn term_of<N: Number>(&self, p: N, t: N) -> Term<N> {
        // Nothing is rounded where t is a sign.
        let agreement = if t.value() > 0.0 { p } else { -p };
        let hinge = (N::ONE - agreement).hinge();
        Term { slope: -t * hinge.slope, ..hinge }
    }
}
