//! Spans of the `tracing` crate: an application that has a subscriber sees what the library does on
//! the host, and how long.

use std::fmt;

use crate::data::shape::Shape;
use crate::loss::Loss;

/// What a plan evaluates, for spans.
#[derive(Debug)]
pub(crate) struct Subject {
    losses: Vec<&'static str>,
    pub shape: Shape,
}

impl Subject {
    pub(crate) fn new<'a>(losses: impl IntoIterator<Item = &'a Loss>, shape: Shape) -> Self {
        Self { losses: losses.into_iter().map(Loss::name).collect(), shape }
    }

    /// Of what is no loss.
    pub(crate) fn named(name: &'static str, shape: Shape) -> Self {
        Self { losses: vec![name], shape }
    }
}

/// The names of the losses.
impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.losses.join(" + "))
    }
}

/// An entered span of this name, with what the plan evaluates.
macro_rules! span {
    ($name:literal, $subject:expr) => {{
        let subject: &$crate::gpu::dispatch::trace::Subject = $subject;
        let shape = &subject.shape;
        let (mode, n, m, d) = (shape.mode().name(), shape.queries(), shape.references(), shape.dimensions());
        tracing::debug_span!($name, loss = %subject, mode, n, m, d).entered()
    }};
}
pub(crate) use span;
