//! Stochastic gradient descent with momentum.

use serde::{Deserialize, Serialize};

#[cfg(feature = "gpu")]
use super::optimizer::{LEARNING_RATE, Rule};
use crate::error::Result;
use crate::loss::parameters::{check_share, check_strength};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;

/// Stochastic gradient descent with momentum.
///
/// Of every parameter w a velocity v is kept, 0 at first. A step is
///
/// - g = dL/dw + `weight_decay` w
/// - v = `momentum` v + g
/// - w = w - `learning_rate` v
///
/// This is the form of PyTorch. In that of the source the learning rate is part of the velocity:
/// the two are the same while it does not change, and when it does, here all of the velocity
/// follows at once.
///
/// Source: Sutskever, Martens, Dahl and Hinton, "On the importance of initialization and momentum
/// in deep learning", ICML 2013.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sgd {
    /// How far a step goes; any finite number of at least 0. Default 0.01.
    pub learning_rate: f32,
    /// How much of the velocity stays; 0 or more and less than 1. Default 0.
    pub momentum: f32,
    /// How strongly parameters are drawn to 0; any finite number of at least 0. Default 0.
    pub weight_decay: f32,
}

impl Default for Sgd {
    fn default() -> Self {
        Self { learning_rate: 0.01, momentum: 0.0, weight_decay: 0.0 }
    }
}

impl Sgd {
    pub(super) const NAME: &str = "Sgd";

    pub(super) fn check(&self) -> Result<()> {
        check_share(Self::NAME, "momentum", self.momentum)?;
        check_strength(Self::NAME, "weight_decay", self.weight_decay)
    }

    #[cfg(feature = "gpu")]
    pub(super) fn rule(&self) -> Rule {
        let settings = [
            (LEARNING_RATE, self.learning_rate),
            ("momentum", self.momentum),
            ("weight_decay", self.weight_decay),
        ];
        Rule {
            name: Self::NAME,
            shader: shader!("training/sgd.wgsl"),
            settings: settings.map(|(name, value)| (name, value.to_bits())).into(),
            moments: 1,
        }
    }
}
