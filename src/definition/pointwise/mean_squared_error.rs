//! The mean squared error (Legendre 1805).

use super::{Elementwise, Number, Term};
use crate::loss::MeanSquaredError;

impl Elementwise for MeanSquaredError {
    /// (p - t)^2
    fn term_of<N: Number>(&self, p: N, t: N) -> Term<N> {
        let nonzero = p.differs_from(t);
        let r = (p - t).or_flushed();
        Term { value: r * r, slope: N::exact(2.0) * r, nonzero }
    }
}
