//! The stages of an evaluation.

use crate::names::named;

/// What dispatches do in an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Checks and prepares the inputs.
    Prepare,
    /// Computes distances.
    Distance,
    /// Makes coefficients of distances, and sums up the loss; or ranks neighbours. Of pointwise
    /// losses everything but the reduction.
    Terms,
    /// Sums up gradients from the coefficients; of a loss that is alone on one stripe of raw rows
    /// it scales them too, and comes last.
    Gradient,
    /// Reduces the loss, scales the gradients and hands them on.
    Finish,
    /// Projects rows, or makes a step of an optimiser; no evaluation has it.
    Training,
}

named! {
    /// Every stage, those of an evaluation in the order in which a recording first comes to them.
    Stage, "stage":
    Prepare "prepare",
    Distance "distance",
    Terms "terms",
    Gradient "gradient",
    Finish "finish",
    Training "training",
}

impl Stage {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Prepare => "metric-learning prepare",
            Self::Distance => "metric-learning distance",
            Self::Terms => "metric-learning terms",
            Self::Gradient => "metric-learning gradient",
            Self::Finish => "metric-learning finish",
            Self::Training => "metric-learning training",
        }
    }
}
