//! What the benchmarks measure.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use criterion::measurement::{Measurement, ValueFormatter, WallTime};

/// A clock that goes on only while the GPU works on what counts: recordings say how long that was,
/// and [advance](Self::advance) it.
///
/// Criterion reads a measurement before and after a loop. Because this one is a sum of what the
/// loop's rounds took, every loop of `Bencher` measures with it as with any other clock, and
/// neither recording, nor read-back, nor the stages that do not count are part of what it measures.
/// Clones are the same clock: one is criterion's, one the benchmarks'.
#[derive(Clone, Default)]
pub(crate) struct GpuTime {
    elapsed: Rc<Cell<Duration>>,
}

impl GpuTime {
    /// Goes on by what was measured.
    pub(crate) fn advance(&self, duration: Duration) {
        self.elapsed.set(self.elapsed.get() + duration);
    }
}

impl Measurement for GpuTime {
    type Intermediate = Duration;
    type Value = Duration;

    fn start(&self) -> Duration {
        self.elapsed.get()
    }

    fn end(&self, start: Duration) -> Duration {
        self.elapsed.get() - start
    }

    fn add(&self, one: &Duration, other: &Duration) -> Duration {
        *one + *other
    }

    fn zero(&self) -> Duration {
        Duration::ZERO
    }

    fn to_f64(&self, value: &Duration) -> f64 {
        WallTime.to_f64(value)
    }

    fn formatter(&self) -> &dyn ValueFormatter {
        WallTime.formatter()
    }
}
