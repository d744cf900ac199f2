//! Faults on purpose, for an application to test what it does when the GPU fails.
//!
//! [`Context::inject`](crate::Context::inject) places them.

pub use crate::gpu::{Injected, Operation};
