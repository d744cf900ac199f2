//! Which operations are to fail on purpose.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::names::named;

/// An operation of wgpu that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A buffer is made; [`Error::OutOfMemory`](crate::Error::OutOfMemory) where there is no memory
    /// for it.
    Allocation,
    /// A pipeline is compiled; [`Error::Gpu`](crate::Error::Gpu) where the driver refuses.
    Pipeline,
    /// Commands are submitted, by the calls that take and return host memory;
    /// [`Error::Gpu`](crate::Error::Gpu) where wgpu refuses.
    Submission,
    /// A buffer is mapped to read it; [`Error::DeviceLost`](crate::Error::DeviceLost) where that is
    /// not possible.
    Map,
    /// The device is asked how far it is; [`Error::DeviceLost`](crate::Error::DeviceLost) where it
    /// is gone.
    Poll,
}

named! {
    /// Every operation.
    Operation, "operation":
    Allocation "allocation",
    Pipeline "pipeline",
    Submission "submission",
    Map "map",
    Poll "poll",
}

/// Which operations are to fail: of each kind the one after so many others, counted down to it; 0
/// is none.
#[derive(Debug, Default)]
pub(crate) struct Injections(pub(crate) [AtomicU64; Operation::ALL.len()]);

/// A fault that waits for its operation: [`Context::inject`](crate::Context::inject). It is taken
/// back when this is dropped.
#[derive(Debug)]
#[must_use = "the fault is taken back when this is dropped"]
pub struct Injected<'a> {
    pub(crate) left: &'a AtomicU64,
}

impl Injected<'_> {
    /// Whether the operation has been tried, and has failed.
    pub fn has_struck(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Injected<'_> {
    fn drop(&mut self) {
        self.left.store(0, Ordering::Relaxed);
    }
}
