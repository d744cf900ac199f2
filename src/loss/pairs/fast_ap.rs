//! The FastAP loss.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::loss::{Description, Distance, Mode, Reduction};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{TermsKernel, Walk};

/// The FastAP loss: one less the average precision of an anchor's ranking, by a histogram of its
/// distances.
///
/// Distances are from 0 to R: R is 2 for `Cosine`, and for `Euclidean` with `normalize`; 4 for
/// `SquaredEuclidean` with `normalize`. The centres l = 0, 1, ... `bins` are R / `bins` apart, and
/// each distance is shared between the two nearest of them, linearly. With what the positives of an
/// anchor have at a centre, p(l), what all its pairs have, h(l), and P(l) and H(l), the sums of those
/// over the centres up to l, per anchor with positives P:
///
/// 1 - 1/|P| sum over l of p(l) P(l) / H(l)
///
/// Terms are anchors that have positives. The gradient of a pair exactly at a centre is 0, that of
/// duplicates for instance; everywhere else it is that of the histogram, of which every centre is a
/// kink.
///
/// The loss is summed up as p(l) (H(l) - P(l)) / H(l), without the difference from 1: an anchor whose
/// positives are all nearer than its negatives, by two bins, has a loss of exactly 0.
///
/// Source: Cakir, He, Xia, Kulis and Sclaroff, "Deep Metric Learning to Rank", CVPR 2019.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FastAp {
    /// The distance d: `Cosine`, or with `normalize` also `Euclidean` or `SquaredEuclidean`. Default
    /// `Cosine`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first, which `Cosine` does anyway. Default false.
    pub normalize: bool,
    /// How the anchors become one number. Default `Mean`.
    pub reduction: Reduction,
    /// How many bins there are between the centres; 1 to 255. Default 10.
    pub bins: u32,
}

impl Default for FastAp {
    fn default() -> Self {
        Self { distance: Distance::Cosine, normalize: false, reduction: Reduction::Mean, bins: 10 }
    }
}

impl FastAp {
    /// What no distance between unit rows is beyond.
    pub(crate) fn farthest(&self) -> f32 {
        if self.distance == Distance::SquaredEuclidean { 4.0 } else { 2.0 }
    }
}

impl Description for FastAp {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch, Mode::Reference]
    }

    fn check(&self) -> Result<()> {
        if !(1..=255).contains(&self.bins) {
            return Err(Error::Parameter {
                of: Self::NAME,
                parameter: "bins",
                value: self.bins.to_string(),
                allowed: "1 to 255",
            });
        }
        let ends = match self.distance {
            Distance::Cosine => true,
            Distance::Euclidean | Distance::SquaredEuclidean => self.normalize,
            _ => false,
        };
        if ends {
            return Ok(());
        }
        Err(Error::Unsupported {
            of: Self::NAME,
            what: format!("{:?} distances, normalize {}", self.distance, self.normalize),
            reason:
                "its bins end: it takes Cosine, and Euclidean and SquaredEuclidean with normalize"
                    .into(),
        })
    }

    fn gradient_factor(&self) -> f32 {
        self.bins as f32 / self.farthest()
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        TermsKernel {
            walk: Walk::reading(2),
            // Two atomic additions.
            operations_per_pair: 64,
            parameters: vec![
                ("bins", self.bins),
                ("inverse_width", self.gradient_factor().to_bits()),
                ("farthest", self.farthest().to_bits()),
            ],
            ..TermsKernel::new(shader!("terms/fast_ap.wgsl"))
        }
    }

    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self> {
        // Normalized, as distances that end need it; the kernels are the same.
        vec![Self { normalize: true, ..self }]
    }
}
