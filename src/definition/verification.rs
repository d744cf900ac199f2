//! The measures of verification, from how many pairs there are at each distance.

use crate::error::Result;
use crate::measures::{Counted, Verification, Verified, check_kinds, most_of};

/// How far the threshold has come, from below every distance on.
pub(crate) struct Curve {
    /// Pairs up to the threshold, those that are the same first.
    accepted: [u64; 2],
    /// Whether the corner of the EER was passed.
    is_past: bool,
    /// For every FPR, the most different pairs that may be accepted.
    most: Vec<u64>,
    counted: Counted,
}

impl Curve {
    /// The curve of so many pairs that are the same and that are different.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`](crate::Error::Missing) where there is none of one kind.
    pub(crate) fn new(verification: &Verification, totals: [u64; 2]) -> Result<Self> {
        check_kinds(totals)?;
        let most: Vec<_> = verification.shares().map(|share| most_of(share, totals[1])).collect();
        let rates = vec![(0, None); most.len()];
        let counted = Counted { totals, rates, ..Default::default() };
        Ok(Self { accepted: [0; 2], is_past: false, most, counted })
    }

    /// Accepts the pairs at the next distance.
    pub(crate) fn accept(&mut self, distance: f32, [same, different]: [u64; 2]) {
        let before = self.accepted;
        let counted = &mut self.counted;
        counted.nearer += u128::from(different) * (2 * u128::from(before[0]) + u128::from(same));
        self.accepted = [before[0] + same, before[1] + different];
        let [accepted_same, accepted_different] = self.accepted;
        if accepted_same > accepted_different + counted.margin {
            counted.margin = accepted_same - accepted_different;
            counted.accuracy_threshold = Some(distance);
        }
        let [p, q] = counted.totals.map(u128::from);
        let sum = u128::from(accepted_different) * p + u128::from(accepted_same) * q;
        if !self.is_past && sum >= p * q {
            self.is_past = true;
            counted.crossing = [self.accepted, before];
            counted.eer_threshold = distance;
        }
        for (rate, &most) in counted.rates.iter_mut().zip(&self.most) {
            if accepted_different <= most {
                *rate = (accepted_same, Some(distance));
            }
        }
    }

    /// The measures, when all pairs are accepted.
    pub(crate) fn measures(self) -> Verified {
        self.counted.into()
    }
}
