//! Plans that train: a linear projection and the steps of an optimiser.

pub(crate) mod linear;
pub(crate) mod optimizer;
