//! The multilayer perceptron and the gradient of its parameters.

use super::NumbersExpectation;
use super::linear::bounded;
use crate::data::checks::check_length;
use crate::definition::training::perceptron::Perceptron;
use crate::error::Result;
use crate::parallel::prelude::*;
use crate::training::Mlp;
use crate::training::mlp::check;

/// The outputs of a multilayer perceptron, N x D.
///
/// # Errors
///
/// Those of [`Mlp::check`]; [`Error::Length`](crate::Error::Length) for inputs or parameters of
/// another length.
pub fn forward(
    mlp: &Mlp,
    rows: usize,
    inputs: &[f32],
    parameters: &[f32],
) -> Result<NumbersExpectation> {
    check(mlp, rows, inputs, parameters)?;
    let [inputs, parameters] = [inputs, parameters].map(bounded);
    let layers = &mlp.layers();
    let perceptron = Perceptron { layers, rows, inputs: &inputs, parameters: &parameters };
    let outputs = perceptron.forward().pop().unwrap_or_default();
    let names = ["outputs", "length of outputs"];
    Ok(NumbersExpectation::new(names, mlp.outputs, outputs.into_par_iter()))
}

/// The gradient of the parameters of a multilayer perceptron, in their order, from that with respect
/// to its outputs, N x D.
///
/// # Errors
///
/// Those of [`forward`]; [`Error::Length`](crate::Error::Length) for a gradient of another length.
pub fn backward(
    mlp: &Mlp,
    rows: usize,
    inputs: &[f32],
    parameters: &[f32],
    output_gradient: &[f32],
) -> Result<NumbersExpectation> {
    check(mlp, rows, inputs, parameters)?;
    check_length("output gradient", output_gradient.len(), rows * mlp.outputs)?;
    let [inputs, parameters, slopes] = [inputs, parameters, output_gradient].map(bounded);
    let layers = &mlp.layers();
    let perceptron = Perceptron { layers, rows, inputs: &inputs, parameters: &parameters };
    let gradient = perceptron.backward(&perceptron.forward(), &slopes);
    let names = ["gradient", "length of gradient"];
    Ok(NumbersExpectation::new(names, 1, gradient.into_par_iter()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: usize = 5;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        (1..=count as u32)
            .map(|at| ((at * at * 37 + at * seed) % 101) as f32 / 101.0 - 0.5)
            .collect()
    }

    /// The derivative of the sum of outputs times `slopes`, by differences of the definition.
    #[test]
    fn the_gradient_is_the_derivative() {
        for hidden in [vec![], vec![4], vec![3, 6]] {
            let mlp = Mlp { inputs: 4, hidden, outputs: 3 };
            let inputs = numbers(ROWS * mlp.inputs, 3);
            let parameters = numbers(mlp.parameters(), 11);
            let slopes = numbers(ROWS * mlp.outputs, 7);
            let gradient = backward(&mlp, ROWS, &inputs, &parameters, &slopes).unwrap().numbers;
            let sum = |at: usize, step: f64| {
                let [inputs, mut parameters] = [&inputs[..], &parameters[..]].map(bounded);
                parameters[at].value += step;
                let (layers, inputs, parameters) = (&mlp.layers(), &inputs[..], &parameters[..]);
                let perceptron = Perceptron { layers, rows: ROWS, inputs, parameters };
                let outputs = perceptron.forward().pop().unwrap();
                let parts = outputs.iter().zip(&slopes);
                parts.map(|(output, &slope)| output.value * f64::from(slope)).sum::<f64>()
            };
            for (at, &derivative) in gradient.iter().enumerate() {
                let slope = (sum(at, 1e-6) - sum(at, -1e-6)) / 2e-6;
                assert!(
                    (slope - derivative).abs() < 1e-7,
                    "{mlp:?} at {at}: {slope}, {derivative}"
                );
            }
            assert!(gradient.iter().any(|derivative| derivative.abs() > 1e-2), "{mlp:?}");
        }
    }

    /// 2 inputs, 2 hidden numbers, of which the second is below 0, and 1 output.
    #[test]
    fn a_small_one_by_hand() {
        let mlp = Mlp { inputs: 2, hidden: vec![2], outputs: 1 };
        let parameters = [1.0, -1.0, 2.0, -2.0, 0.5, 0.25, 3.0, 5.0, -1.0];
        // z = (1 + 4 + 0.5, -1 - 4 + 0.25); the output is 3 * 5.5 - 1.
        let outputs = forward(&mlp, 1, &[1.0, 2.0], &parameters).unwrap();
        assert_eq!(outputs.numbers, [15.5]);
        let gradient = backward(&mlp, 1, &[1.0, 2.0], &parameters, &[2.0]).unwrap();
        assert_eq!(gradient.numbers, [6.0, 0.0, 12.0, 0.0, 6.0, 0.0, 11.0, 0.0, 2.0]);
    }
}
