//! Adam (Kingma and Ba 2015).

use super::{State, Update};
use crate::definition::number::{Number, ROUNDING};
use crate::reference::bounded::Bounded;
use crate::training::Adam;

impl Update for Adam {
    fn step(&self, t: u32, [w, first, second]: State, slope: Bounded) -> State {
        let [learning_rate, epsilon, weight_decay] =
            [self.learning_rate, self.epsilon, self.weight_decay].map(Bounded::input);
        let g = slope + (weight_decay * w).or_flushed();
        let first = moment(self.beta_1, first, g);
        let second = moment(self.beta_2, second, (g * g).or_flushed());
        let mean = first / moment_of_one(self.beta_1, t);
        let mean_square = second / moment_of_one(self.beta_2, t);
        let moved =
            (learning_rate * mean).or_flushed() / (mean_square.or_flushed().sqrt() + epsilon);
        [w - moved.or_flushed(), first, second]
    }
}

/// beta times the earlier moment, and (1 - beta) times what is new.
fn moment(beta: f32, earlier: Bounded, new: Bounded) -> Bounded {
    let beta = Bounded::input(beta);
    ((beta * earlier).or_flushed() + ((Bounded::exact(1.0) - beta) * new).or_flushed()).or_flushed()
}

/// 1 - beta^t. The kernels have it as the moment of a gradient that was always 1, a sum of positive
/// parts: one that is k steps old has been rounded 2 k times, and the mean age is below 1 / (1 -
/// beta).
fn moment_of_one(beta: f32, t: u32) -> Bounded {
    let beta = f64::from(beta);
    let age = f64::from(t).min(1.0 / (1.0 - beta));
    Bounded::exact(1.0 - beta.powf(t.into())).widened((4.0 + 2.0 * age) * ROUNDING)
}
