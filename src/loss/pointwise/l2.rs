//! The L2 regulariser.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, check_strength};
use crate::shader::shader;
use crate::{Error, Result};

/// The L2 regulariser of weights (ridge, weight decay).
///
/// Per weight w: `strength` w^2. Terms are weights.
///
/// Source: Hoerl and Kennard, "Ridge Regression: Biased Estimation for Nonorthogonal Problems", Technometrics 12, 1970.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L2 {
    /// How the terms become one number. Default `Sum`.
    pub reduction: Reduction,
    /// What w^2 is multiplied by; any finite number of at least 0. Default 0.01.
    pub strength: f32,
}

impl L2 {
    pub(crate) const NAME: &'static str = "L2";
}

impl Default for L2 {
    fn default() -> Self {
        Self { reduction: Reduction::Sum, strength: 0.01 }
    }
}

impl Description for L2 {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (None, false, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Pointwise]
    }

    fn check(&self) -> Result<(), Error> {
        check_strength(Self::NAME, "strength", self.strength)
    }

    fn per_anchor(&self) -> bool {
        false
    }

    fn terms(&self) -> Terms {
        Terms { parameters: vec![("strength", self.strength.to_bits())], ..Terms::of(shader!("pointwise/l2.wgsl")) }
    }
}
