//! Training in f64: the steps of the optimisers, the linear projection and the perceptron with their
//! gradients, and how far correct f32 kernels may be from every number of them.

mod linear;
mod mlp;

pub use linear::{project, project_back};
pub use mlp::{backward, forward};

use super::bounded::Bounded;
use super::comparison::{Comparison, unsure, worst_of};
use crate::data::checks::check_length;
use crate::definition::number::Number;
use crate::error::{Error, Result};
use crate::parallel::prelude::*;
use crate::training::Optimizer;

/// Numbers by their definition, and how far from each of them correct f32 kernels may be.
#[derive(Clone, Debug, PartialEq)]
pub struct NumbersExpectation {
    /// The numbers in f64.
    pub numbers: Vec<f64>,
    /// The allowed absolute deviation of each: a running error bound, as
    /// [`Expectation::bounds`](super::Expectation::bounds).
    pub bounds: Vec<f64>,
    /// What they are, and what their number is.
    names: [&'static str; 2],
    /// Numbers in a row.
    columns: usize,
}

impl NumbersExpectation {
    fn new(
        names: [&'static str; 2],
        columns: usize,
        numbers: impl ParallelIterator<Item = Bounded>,
    ) -> Self {
        let (numbers, bounds) = numbers.map(|number| (number.value, number.error)).unzip();
        Self { numbers, bounds, names, columns }
    }

    /// Compares f32 results with the expected ones.
    pub fn compare(&self, actual: &[f32]) -> Comparison {
        let expected = [Some(&self.numbers), Some(&self.bounds)];
        let deviation = worst_of(self.names, self.columns, expected, Some(actual));
        Comparison::of(
            deviation.into_iter().collect(),
            unsure(self.numbers.iter().zip(&self.bounds)),
        )
    }
}

/// The parameters after one step for each of the gradients, by the definition of the optimiser, and
/// how far correct f32 kernels may be from each of them. A parameter stays as it is in a step whose
/// gradient, parameter or moments f32 cannot hold.
///
/// # Errors
///
/// [`Error::Parameter`] for a parameter of the optimiser outside its range, [`Error::Empty`]
/// without parameters, [`Error::Length`] for a gradient of another length.
pub fn optimize(
    optimizer: impl Into<Optimizer>,
    parameters: &[f32],
    gradients: &[&[f32]],
) -> Result<NumbersExpectation> {
    let optimizer = optimizer.into();
    optimizer.check()?;
    if parameters.is_empty() {
        return Err(Error::Empty { what: "the number of parameters" });
    }
    gradients
        .iter()
        .try_for_each(|gradient| check_length("gradient", gradient.len(), parameters.len()))?;
    let steps: Vec<_> = (1..).zip(gradients).map(|(t, _)| optimizer.step(t)).collect();
    let walked = |(index, &start): (usize, &f32)| {
        let mut state = [Bounded::input(start), Bounded::ZERO, Bounded::ZERO];
        for (step, gradient) in steps.iter().zip(gradients) {
            let next = step.of(state, Bounded::input(gradient[index]));
            state = next.unwrap_or(state);
        }
        state[0].or_flushed()
    };
    let names = ["parameters", "length of parameters"];
    Ok(NumbersExpectation::new(names, 1, parameters.par_iter().enumerate().map(walked)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Adam, Sgd};

    const START: f32 = 0.25;
    const SLOPES: [f32; 4] = [0.5, -0.125, 2.0, 0.0];

    fn optimized(optimizer: impl Into<Optimizer>) -> f64 {
        let gradients: Vec<_> = SLOPES.iter().map(std::slice::from_ref).collect();
        optimize(optimizer, &[START], &gradients).expect("valid parameters").numbers[0]
    }

    /// The sum of every slope's part in every later step.
    #[test]
    fn momentum_is_a_geometric_sum() {
        let sgd = Sgd { learning_rate: 0.5, momentum: 0.75, weight_decay: 0.0 };
        let part = |at: usize| {
            (0..SLOPES.len() - at).map(|later| 0.75_f64.powi(later as i32)).sum::<f64>()
        };
        let moved: f64 =
            SLOPES.iter().enumerate().map(|(at, &slope)| f64::from(slope) * part(at)).sum();
        assert!((optimized(sgd) - (f64::from(START) - 0.5 * moved)).abs() < 1e-12);
    }

    /// The moments as the weighted sums over all slopes that they are.
    #[test]
    fn adam_divides_the_mean_by_the_root_of_the_mean_square() {
        let adam = Adam {
            learning_rate: 0.125,
            beta_1: 0.5,
            beta_2: 0.75,
            epsilon: 0.25,
            weight_decay: 0.0,
        };
        let mean = |beta: f64, power: i32, t: usize| {
            let weighted =
                |at: usize| beta.powi((t - at) as i32) * f64::from(SLOPES[at - 1]).powi(power);
            let weights = (1..=t).map(|at| beta.powi((t - at) as i32)).sum::<f64>();
            (1..=t).map(weighted).sum::<f64>() / weights
        };
        let moved: f64 =
            (1..=SLOPES.len()).map(|t| mean(0.5, 1, t) / (mean(0.75, 2, t).sqrt() + 0.25)).sum();
        assert!((optimized(adam) - (f64::from(START) - 0.125 * moved)).abs() < 1e-12);
    }

    #[test]
    fn weight_decay_is_part_of_the_gradient() {
        let sgd = Sgd { learning_rate: 0.5, momentum: 0.0, weight_decay: 0.25 };
        let expected = SLOPES
            .iter()
            .fold(f64::from(START), |w, &slope| w - 0.5 * (f64::from(slope) + 0.25 * w));
        assert!((optimized(sgd) - expected).abs() < 1e-12);
    }

    #[test]
    fn what_f32_cannot_hold_is_left_out() {
        let gradients: [&[f32]; 3] = [&[f32::NAN, 1.0], &[1.0, f32::INFINITY], &[f32::MAX, 1.0]];
        let sgd = Sgd { learning_rate: 1.0, momentum: 0.5, weight_decay: 0.0 };
        let expected = optimize(sgd, &[-f32::MAX, 4.0], &gradients).expect("valid parameters");
        // The third step would take the first parameter beyond f32, the second one goes on from its
        // first.
        assert_eq!(expected.numbers, [f64::from(-f32::MAX) - 1.0, 4.0 - 1.0 - 1.5]);
    }
}
