//! What goes in and what comes out: batches and their shapes, objectives, evaluations.

#[cfg(any(feature = "gpu", feature = "reference"))]
pub(crate) mod arithmetic;
pub(crate) mod batch;
pub(crate) mod checks;
pub(crate) mod evaluation;
pub(crate) mod input;
pub(crate) mod mode;
pub(crate) mod objective;
pub(crate) mod random;
pub(crate) mod run;
pub(crate) mod shape;
