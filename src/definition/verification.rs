//! The measures of verification, from how many pairs there are at each distance.

use crate::error::{Error, Result};
use crate::measures::{Verification, Verified};

/// How far the threshold has come, from below every distance on.
pub(crate) struct Curve {
    /// Pairs that are the same, and that are different.
    totals: [u64; 2],
    /// Those of them up to the threshold.
    accepted: [u64; 2],
    /// Twice the couples of which the same pair is nearer, and once those as far.
    nearer: u128,
    /// Pairs that the best threshold judges as they are.
    right: u64,
    /// Whether the corner of the EER was passed.
    is_past: bool,
    /// For every FPR, the most different pairs that may be accepted.
    most: Vec<u64>,
    found: Verified,
}

impl Curve {
    /// The curve of so many pairs that are the same and that are different.
    ///
    /// # Errors
    ///
    /// [`Error::Missing`] where there is none of one kind.
    pub(crate) fn new(verification: &Verification, totals: [u64; 2]) -> Result<Self> {
        let whats = ["a pair that is the same", "a pair that is different"];
        if let Some((what, _)) = whats.into_iter().zip(totals).find(|(_, total)| *total == 0) {
            return Err(Error::Missing {
                what,
                reason: "verification tells one kind from the other",
            });
        }
        let [same_pairs, different_pairs] = totals;
        // An FPR of decimals is what it says, and not what f64 makes of it.
        let most = |&fpr: &f64| (fpr * different_pairs as f64 + 1e-9).floor() as u64;
        let rates = verification.tpr_at_fpr.len();
        Ok(Self {
            totals,
            accepted: [0; 2],
            nearer: 0,
            right: different_pairs,
            is_past: false,
            most: verification.tpr_at_fpr.iter().map(most).collect(),
            found: Verified {
                same_pairs,
                different_pairs,
                tpr: vec![0.0; rates],
                tpr_threshold: vec![None; rates],
                ..Default::default()
            },
        })
    }

    /// Accepts the pairs at the next distance.
    pub(crate) fn accept(&mut self, distance: f32, [same, different]: [u64; 2]) {
        let before = self.rates();
        self.nearer +=
            u128::from(different) * (2 * u128::from(self.accepted[0]) + u128::from(same));
        self.accepted = [self.accepted[0] + same, self.accepted[1] + different];
        let [p, q] = self.totals;
        let [accepted_same, accepted_different] = self.accepted;
        let right = accepted_same + (q - accepted_different);
        if right > self.right {
            self.right = right;
            self.found.accuracy_threshold = Some(distance);
        }
        let after = self.rates();
        let sum = u128::from(accepted_different) * u128::from(p)
            + u128::from(accepted_same) * u128::from(q);
        if !self.is_past && sum >= u128::from(p) * u128::from(q) {
            self.is_past = true;
            let [[u, a], [v, b]] = [before, after];
            self.found.eer = a + (b - a) * (1.0 - a - u) / ((b - a) + (v - u));
            self.found.eer_threshold = distance;
        }
        let found = self.found.tpr.iter_mut().zip(&mut self.found.tpr_threshold);
        for ((tpr, threshold), &most) in found.zip(&self.most) {
            if accepted_different <= most {
                (*tpr, *threshold) = (after[0], Some(distance));
            }
        }
    }

    /// TPR and FPR.
    fn rates(&self) -> [f64; 2] {
        [0, 1].map(|kind| self.accepted[kind] as f64 / self.totals[kind] as f64)
    }

    /// The measures, when all pairs are accepted.
    pub(crate) fn measures(self) -> Verified {
        let [p, q] = self.totals.map(|total| total as f64);
        Verified {
            auc: self.nearer as f64 / (2.0 * p * q),
            accuracy: self.right as f64 / (p + q),
            ..self.found
        }
    }
}
