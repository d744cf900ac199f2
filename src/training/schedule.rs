//! How a learning rate goes over the steps.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

/// What a learning rate is multiplied with, step after step.
///
/// It rises in a line over the first `warm_up` steps: (t + 1) / `warm_up` in step t, from 0. Then it
/// stays 1, or falls in half a cosine to 0 at the end of `steps`.
///
/// Source: Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017
/// (the cosine, without a restart); Goyal et al., "Accurate, Large Minibatch SGD", 2017 (the
/// warm-up).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Schedule {
    /// Steps in which it rises. Default 0.
    pub warm_up: usize,
    /// Steps after which it is 0; `None`: it stays 1. Default `None`.
    pub cosine_over: Option<usize>,
}

impl Schedule {
    /// What step `t`, from 0, is multiplied with: from 0 to 1.
    pub fn factor(&self, t: usize) -> f32 {
        if t < self.warm_up {
            return ((t + 1) as f64 / self.warm_up as f64) as f32;
        }
        let Some(steps) = self.cosine_over else { return 1.0 };
        let all = steps.saturating_sub(self.warm_up).max(1);
        let part = ((t - self.warm_up) as f64 / all as f64).min(1.0);
        (0.5 * (1.0 + (PI * part).cos())) as f32
    }
}
