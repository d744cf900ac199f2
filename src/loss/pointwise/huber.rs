//! Huber's loss.

use serde::{Deserialize, Serialize};

use crate::loss::{Description, Distance, Mode, Reduction, Terms, Truth, check_positive};
use crate::shader::shader;
use crate::{Error, Result};

/// Huber's loss: quadratic near the target, linear far from it, so that outliers weigh less.
///
/// Per element, with r = p - t of a prediction p and its target t: r^2 / 2 where |r| is at most `delta`, else
/// `delta` (|r| - `delta` / 2). Terms are elements.
///
/// Source: Huber, "Robust Estimation of a Location Parameter", Annals of Mathematical Statistics 35, 1964.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Huber {
    /// How the terms become one number. Default `Mean`.
    pub reduction: Reduction,
    /// Where the quadratic part ends; any finite number above 0. Default 1.
    pub delta: f32,
}

impl Huber {
    pub(crate) const NAME: &'static str = "Huber";
}

impl Default for Huber {
    fn default() -> Self {
        Self { reduction: Reduction::Mean, delta: 1.0 }
    }
}

impl Description for Huber {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (None, false, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Pointwise]
    }

    fn check(&self) -> Result<(), Error> {
        check_positive(Self::NAME, "delta", self.delta)
    }

    fn per_anchor(&self) -> bool {
        false
    }

    fn truth(&self) -> Truth {
        Truth::Targets
    }

    fn terms(&self) -> Terms {
        Terms { parameters: vec![("delta", self.delta.to_bits())], ..Terms::of(shader!("pointwise/huber.wgsl")) }
    }
}
