//! The triplet loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
#[cfg(feature = "gpu")]
use crate::loss::Triplets;
use crate::loss::parameters::check_finite;
use crate::loss::{Description, Distance, Mining, Mode, Reduction, Thresholded};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Chunks, SORTED_CHUNK, SORTING_ROUNDS, TermsKernel, Walk};

/// The walk of `shaders/terms/triplet/all.wgsl`: a chunk is sorted, meets the negatives, and takes
/// its slopes.
#[cfg(feature = "gpu")]
const ALL: Walk = Walk {
    reads: 1,
    chunks: Some(Chunks {
        size: SORTED_CHUNK,
        most: 8,
        reads: 3,
        rounds: SORTING_ROUNDS,
        operations: 64,
    }),
};

/// The walk of `shaders/terms/triplet/all_soft.wgsl`, for each of 256 invocations one positive of
/// 256: its slope takes 32 rounds for 256 columns and one to end, and each negative 32 for all of
/// them and one to end. Of 64 invocations each has four positives, and as many rounds for 64
/// columns.
#[cfg(feature = "gpu")]
const ALL_SOFT: Walk = Walk {
    reads: 3,
    chunks: Some(Chunks {
        size: 256,
        most: 4,
        reads: 65,
        rounds: SORTING_ROUNDS + 1,
        operations: 256 * 64,
    }),
};

/// The walk of `shaders/terms/triplet/semi_hard.wgsl`: a chunk is sorted, meets the negatives
/// twice, and at last all pairs, with two loops over choosers for each. Every positive is a chooser
/// once.
#[cfg(feature = "gpu")]
const SEMI_HARD: Walk = Walk {
    reads: 1,
    chunks: Some(Chunks {
        size: SORTED_CHUNK,
        most: 8,
        reads: 6,
        rounds: SORTING_ROUNDS + SORTED_CHUNK,
        operations: 128,
    }),
};

/// The triplet loss.
///
/// Per triplet (a, p, n) of the [`Mining`]:
///
/// - max(0, d(a, p) - d(a, n) + `margin`)
/// - with `soft`, log(1 + exp(d(a, p) - d(a, n))), without overflow and without a margin
///
/// Terms are the mined triplets. `Mining::All` is exact at any batch size: the positives of an
/// anchor are sorted and every negative finds its place among them, O(M log K) per anchor with K
/// positives and M columns, and no triplet is ever stored. (`soft` has no such shortcut and
/// evaluates every triplet, storing none.)
///
/// Sources: Schroff, Kalenichenko and Philbin, "FaceNet: A Unified Embedding for Face Recognition
/// and Clustering", CVPR 2015; the soft form: Hermans, Beyer and Leibe, "In Defense of the Triplet
/// Loss for Person Re-Identification", 2017. Those of the minings: [`Mining`].
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
    /// How much nearer than the negative the positive must be; any finite number; without effect
    /// when `soft`. Default 0.2.
    pub margin: f32,
    /// The softplus in place of the hinge. Default false.
    pub soft: bool,
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
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn modes(&self) -> &'static [Mode] {
        match self.mining {
            Mining::Explicit => &[Mode::Triplets],
            _ => &[Mode::Batch, Mode::Reference],
        }
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "margin", self.margin)
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let margin = ("margin", self.margin.to_bits());
        let thresholds = self.reduction.threshold_parameters();
        let parameters = [margin].into_iter().chain(thresholds).collect();
        let has_thresholds = ("THRESHOLDS", self.reduction.thresholds().is_some().into());
        match (self.mining.triplets(), self.soft) {
            (Triplets::Every, false) => TermsKernel {
                walk: ALL,
                constants: vec![has_thresholds],
                parameters,
                ..TermsKernel::new(shader!("terms/triplet/all.wgsl"))
            },
            (Triplets::Every, true) => TermsKernel {
                walk: ALL_SOFT,
                constants: vec![has_thresholds],
                parameters,
                ..TermsKernel::new(shader!("terms/triplet/all_soft.wgsl"))
            },
            (Triplets::Listed, _) => TermsKernel {
                constants: vec![("SOFT", self.soft.into())],
                parameters,
                ..TermsKernel::new(shader!("terms/triplet/explicit.wgsl"))
            },
            (Triplets::OnePerAnchor { positive, negative }, _) => TermsKernel {
                constants: vec![
                    ("SOFT", self.soft.into()),
                    ("POSITIVE_DIFFICULTY", (positive as u32).into()),
                    ("NEGATIVE_DIFFICULTY", (negative as u32).into()),
                ],
                parameters,
                chooses: true,
                walk: Walk::reading(2),
                ..TermsKernel::new(shader!("terms/triplet/one_per_anchor.wgsl"))
            },
            (Triplets::OnePerPositive, _) => TermsKernel {
                walk: SEMI_HARD,
                constants: vec![("SOFT", self.soft.into())],
                parameters,
                ..TermsKernel::new(shader!("terms/triplet/semi_hard.wgsl"))
            },
        }
    }

    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self> {
        let with = |mining| [false, true].map(|soft| Self { mining, soft, ..self.clone() });
        Mining::ALL.map(with).concat()
    }
}
