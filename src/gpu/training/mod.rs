//! Plans that train: a linear projection, a perceptron and the steps of an optimiser.

pub(crate) mod linear;
pub(crate) mod mlp;
pub(crate) mod optimizer;
