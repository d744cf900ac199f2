//! The mean squared error (Legendre 1805).

use super::{Bounded, Elementwise, Term};
use crate::loss::MeanSquaredError;

impl Elementwise for MeanSquaredError {
    /// (p - t)^2
    fn term_of(&self, p: Bounded, t: Bounded) -> Term {
        let nonzero = p.differs_from(t);
        let r = (p - t).or_flushed();
        Term { value: r * r, slope: Bounded::exact(2.0) * r, nonzero }
    }
}
