//! How far something has come, for who looks at a terminal. A pipe or a file gets nothing.

use std::borrow::Cow;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::is_quiet;

/// How often it is drawn.
const TICK: Duration = Duration::from_millis(100);

/// A line on the terminal that goes when this is dropped.
pub(crate) struct Progress(ProgressBar);

impl Progress {
    /// The progress of something that takes an unknown time.
    pub(crate) fn unknown(what: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ProgressBar::new_spinner(), "{spinner} {msg}, {elapsed}", what)
    }

    /// The progress of something with so many parts.
    pub(crate) fn of(parts: u64, what: impl Into<Cow<'static, str>>) -> Self {
        let template = "{spinner} {msg} {bar:30} {percent} %, {elapsed}, about {eta} left";
        Self::new(ProgressBar::new(parts), template, what)
    }

    fn new(bar: ProgressBar, template: &str, what: impl Into<Cow<'static, str>>) -> Self {
        let style = ProgressStyle::with_template(template);
        let bar = bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        let bar = bar.with_message(what);
        if is_quiet() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        // Without a terminal nothing is drawn, and no thread is needed for it.
        if !bar.is_hidden() {
            bar.enable_steady_tick(TICK);
        }
        Self(bar)
    }

    /// Tells that so many of the parts are done.
    pub(crate) fn set(&self, done: u64) {
        self.0.set_position(done);
    }

    /// Tells how it goes.
    pub(crate) fn say(&self, what: impl FnOnce() -> String) {
        if !self.0.is_hidden() {
            self.0.set_message(what());
        }
    }

    /// Tells that so many parts are done, of so many that are known by now.
    pub(crate) fn set_of(&self, done: u64, all: u64) {
        self.0.set_length(all);
        self.0.set_position(done);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
