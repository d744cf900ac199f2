//! How far an evaluation has come, and whether it goes on.

use crate::data::run::{Progress, Watch};
use crate::data::shape::Shape;
use crate::error::{Error, Result};

/// The steps of a computation, one of which may be the last.
pub(super) struct Steps<'w> {
    watch: &'w mut Watch<'w>,
    /// Operations before the evaluation that is under way.
    before: u64,
    /// Operations of a row of it.
    of_row: u64,
    total: u64,
}

/// Roughly how many operations a row takes.
fn of_row(shape: &Shape) -> u64 {
    (shape.references() * shape.dimensions()) as u64
}

impl<'w> Steps<'w> {
    /// The steps of evaluations of these shapes, one after the other.
    pub(super) fn of<'s>(
        watch: &'w mut Watch<'w>,
        shapes: impl Iterator<Item = &'s Shape>,
    ) -> Self {
        let total = shapes.map(|shape| shape.queries() as u64 * of_row(shape)).sum();
        Self { watch, before: 0, of_row: 0, total }
    }

    /// Begins with an evaluation of this shape.
    pub(super) fn begin(&mut self, shape: &Shape) {
        self.of_row = of_row(shape);
    }

    /// Goes on to the next evaluation.
    pub(super) fn end(&mut self, shape: &Shape) {
        self.before += shape.queries() as u64 * self.of_row;
    }

    /// Tells that so many rows are done.
    ///
    /// # Errors
    ///
    /// [`Error::Cancelled`] where that was the last one.
    pub(super) fn step(&mut self, rows: u64) -> Result<()> {
        let done = (self.before + rows * self.of_row).min(self.total);
        let progress = Progress { done, total: self.total, next: None };
        if (self.watch)(progress).is_break() { Err(Error::Cancelled) } else { Ok(()) }
    }
}
