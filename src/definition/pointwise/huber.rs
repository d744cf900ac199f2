//! Huber's loss (Huber 1964).

use super::{Elementwise, Number, Term};
use crate::loss::Huber;

impl Elementwise for Huber {
    /// r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2): c (|r| - c / 2) with c = min(|r|,
    /// delta).
    fn term_of<N: Number>(&self, p: N, t: N) -> Term<N> {
        let nonzero = p.differs_from(t);
        let r = (p - t).or_flushed();
        let c = r.abs().min(N::input(self.delta));
        Term { value: c * (r.abs() - N::exact(0.5) * c), slope: r.sign() * c, nonzero }
    }
}
