//! The linear projection and the gradient of its weights.

use rayon::prelude::*;

use super::{NumbersExpectation, check_length};
use crate::definition::number::{Number, chain};
use crate::error::Result;
use crate::reference::bounded::Bounded;
use crate::training::Linear;

/// Summands that the kernel adds up before it adds them to the rest.
const STEP: usize = 16;

/// The outputs of a linear projection, N x D: inputs x weights.
///
/// # Errors
///
/// Those of [`Linear::check`]; [`Error::Length`](crate::Error::Length) for inputs or weights of
/// another length.
pub fn project(linear: &Linear, inputs: &[f32], weights: &[f32]) -> Result<NumbersExpectation> {
    linear.check()?;
    let Linear { rows, inputs: dimensions, outputs } = *linear;
    check_length("inputs", rows * dimensions, inputs)?;
    check_length("weights", dimensions * outputs, weights)?;
    let [left, right] = [inputs, weights].map(widened);
    let product = Product {
        left: &left,
        right: &right,
        sizes: [rows, dimensions, outputs],
        transposed: false,
    };
    Ok(product.expectation(["outputs", "length of outputs"]))
}

/// The gradient of the weights of a linear projection, I x D: inputs^T x gradient with respect to
/// the outputs.
///
/// # Errors
///
/// Those of [`Linear::check`]; [`Error::Length`](crate::Error::Length) for inputs or a gradient of
/// another length.
pub fn project_back(
    linear: &Linear,
    inputs: &[f32],
    output_gradient: &[f32],
) -> Result<NumbersExpectation> {
    linear.check()?;
    let Linear { rows, inputs: dimensions, outputs } = *linear;
    check_length("inputs", rows * dimensions, inputs)?;
    check_length("output gradient", rows * outputs, output_gradient)?;
    let [left, right] = [inputs, output_gradient].map(widened);
    let product = Product {
        left: &left,
        right: &right,
        sizes: [dimensions, rows, outputs],
        transposed: true,
    };
    Ok(product.expectation(["gradient", "length of gradient"]))
}

fn widened(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().copied().map(f64::from).collect()
}

/// C(r, c) = sum_k A(r, k) B(k, c), with A(k, r) in the place of A(r, k) where the first matrix is
/// transposed.
struct Product<'a> {
    left: &'a [f64],
    right: &'a [f64],
    /// Rows, summands and columns.
    sizes: [usize; 3],
    transposed: bool,
}

impl Product<'_> {
    fn expectation(&self, names: [&'static str; 2]) -> NumbersExpectation {
        let [rows, _, columns] = self.sizes;
        let numbers =
            (0..rows * columns).into_par_iter().map(|at| self.number(at / columns, at % columns));
        NumbersExpectation::new(names, columns, numbers)
    }

    fn number(&self, row: usize, column: usize) -> Bounded {
        let [rows, summands, columns] = self.sizes;
        let mut sum = Bounded::ZERO;
        let mut magnitudes = 0.0;
        for k in 0..summands {
            let left = self.left[if self.transposed { k * rows + row } else { row * summands + k }];
            let product = (Bounded::input(left) * Bounded::input(self.right[k * columns + column]))
                .or_flushed();
            sum.gather(product);
            magnitudes += product.magnitude();
        }
        sum.error += (chain(STEP.min(summands)) + chain(summands.div_ceil(STEP))) * magnitudes;
        sum.or_flushed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;
    use crate::reference::problem::Numbers;
    use crate::reference::{Expectation, expect};
    use crate::{Batch, NtXent, Triplet};

    const SIZES: [usize; 3] = [8, 5, 3];
    const DIFFERENCE: f64 = 1e-5;

    fn numbers(count: usize, seed: u32) -> Vec<f64> {
        (1..=count as u32)
            .map(|at| f64::from((at * at * 37 + at * seed) % 101) / 101.0 - 0.5)
            .collect()
    }

    /// The loss of the embeddings that the weights make of the inputs.
    fn composed(loss: &Loss, inputs: &[f64], weights: &[f64]) -> Expectation {
        let [n, _, d] = SIZES;
        let product = Product { left: inputs, right: weights, sizes: SIZES, transposed: false };
        let embeddings = product.expectation([""; 2]).numbers;
        let rounded: Vec<_> = embeddings.iter().map(|&number| number as f32).collect();
        let batch = Batch::new(&rounded, [n, d], &[0, 1, 2, 0, 1, 2, 0, 1]).expect("a valid batch");
        expect(loss, &batch, Numbers { embeddings, ..Numbers::of(&batch) })
    }

    #[test]
    fn the_gradient_of_the_weights_is_that_of_the_loss_behind_it() {
        let [n, inputs, d] = SIZES;
        let (inputs, weights) = (numbers(n * inputs, 3), numbers(inputs * d, 11));
        for loss in
            [Triplet { margin: 0.7, ..Default::default() }.into(), Loss::from(NtXent::default())]
        {
            let of_outputs = composed(&loss, &inputs, &weights).evaluation.gradient;
            let sizes = [SIZES[1], n, d];
            let product = Product { left: &inputs, right: &of_outputs, sizes, transposed: true };
            let gradient = product.expectation([""; 2]).numbers;
            for (at, &derivative) in gradient.iter().enumerate() {
                let moved = |step: f64| {
                    let mut weights = weights.clone();
                    weights[at] += step;
                    composed(&loss, &inputs, &weights).evaluation.loss
                };
                let slope = (moved(DIFFERENCE) - moved(-DIFFERENCE)) / (2.0 * DIFFERENCE);
                assert!(
                    (slope - derivative).abs() < 1e-6,
                    "{loss:?} at {at}: {slope} and {derivative}"
                );
            }
            assert!(
                gradient.iter().any(|derivative| derivative.abs() > 1e-2),
                "{loss:?} sees little"
            );
        }
    }
}
