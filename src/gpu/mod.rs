//! How it is computed: adapters and contexts, kernels, plans and read-back. Nothing in here knows a formula.

mod adapter;
mod buffers;
mod context;
mod dispatch;
mod evaluate;
mod inputs;
mod kernel;
mod layout;
mod list;
mod memory_bank;
mod plan;
mod pointwise;
mod readback;
mod scope;
mod steps;
mod stripes;
mod tier;

pub use adapter::Adapter;
pub use context::{Context, Options};
pub use inputs::{Binding, Inputs};
pub use memory_bank::MemoryBank;
pub use plan::Plan;
pub use readback::Pending;
pub use tier::{Checks, Tier};

#[cfg(test)]
mod tests;
