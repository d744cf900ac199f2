//! Stochastic gradient descent with momentum (Sutskever et al. 2013).

use super::{State, Update};
use crate::definition::number::Number;
use crate::reference::bounded::Bounded;
use crate::training::Sgd;

impl Update for Sgd {
    fn step(&self, _: u32, [w, velocity, _]: State, slope: Bounded) -> State {
        let [learning_rate, momentum, weight_decay] =
            [self.learning_rate, self.momentum, self.weight_decay].map(Bounded::input);
        let g = slope + (weight_decay * w).or_flushed();
        let velocity = ((momentum * velocity).or_flushed() + g).or_flushed();
        [w - (learning_rate * velocity).or_flushed(), velocity, Bounded::ZERO]
    }
}
