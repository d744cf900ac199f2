//! Ctrl-C: the first asks to come to an end with what there is, the second ends at once.

use std::process;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Error, Result, tell};
use crate::error::INTERRUPTED;

static IS_ASKED: AtomicBool = AtomicBool::new(false);

/// Listens from here on, in the place of ending at once.
pub(crate) fn listen() -> Result<()> {
    let on_interrupt = || {
        if IS_ASKED.swap(true, Ordering::Relaxed) {
            process::exit(INTERRUPTED.into());
        }
        tell("interrupted: ends after this step, with what was learnt. Again: ends at once");
    };
    // There is one handler in a process, and nobody else sets one.
    ctrlc::set_handler(on_interrupt).map_err(|error| Error::Output(std::io::Error::other(error)))
}

/// Whether somebody has asked for the end.
pub(crate) fn is_asked() -> bool {
    IS_ASKED.load(Ordering::Relaxed)
}
