//! The L1 regulariser.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, check_strength};
use crate::shader::shader;
use crate::{Error, Result};

/// The L1 regulariser of weights (the lasso).
///
/// Per weight w: `strength` |w|, with derivative 0 at 0. Terms are weights.
///
/// Source: Tibshirani, "Regression Shrinkage and Selection via the Lasso", Journal of the Royal Statistical Society B 58, 1996.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct L1 {
    /// How the terms become one number. Default `Sum`.
    pub reduction: Reduction,
    /// What |w| is multiplied by; any finite number of at least 0. Default 0.01.
    pub strength: f32,
}

impl L1 {
    pub(crate) const NAME: &'static str = "L1";
}

impl Default for L1 {
    fn default() -> Self {
        Self { reduction: Reduction::Sum, strength: 0.01 }
    }
}

impl Description for L1 {
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
        Terms { parameters: vec![("strength", self.strength.to_bits())], ..Terms::of(shader!("pointwise/l1.wgsl")) }
    }
}
