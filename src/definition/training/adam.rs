//! Adam (Kingma and Ba 2015).

use super::State;
use crate::definition::number::{Number, ROUNDING};
use crate::training::Adam;

impl Adam {
    pub(super) fn step<N: Number>(
        &self,
        [one, square_of_one]: [N; 2],
        [w, first, second]: State<N>,
        slope: N,
    ) -> State<N> {
        let [learning_rate, epsilon, weight_decay] =
            [self.learning_rate, self.epsilon, self.weight_decay].map(N::input);
        let g = slope + (weight_decay * w).or_flushed();
        let first = moment(self.beta_1, first, g);
        let second = moment(self.beta_2, second, (g * g).or_flushed());
        let mean = first / one;
        let mean_square = second / square_of_one;
        let moved =
            (learning_rate * mean).or_flushed() / (mean_square.or_flushed().sqrt() + epsilon);
        [w - moved.or_flushed(), first, second]
    }

    /// What both moments are in step `t` of a gradient that was always 1.
    pub(super) fn moments_of_one<N: Number>(&self, t: u32) -> [N; 2] {
        [self.beta_1, self.beta_2].map(|beta| moment_of_one(beta, t))
    }
}

/// beta times the earlier moment, and (1 - beta) times what is new.
fn moment<N: Number>(beta: f32, earlier: N, new: N) -> N {
    let beta = N::input(beta);
    ((beta * earlier).or_flushed() + ((N::ONE - beta) * new).or_flushed()).or_flushed()
}

/// 1 - beta^t. The kernels have it as the moment of a gradient that was always 1, a sum of positive
/// parts: one that is k steps old has been rounded 2 k times, and the mean age is below 1 / (1 -
/// beta).
fn moment_of_one<N: Number>(beta: f32, t: u32) -> N {
    let beta = f64::from(beta);
    let age = f64::from(t).min(1.0 / (1.0 - beta));
    N::exact(1.0 - beta.powf(t.into())).widened((4.0 + 2.0 * age) * ROUNDING)
}
