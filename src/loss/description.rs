//! What every loss says of itself, for the kernels and for the reference to go by.

use crate::data::shape::Mode;
use crate::error::Result;
use crate::loss::{Distance, Reduction, Truth};
use crate::wgsl::terms::TermsKernel;

/// What a loss says of itself. Plain data: the GPU side runs it without knowing a formula, the
/// reference without knowing the GPU.
pub(crate) trait Description {
    /// The distance of the loss, if it has one, whether it normalizes, and its reduction.
    fn settings(&self) -> (Option<Distance>, bool, Reduction);

    /// What the inputs can stand for.
    fn modes(&self) -> &'static [Mode];

    /// Checks the parameters.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn allows(&self, reduction: Reduction) -> bool {
        reduction != Reduction::HadsellMean
    }

    /// Whether an anchor's terms make a loss of its own; of pointwise losses, whether a term is a
    /// row.
    fn per_anchor(&self) -> bool {
        true
    }

    fn truth(&self) -> Truth {
        Truth::Nothing
    }

    fn beta(&self) -> Option<Beta> {
        None
    }

    fn terms_kernel(&self) -> TermsKernel;

    /// The loss with every value of the settings, beside distance and reduction, that its kernels
    /// depend on.
    fn variants(self) -> Vec<Self>
    where
        Self: Sized,
    {
        vec![self]
    }
}

/// A learnable boundary of the loss.
#[derive(Clone, Copy)]
pub(crate) struct Beta {
    pub per_class: bool,
    pub default: f32,
}

/// The name of the parameter that random numbers depend on, where a loss draws any.
pub(crate) const SEED: &str = "seed";
