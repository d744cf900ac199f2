//! The dispatches that a caller's buffers are bound to, around those of a plan.

use crate::gpu::dispatch::Step;

/// Inputs bound to a plan, so that recording creates nothing. It stays valid as long as the
/// caller's buffers: their contents may change from recording to recording.
#[derive(Clone, Debug)]
pub struct Binding {
    pub(crate) plan: u64,
    pub(crate) around: Around,
}

/// The dispatches of a binding, before and after those of the plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Around {
    /// Prepares the inputs.
    pub before: Vec<Step>,
    /// Hands on the outputs and sets the sizes back.
    pub after: Vec<Step>,
}

impl From<Vec<Step>> for Around {
    fn from(before: Vec<Step>) -> Self {
        Self { before, after: Vec::new() }
    }
}

impl Around {
    /// With these outputs, which are handed on before the sizes are set back.
    pub(crate) fn with_outputs(mut self, mut outputs: Vec<Step>) -> Self {
        outputs.append(&mut self.after);
        Self { after: outputs, ..self }
    }

    /// The dispatches of another one after these.
    pub(crate) fn extend(&mut self, other: Self) {
        self.before.extend(other.before);
        self.after.extend(other.after);
    }
}
