//! What the host and the WGSL agree on: the shader files and how they include one another, the
//! structs that both sides read, the tiers, and how the kernel of a loss is run.

pub(crate) mod bindings;
pub(crate) mod include;
pub(crate) mod layout;
pub mod status;
pub(crate) mod terms;
pub(crate) mod tier;
