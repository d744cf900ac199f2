//! The patience of blocking calls.

use std::time::{Duration, Instant};

use crate::error::{Error, Result};

/// How long one look after the device waits: short enough that a device that has stopped answering
/// is noticed, long enough not to take the CPU from a software one.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

/// The end of a blocking call's patience.
#[derive(Clone, Copy)]
pub(crate) struct Patience {
    start: Instant,
    timeout: Duration,
}

impl Patience {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { start: Instant::now(), timeout }
    }

    /// How long the next look after the device may wait.
    pub(crate) fn look(&self) -> Result<Duration> {
        let left = self.timeout.checked_sub(self.start.elapsed());
        Ok(left.ok_or(Error::Timeout { after: self.timeout })?.min(LOOK))
    }
}
