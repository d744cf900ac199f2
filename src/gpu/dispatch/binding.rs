//! The dispatches that a caller's buffers are bound to, around those of a plan.

use crate::gpu::dispatch::Dispatch;

/// Inputs bound to a plan, so that recording creates nothing. It stays valid as long as the
/// caller's buffers: their contents may change from recording to recording.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(crate) plan: u64,
    pub(crate) surroundings: Surroundings,
}

/// The dispatches of a binding, before and after those of the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    /// Prepares the inputs.
    pub before: Vec<Dispatch>,
    /// Hands on the outputs and sets the sizes back.
    pub after: Vec<Dispatch>,
}

impl From<Vec<Dispatch>> for Surroundings {
    fn from(before: Vec<Dispatch>) -> Self {
        Self { before, after: Vec::new() }
    }
}

impl Surroundings {
    /// The surroundings with these outputs, which are handed on before the sizes are set back.
    pub(crate) fn with_outputs(mut self, mut outputs: Vec<Dispatch>) -> Self {
        outputs.append(&mut self.after);
        Self { after: outputs, ..self }
    }

    /// The dispatches of another one after these.
    pub(crate) fn extend(&mut self, other: Self) {
        self.before.extend(other.before);
        self.after.extend(other.after);
    }
}
