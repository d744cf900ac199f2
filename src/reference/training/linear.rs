//! The linear projection and the gradient of its weights.

use super::NumbersExpectation;
use crate::data::checks::check_length;
use crate::definition::number::{Number, chain};
use crate::definition::training::perceptron::{Entry, Product};
use crate::error::Result;
use crate::parallel::prelude::*;
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
    check_length("inputs", inputs.len(), rows * dimensions)?;
    check_length("weights", weights.len(), dimensions * outputs)?;
    let [left, right] = [inputs, weights].map(bounded);
    let product = Product {
        left: &left,
        right: &right,
        sizes: [rows, dimensions, outputs],
        transposed: [false, false],
    };
    Ok(expectation(&product, ["outputs", "length of outputs"]))
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
    check_length("inputs", inputs.len(), rows * dimensions)?;
    check_length("output gradient", output_gradient.len(), rows * outputs)?;
    let [left, right] = [inputs, output_gradient].map(bounded);
    let product = Product {
        left: &left,
        right: &right,
        sizes: [dimensions, rows, outputs],
        transposed: [true, false],
    };
    Ok(expectation(&product, ["gradient", "length of gradient"]))
}

/// Numbers as they are given.
pub(super) fn bounded<T: Copy + Into<f64>>(numbers: &[T]) -> Vec<Bounded> {
    numbers.iter().map(|&number| Bounded::input(number)).collect()
}

impl Entry for Bounded {
    const ONE: Self = <Self as Number>::ONE;

    fn product(product: &Product<'_, Self>) -> Vec<Self> {
        let [rows, _, columns] = product.sizes;
        let numbers = (0..rows * columns).into_par_iter();
        numbers.map(|at| number(product, at / columns, at % columns)).collect()
    }

    fn rectified(self) -> Self {
        self.hinge().value
    }

    fn passed(self, x: Self) -> Self {
        self * x.hinge().slope
    }
}

fn number(product: &Product<'_, Bounded>, row: usize, column: usize) -> Bounded {
    let Product { left, right, sizes, transposed } = product;
    let &[rows, summands, columns] = sizes;
    let &[left_transposed, right_transposed] = transposed;
    let mut sum = Bounded::ZERO;
    let mut magnitudes = 0.0;
    for k in 0..summands {
        let at = if left_transposed { k * rows + row } else { row * summands + k };
        let other = if right_transposed { column * summands + k } else { k * columns + column };
        let part = (left[at] * right[other]).or_flushed();
        sum.gather(part);
        magnitudes += part.magnitude();
    }
    sum.error += (chain(STEP.min(summands)) + chain(summands.div_ceil(STEP))) * magnitudes;
    sum.or_flushed()
}

fn expectation(product: &Product<'_, Bounded>, names: [&'static str; 2]) -> NumbersExpectation {
    let [_, _, columns] = product.sizes;
    NumbersExpectation::new(names, columns, Bounded::product(product).into_par_iter())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Loss;
    use crate::reference::problem::Numbers;
    use crate::reference::{Expectation, expect};
    use crate::{Arithmetic, Batch, NtXent, Triplet};

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
        let [left, right] = [inputs, weights].map(bounded);
        let transposed = [false, false];
        let product = Product { left: &left, right: &right, sizes: SIZES, transposed };
        let embeddings = expectation(&product, [""; 2]).numbers;
        let rounded: Vec<_> = embeddings.iter().map(|&number| number as f32).collect();
        let batch = Batch::new(&rounded, [n, d], &[0, 1, 2, 0, 1, 2, 0, 1]).expect("a valid batch");
        let numbers = Numbers { embeddings, ..Numbers::of(loss.description(), &batch) };
        expect(Arithmetic::Exact, loss, &batch, numbers)
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
            let [left, right] = [&inputs, &of_outputs].map(|numbers| bounded(numbers));
            let transposed = [true, false];
            let product = Product { left: &left, right: &right, sizes, transposed };
            let gradient = expectation(&product, [""; 2]).numbers;
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
