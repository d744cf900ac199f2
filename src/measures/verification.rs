//! Whether two rows are the same, told by their distance.

use serde::{Deserialize, Serialize};

use crate::data::shape::{Mode, Shape};
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
