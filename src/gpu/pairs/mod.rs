//! How losses become dispatches: what is bound, kept on the GPU, run on each stripe, and read back.

pub(crate) mod basis;
pub(crate) mod finish;
pub(crate) mod gradients;
pub(crate) mod inputs;
pub(crate) mod list;
pub(crate) mod loss_passes;
pub(crate) mod matrix;
pub(crate) mod outputs;
pub(crate) mod passes;
pub(crate) mod planned_loss;
pub(crate) mod pointwise;
pub(crate) mod prepare;
pub(crate) mod result;
pub(crate) mod sizes;
pub(crate) mod sweeps;
pub(crate) mod validity;
