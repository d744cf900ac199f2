//! The triplet loss.

use serde::{Deserialize, Serialize};

use super::{Description, Distance, Mining, Mode, Reduction, Statistics, Terms, check_finite};
use crate::shader::shader;
use crate::{Error, Result};

/// The triplet loss.
///
/// Per triplet (a, p, n) of the [`Mining`]:
///
/// - max(0, d(a, p) - d(a, n) + `margin`)
/// - with `soft`, log(1 + exp(d(a, p) - d(a, n))), without overflow and without a margin
///
/// Terms are the mined triplets. `Mining::All` is exact at any batch size: the positives of an anchor are sorted and
/// every negative finds its place among them, O(M log K) per anchor with K positives and M columns, and no triplet is ever
/// stored. (`soft` has no such shortcut and evaluates every triplet, storing none.)
///
/// Sources: Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition and Clustering", CVPR 2015;
/// the soft form and batch-hard mining: Hermans, Beyer and Leibe, "In Defense of the Triplet Loss for Person
/// Re-Identification", 2017.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Triplet {
    /// The distance d: both `Euclidean` (default) and `SquaredEuclidean` are in use.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the triplets become one number. Default `Mean`.
    pub reduction: Reduction,
    /// Which triplets. Default `All`.
    pub mining: Mining,
    /// How much nearer than the negative the positive must be; any finite number; without effect when `soft`. Default 0.2.
    pub margin: f32,
    /// The softplus in place of the hinge. Default false.
    pub soft: bool,
}

impl Triplet {
    pub(crate) const NAME: &'static str = "Triplet";
    pub(crate) const MODES: &'static [Mode] = &[Mode::Batch, Mode::Reference];
}

impl Default for Triplet {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::Mean,
            mining: Mining::All,
            margin: 0.2,
            soft: false,
        }
    }
}

impl Description for Triplet {
    fn settings(&self) -> (Distance, bool, Reduction) {
        (self.distance, self.normalize, self.reduction)
    }

    fn check(&self) -> Result<(), Error> {
        check_finite(Self::NAME, "margin", self.margin)
    }

    fn terms(&self) -> Terms {
        // CHUNK and PORTION of shaders/shared/sorted.wgsl.
        let portions = match (self.mining, self.soft) {
            (Mining::All, true) => Some(1024),
            (Mining::All, false) | (Mining::SemiHard, _) => Some(8192),
            (Mining::Hard, _) => None,
        };
        let (shader, constants) = match (self.mining, self.soft) {
            (Mining::All, false) => (shader!("terms/triplet/all.wgsl"), vec![]),
            (Mining::All, true) => (shader!("terms/triplet/all_soft.wgsl"), vec![]),
            (Mining::Hard, soft) => (shader!("terms/triplet/hard.wgsl"), vec![("SOFT", soft.into())]),
            (Mining::SemiHard, soft) => (shader!("terms/triplet/semi_hard.wgsl"), vec![("SOFT", soft.into())]),
        };
        Terms {
            shader,
            statistics: Statistics::None,
            symmetric: false,
            positives_per_dispatch: portions,
            split_mean: false,
            constants,
            parameters: vec![("margin", self.margin)],
        }
    }
}
