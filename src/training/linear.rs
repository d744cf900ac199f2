//! A linear projection.

use crate::data::shape::countable;
use crate::error::{Error, Result};

/// The sizes of a linear projection without a bias: outputs = inputs x weights.
///
/// - inputs are N x I, weights I x D, outputs N x D, all f32, row by row
/// - dL/dweights = inputs^T x dL/doutputs
///
/// Distances of differences do not depend on a bias; where one is wanted, a constant column of the
/// inputs stands for it.
///
/// Where inputs, weights or the gradient hold NaN or an infinity, so does every number that they
/// are part of: in an output the loss's plan finds it ([`Error::NotFinite`] with the row of the
/// embedding), in the gradient of a weight the optimiser's ([`Error::StepsLeftOut`]). The same
/// holds for sums beyond f32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Linear {
    /// N: rows of the inputs and of the outputs.
    pub rows: usize,
    /// I: numbers in a row of the inputs, rows of the weights.
    pub inputs: usize,
    /// D: numbers in a row of the outputs and of the weights.
    pub outputs: usize,
}

impl Linear {
    /// Checks that nothing is empty and everything can be counted.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] and [`Error::TooLarge`].
    pub fn check(&self) -> Result<()> {
        let Self { rows, inputs, outputs } = *self;
        let counts = [
            ("the number of rows", rows),
            ("the dimension of the inputs", inputs),
            ("the dimension of the outputs", outputs),
        ];
        if let Some(&(what, _)) = counts.iter().find(|(_, count)| *count == 0) {
            return Err(Error::Empty { what });
        }
        countable("inputs", rows, inputs)?;
        countable("weights", inputs, outputs)?;
        countable("outputs", rows, outputs)
    }
}
