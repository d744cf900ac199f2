//! Stochastic gradient descent with momentum (Sutskever et al. 2013).

use super::State;
use crate::definition::number::Number;
use crate::training::Sgd;

impl Sgd {
    pub(super) fn step<N: Number>(&self, [w, velocity, _]: State<N>, slope: N) -> State<N> {
        let [learning_rate, momentum, weight_decay] =
            [self.learning_rate, self.momentum, self.weight_decay].map(N::input);
        let g = slope + (weight_decay * w).or_flushed();
        let velocity = ((momentum * velocity).or_flushed() + g).or_flushed();
        [w - (learning_rate * velocity).or_flushed(), velocity, N::ZERO]
    }
}
