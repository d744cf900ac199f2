//! What is expected of f32 kernels.

use super::comparison::Comparison;
use crate::evaluation::Evaluation;

/// The result of a loss by its definition, and how far from each of its numbers correct f32 kernels may be.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    /// The result in f64.
    pub evaluation: Evaluation<f64>,
    /// The allowed absolute deviation of every number of it, counts included.
    ///
    /// It is a running error bound: the rounding of every operation, carried through the formula. Where rounding may decide
    /// otherwise, at the kink of a hinge or between nearly equal candidates, it holds the other decision too.
    pub bounds: Evaluation<f64>,
    /// Numbers in a row of the gradients.
    pub(super) dimensions: usize,
}

impl Expectation {
    /// Compares every number of an f32 result with the expected one.
    pub fn compare(&self, actual: &Evaluation<f32>) -> Comparison {
        Comparison::new(self, actual)
    }
}
