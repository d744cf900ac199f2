//! What the caller holds: plans of losses, objectives and measures, the memory bank, and the calls
//! from host to host.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod autotune;
pub(crate) mod evaluate;
pub(crate) mod loss;
pub(crate) mod measure;
pub(crate) mod memory_bank;
pub(crate) mod objective;
pub(crate) mod search;
pub(crate) mod trainer;
pub(crate) mod verification;
