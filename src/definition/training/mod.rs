//! The steps of the optimisers, one file each, and the perceptron.

mod adam;
pub(crate) mod perceptron;
mod sgd;

use super::number::Number;
use crate::training::Optimizer;

/// A parameter and its moments.
pub(crate) type State<N> = [N; 3];

/// Step `t` of all parameters, with what is the same for each.
pub(crate) struct Step<'a, N> {
    optimizer: &'a Optimizer,
    moments_of_one: [N; 2],
}

impl Optimizer {
    /// The step with this number, from 1 on.
    pub(crate) fn step<N: Number>(&self, t: u32) -> Step<'_, N> {
        let moments_of_one = match self {
            Self::Sgd(_) => [N::ZERO; 2],
            Self::Adam(adam) => adam.moments_of_one(t),
        };
        Step { optimizer: self, moments_of_one }
    }
}

impl<N: Number> Step<'_, N> {
    /// What the moments of a gradient that was always 1 are after it.
    pub(crate) fn moments_of_one(&self) -> [N; 2] {
        self.moments_of_one
    }

    /// The step of a parameter along the derivative `slope` of the loss; `None` where f32 cannot
    /// hold what it comes to, and everything stays as it is.
    pub(crate) fn of(&self, state: State<N>, slope: N) -> Option<State<N>> {
        let next = match self.optimizer {
            Optimizer::Sgd(sgd) => sgd.step(state, slope),
            Optimizer::Adam(adam) => adam.step(self.moments_of_one, state, slope),
        };
        next.iter().all(|number| number.value().abs() <= f32::MAX.into()).then_some(next)
    }
}
