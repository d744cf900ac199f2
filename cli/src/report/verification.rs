//! Measures of verification as they are printed.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use wgpu_metric_learning::Shape;
use wgpu_metric_learning::measures::{Verification, Verified};

use crate::Result;
use crate::sizes::Sizes;

/// Measures of verification by the names that they are printed with.
#[derive(Clone, Serialize)]
pub(crate) struct VerificationQuantities {
    #[serde(flatten)]
    sizes: Sizes,
    same_pairs: u64,
    different_pairs: u64,
    auc: f64,
    eer: f64,
    eer_threshold: f32,
    accuracy: f64,
    accuracy_threshold: Option<f32>,
    #[serde(flatten)]
    rates: Rates,
}

impl VerificationQuantities {
    pub(crate) fn of(verification: &Verification, shape: &Shape, verified: &Verified) -> Self {
        let found = verified.tpr.iter().zip(&verified.tpr_threshold);
        let rates = verification.tpr_at_fpr.iter().zip(found);
        Self {
            sizes: Sizes::of(shape),
            same_pairs: verified.same_pairs,
            different_pairs: verified.different_pairs,
            auc: verified.auc,
            eer: verified.eer,
            eer_threshold: verified.eer_threshold,
            accuracy: verified.accuracy,
            accuracy_threshold: verified.accuracy_threshold,
            rates: Rates(rates.map(|(&fpr, (&tpr, &at))| (fpr, tpr, at)).collect()),
        }
    }
}

/// The TPR at every FPR, each once, and its threshold.
#[derive(Clone)]
struct Rates(Vec<(f64, f64, Option<f32>)>);

impl Serialize for Rates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (at, (fpr, tpr, threshold)) in self.0.iter().enumerate() {
            if self.0[..at].iter().all(|(other, ..)| other != fpr) {
                map.serialize_entry(&format!("tpr_at_fpr_{fpr}"), tpr)?;
                map.serialize_entry(&format!("threshold_at_fpr_{fpr}"), threshold)?;
            }
        }
        map.end()
    }
}
