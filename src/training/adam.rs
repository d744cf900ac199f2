//! Adam.

use serde::{Deserialize, Serialize};

#[cfg(feature = "gpu")]
use super::optimizer::{LEARNING_RATE, Rule};
use crate::error::{Error, Result};
use crate::loss::parameters::{check_share, check_strength};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;

/// f32 takes the square of a gradient of about 1e-19 and less for 0: without an epsilon that is
/// larger by far, it would make a step of any length.
const SMALLEST_EPSILON: f32 = 1e-15;

/// Adam, adaptive moment estimation: every parameter has a step length of its own.
///
/// Of every parameter w the moments m and v are kept, 0 at first. Step t, from 1, is
///
/// - g = dL/dw + `weight_decay` w
/// - m = `beta_1` m + (1 - `beta_1`) g and v = `beta_2` v + (1 - `beta_2`) g^2
/// - m' = m / (1 - `beta_1`^t) and v' = v / (1 - `beta_2`^t)
/// - w = w - `learning_rate` m' / (sqrt(v') + `epsilon`)
///
/// The steps are counted on the GPU.
///
/// Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Adam {
    /// How far a step goes at most, about; any finite number of at least 0. Default 0.001.
    pub learning_rate: f32,
    /// How much of the mean gradient stays; 0 or more and less than 1. Default 0.9.
    pub beta_1: f32,
    /// How much of the mean square stays; 0 or more and less than 1. Default 0.999.
    pub beta_2: f32,
    /// Keeps the division from 0; any finite number of at least 1e-15. Default 1e-8.
    pub epsilon: f32,
    /// How strongly parameters are drawn to 0, as part of the gradient; any finite number of at
    /// least 0. Default 0.
    pub weight_decay: f32,
}

impl Default for Adam {
    fn default() -> Self {
        Self { learning_rate: 1e-3, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-8, weight_decay: 0.0 }
    }
}

impl Adam {
    pub(super) const NAME: &str = "Adam";

    pub(super) fn check(&self) -> Result<()> {
        check_share(Self::NAME, "beta_1", self.beta_1)?;
        check_share(Self::NAME, "beta_2", self.beta_2)?;
        check_strength(Self::NAME, "weight_decay", self.weight_decay)?;
        if self.epsilon.is_finite() && self.epsilon >= SMALLEST_EPSILON {
            return Ok(());
        }
        let value = self.epsilon.to_string();
        Err(Error::Parameter {
            of: Self::NAME,
            parameter: "epsilon",
            value,
            allowed: "any finite number of at least 1e-15",
        })
    }

    #[cfg(feature = "gpu")]
    pub(super) fn rule(&self) -> Rule {
        let settings = [
            (LEARNING_RATE, self.learning_rate),
            ("beta_1", self.beta_1),
            ("beta_2", self.beta_2),
            ("epsilon", self.epsilon),
            ("weight_decay", self.weight_decay),
        ];
        Rule {
            name: Self::NAME,
            shader: shader!("training/adam.wgsl"),
            settings: settings.map(|(name, value)| (name, value.to_bits())).into(),
            moments: 2,
        }
    }
}
