//! What is waited for in a browser, which looks after the device itself.

use std::task;

/// The browser wakes a task when there is something to see; one that asked to be polled at once
/// would keep it from ever coming to that.
pub(crate) fn come_again(_: &task::Context<'_>) {}
