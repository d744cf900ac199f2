//! Spans of the `tracing` crate: an application that has a subscriber sees what the library does on
//! the host, and how long.

use std::fmt;

use crate::data::shape::Shape;
use crate::loss::Loss;

/// The name of a plan in spans: its losses and its shape.
#[derive(Debug)]
pub(crate) struct TraceName {
    losses: Vec<&'static str>,
    pub shape: Shape,
}

impl TraceName {
    pub(crate) fn new<'a>(losses: impl IntoIterator<Item = &'a Loss>, shape: Shape) -> Self {
        Self { losses: losses.into_iter().map(Loss::name).collect(), shape }
    }

    /// The name of a plan that evaluates no loss.
    pub(crate) fn of_plan(name: &'static str, shape: Shape) -> Self {
        Self { losses: vec![name], shape }
    }
}

/// The names of the losses.
impl fmt::Display for TraceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.losses.join(" + "))
    }
}

/// An entered span of this name for the plan of a [`TraceName`].
macro_rules! span {
    ($name:literal, $plan:expr) => {{
        let plan: &$crate::gpu::dispatch::trace::TraceName = $plan;
        let shape = &plan.shape;
        let (mode, n, m, d) = (shape.mode().name(), shape.queries(), shape.references(), shape.dimensions());
        tracing::debug_span!($name, loss = %plan, mode, n, m, d).entered()
    }};
}
pub(crate) use span;
