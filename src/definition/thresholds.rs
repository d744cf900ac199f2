//! Terms within thresholds.

use super::loss::AnchorTerms;
use super::number::{Count, Number, Term};
use crate::loss::{Reduction, Thresholds};

/// Whether a term is taken.
#[derive(Clone, Copy, PartialEq)]
enum Taken {
    Yes,
    No,
    /// It is or it is not, but f32 may find the other.
    Doubtful(bool),
}

impl Thresholds {
    fn takes<N: Number>(self, term: N) -> Taken {
        let term = term.or_flushed();
        let above = self.low.map(|low| (term, N::input(low)));
        let below = self.high.map(|high| (N::input(high), term));
        // A comparison rounds nothing.
        let order = |(more, less): (N, N)| {
            N::new(more.value() - less.value(), more.error() + less.error()).hinge().slope
        };
        let orders = || [above, below].into_iter().flatten().map(order);
        match orders().all(|order| order.value() > 0.0) {
            true if orders().all(|order| order == N::ONE) => Taken::Yes,
            false if orders().any(|order| order == N::ZERO) => Taken::No,
            is_taken => Taken::Doubtful(is_taken),
        }
    }
}

impl Taken {
    /// The number where the term is taken, else 0.
    fn share<N: Number>(self, number: N) -> N {
        match self {
            Self::Yes => number,
            Self::No => N::ZERO,
            Self::Doubtful(true) => N::new(number.value(), number.error() + number.magnitude()),
            Self::Doubtful(false) => N::new(0.0, number.magnitude()),
        }
    }

    fn count(self) -> Count {
        match self {
            Self::Yes => Count::exact(1),
            Self::No => Count::default(),
            Self::Doubtful(is_taken) => Count { value: is_taken.into(), slack: 1 },
        }
    }
}

impl Reduction {
    /// How many of so many terms that are 0 are within thresholds; none where there are no
    /// thresholds.
    pub(crate) fn zeros_within(self, terms: u64) -> Count {
        let takes = |thresholds: Thresholds| thresholds.takes(0.0_f64) == Taken::Yes;
        Count::exact(if self.thresholds().is_some_and(takes) { terms } else { 0 })
    }
}

impl<N: Number> Term<N> {
    /// The term where it is within thresholds, where there are any, else nothing; it counts as
    /// non-zero where it is within.
    pub(crate) fn within(self, thresholds: Option<Thresholds>) -> Self {
        let Some(thresholds) = thresholds else { return self };
        let taken = thresholds.takes(self.value);
        Self {
            value: taken.share(self.value),
            slope: taken.share(self.slope),
            nonzero: taken.count(),
        }
    }
}

impl<N: Number> AnchorTerms<N> {
    /// The one term of an anchor, if it has one and it is within thresholds, where there are any.
    pub(crate) fn within(mut self, thresholds: Option<Thresholds>) -> Self {
        let Some(thresholds) = thresholds.filter(|_| self.terms > 0) else { return self };
        let taken = thresholds.takes(self.loss);
        self.nonzero = taken.count();
        if taken == Taken::Yes {
            return self;
        }
        let share = |number: &mut N| *number = taken.share(*number);
        share(&mut self.loss);
        share(&mut self.contribution);
        self.slopes.iter_mut().for_each(share);
        self.learned.iter_mut().for_each(|(_, slope)| share(slope));
        self
    }
}
