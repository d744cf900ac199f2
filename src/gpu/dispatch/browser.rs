//! What is waited for in a browser, which looks after the device itself.

use std::task;

use futures::channel::oneshot;

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::submissions::Submitted;

/// The browser wakes a task when there is something to see; one that asked to be polled at once
/// would keep it from ever coming to that.
pub(crate) fn come_again(_: &task::Context<'_>) {}

impl Context {
    /// Waits until the device has done all that was submitted so far.
    pub(super) async fn end_of(&self, _: &Submitted) -> Result<()> {
        let (sender, end) = oneshot::channel();
        self.queue().on_submitted_work_done(move || {
            // Nobody may wait any longer.
            let _ = sender.send(());
        });
        end.await.map_err(|_| Error::DeviceLost { during: "waiting" })
    }
}
