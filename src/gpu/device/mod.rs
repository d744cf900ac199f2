//! The device, what is made on it and what can fail there.

pub(crate) mod adapter;
pub(crate) mod allocate;
pub(crate) mod arithmetic;
pub(crate) mod baseline;
pub(crate) mod context;
pub(crate) mod injection;
pub(crate) mod operations;
pub(crate) mod options;
pub(crate) mod pipelines;
pub(crate) mod scope;
pub(crate) mod tier;
pub(crate) mod tuned;
