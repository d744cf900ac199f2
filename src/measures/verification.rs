//! Whether two rows are the same, told by their distance.

use serde::{Deserialize, Serialize};

use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::loss::Distance;

/// What is verified: pairs of rows are accepted as the same where their distance is at most a
/// threshold. Its serde form are its fields; what is left out takes the default.
///
/// The pairs are those that are listed, by rows or by indices, or all of a batch, each once, or all
/// of a batch with its references, where rows are the same that have one label. Of P pairs that are
/// the same and Q that are different, TPR(t) is the share of the P that is accepted at the
/// threshold t, and FPR(t) the share of the Q. Pairs at one distance are accepted together.
///
/// | measure | definition |
/// |---|---|
/// | AUC | share of the P x Q couples in which the same pair is nearer; a half where both are as far |
/// | TPR at FPR f | the greatest TPR(t) over all t with FPR(t) <= f |
/// | EER | the FPR where straight lines through the points (FPR(t), TPR(t)), from (0, 0) on, meet TPR = 1 - FPR |
/// | accuracy | the greatest share of all pairs that a threshold judges as they are |
///
/// Sources: Fawcett, "An Introduction to ROC Analysis", Pattern Recognition Letters 2006; ISO/IEC
/// 19795-1 for FPR, TPR and EER.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Verification {
    /// The distance that judges. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// The FPRs at which the TPR is told, each in \[0, 1\], in any order. Default 0.1, 0.01 and
    /// 0.001.
    pub tpr_at_fpr: Vec<f64>,
}

impl Default for Verification {
    fn default() -> Self {
        Self { distance: Distance::Euclidean, normalize: false, tpr_at_fpr: vec![0.1, 0.01, 0.001] }
    }
}

impl Verification {
    const NAME: &str = "Verification";

    /// The FPRs in parts of [`WHOLE`]. One of decimals is what it says, and not what f64 makes of
    /// it.
    pub(crate) fn shares(&self) -> impl Iterator<Item = u64> + use<'_> {
        self.tpr_at_fpr.iter().map(|fpr| {
            let text = fpr.abs().to_string();
            let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
            format!("{whole}{decimals:0<18.18}").parse().unwrap_or_default()
        })
    }

    /// Checks the parameters, and that verification is defined for inputs of this shape.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for an FPR outside \[0, 1\], [`Error::Unsupported`] for a mode other
    /// than batch, reference and pairs.
    pub fn check(&self, shape: &Shape) -> Result<()> {
        let is_no_share = |fpr: &&f64| !(0.0..=1.0).contains(*fpr);
        if let Some(fpr) = self.tpr_at_fpr.iter().find(is_no_share) {
            return Err(Error::Parameter {
                of: Self::NAME,
                parameter: "tpr_at_fpr",
                value: fpr.to_string(),
                allowed: "from 0 to 1",
            });
        }
        match shape.mode() {
            Mode::Batch | Mode::Reference | Mode::PairRows | Mode::PairIndices => Ok(()),
            mode => Err(Error::Unsupported {
                of: Self::NAME,
                what: format!("inputs in {} mode", mode.name()),
                reason: "it takes batch and reference mode, and pairs".into(),
            }),
        }
    }
}

/// How well distances tell pairs that are the same from others, by the definitions of
/// [`Verification`]. Thresholds are distances of pairs.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Verified {
    /// P.
    pub same_pairs: u64,
    /// Q.
    pub different_pairs: u64,
    /// AUC.
    pub auc: f64,
    /// EER.
    pub eer: f64,
    /// The smallest threshold with FPR >= 1 - TPR.
    pub eer_threshold: f32,
    /// Accuracy.
    pub accuracy: f64,
    /// The smallest threshold of that accuracy; `None` where it is best to accept no pair.
    pub accuracy_threshold: Option<f32>,
    /// TPR for every FPR of [`Verification::tpr_at_fpr`], in its order.
    pub tpr: Vec<f64>,
    /// The greatest threshold with that FPR; `None` where each accepts more.
    pub tpr_threshold: Vec<Option<f32>>,
}

/// What an FPR is told in parts of.
const WHOLE: u128 = 1_000_000_000_000_000_000;

/// So many parts below a whole number of pairs are that number: the FPR 1 / 30 is rounded.
const TOLERANCE: u128 = 1_000_000_000;

/// How many of so many pairs a share of them is, in whole ones.
pub(crate) fn most_of(share: u64, pairs: u64) -> u64 {
    ((u128::from(share) * u128::from(pairs) + TOLERANCE) / WHOLE) as u64
}

/// What was counted of all pairs, from which the measures follow. Of two counts the first is of the
/// pairs that are the same, the other of those that are different.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counted {
    pub totals: [u64; 2],
    /// Twice the couples of which the same pair is nearer, and once those as far.
    pub nearer: u128,
    /// How many more of the same pairs than of the different ones the best threshold accepts.
    pub margin: u64,
    pub accuracy_threshold: Option<f32>,
    /// What the threshold of the EER accepts, and what those below it do.
    pub crossing: [[u64; 2]; 2],
    pub eer_threshold: f32,
    /// For every FPR how many of the same pairs are accepted, and the greatest such threshold.
    pub rates: Vec<(u64, Option<f32>)>,
}

/// Refuses pairs of which none is of one kind.
pub(crate) fn check_kinds(totals: [u64; 2]) -> Result<()> {
    let whats = ["a pair that is the same", "a pair that is different"];
    let reason = "verification tells one kind from the other";
    match whats.into_iter().zip(totals).find(|(_, total)| *total == 0) {
        Some((what, _)) => Err(Error::Missing { what, reason }),
        None => Ok(()),
    }
}

impl From<Counted> for Verified {
    fn from(counted: Counted) -> Self {
        let [p, q] = counted.totals.map(|total| total as f64);
        let [[b, v], [a, u]] = counted.crossing.map(|[same, different]| {
            let [tpr, fpr] = [same as f64 / p, different as f64 / q];
            [fpr, tpr]
        });
        Self {
            same_pairs: counted.totals[0],
            different_pairs: counted.totals[1],
            auc: counted.nearer as f64 / (2.0 * p * q),
            eer: a + (b - a) * (1.0 - a - u) / ((b - a) + (v - u)),
            eer_threshold: counted.eer_threshold,
            accuracy: (counted.totals[1] + counted.margin) as f64 / (p + q),
            accuracy_threshold: counted.accuracy_threshold,
            tpr: counted.rates.iter().map(|&(same, _)| same as f64 / p).collect(),
            tpr_threshold: counted.rates.iter().map(|&(_, threshold)| threshold).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_what_the_decimals_say() {
        let tpr_at_fpr = vec![0.0, 1.0, 0.3, 1e-3, 0.123_456_789, 1e-300, -0.0];
        let verification = Verification { tpr_at_fpr, ..Default::default() };
        let shares: Vec<_> = verification.shares().collect();
        let billionths = [0, 1_000_000_000, 300_000_000, 1_000_000, 123_456_789, 0, 0];
        assert_eq!(shares, billionths.map(|one| one * 1_000_000_000));
        let most = |fpr, pairs| {
            let verification = Verification { tpr_at_fpr: vec![fpr], ..Default::default() };
            verification.shares().map(|share| most_of(share, pairs)).collect::<Vec<_>>()
        };
        assert_eq!([most(1.0 / 30.0, 30), most(0.3, 10), most(0.29, 10)], [[1], [3], [2]]);
    }
}
