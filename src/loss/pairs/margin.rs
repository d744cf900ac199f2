//! The margin loss of Wu et al.

use serde::{Deserialize, Serialize};

use crate::data::input::Input;
use crate::error::{Error, Result};
#[cfg(feature = "gpu")]
use crate::loss::SEED;
use crate::loss::parameters::check_finite;
use crate::loss::{Description, Distance, Learned, Mode, Reduction, Sampling, Thresholded};
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Chunks, TermsKernel, Walk};

/// The walk of `shaders/terms/margin/distance_weighted.wgsl`: an invocation walks a segment for
/// each of its draws, one of 64.
#[cfg(feature = "gpu")]
const DRAWING: Walk = Walk {
    reads: 3,
    chunks: Some(Chunks { size: 64, most: 64, reads: 1, rounds: 16, operations: 16 }),
};

/// The margin loss with a learnable boundary: "margin" in its second meaning.
///
/// Per ordered pair (i, j) at distance d, or per listed or row-aligned pair, with the boundary
/// beta:
///
/// - positive: max(0, d - beta + `alpha`)
/// - negative: max(0, beta - d + `alpha`)
///
/// Beta is an input ([`Batch::with_beta`](crate::Batch::with_beta)): one number,
/// [`Margin::DEFAULT_BETA`] where none is given, or with `beta_per_class` one per class, indexed by
/// the anchor's label. Its gradient is part of the result.
///
/// Terms are pairs: all of them, or all positive ones and the negative ones of a [`Sampling`].
///
/// Source: Wu, Manmatha, Smola and Krähenbühl, "Sampling Matters in Deep Embedding Learning", ICCV
/// 2017.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Margin {
    /// The distance d. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the pairs become one number. Default `MeanNonZero`, over positives and negatives
    /// together.
    pub reduction: Reduction,
    /// How far from beta a pair must be to cost nothing; any finite number. Default 0.2.
    pub alpha: f32,
    /// Whether beta has one entry per class instead of one in all. Default false.
    pub beta_per_class: bool,
    /// Which negative pairs. Default `All`.
    pub sampling: Sampling,
    /// What the drawn negatives depend on: any number, another one for every step of a training
    /// ([`Plan::set_seed`](crate::Plan::set_seed)); without effect on `Sampling::All`. Default 0.
    pub seed: u32,
}

impl Margin {
    /// The boundary where the caller gives none.
    pub const DEFAULT_BETA: f32 = 1.2;
}

impl Default for Margin {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::MeanNonZero,
            alpha: 0.2,
            beta_per_class: false,
            sampling: Sampling::All,
            seed: 0,
        }
    }
}

impl Description for Margin {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
    }

    fn modes(&self) -> &'static [Mode] {
        // Listed and row-aligned pairs have no labels to index the betas by, and no others to draw
        // from.
        match self.beta_per_class || self.sampling != Sampling::All {
            true => &[Mode::Batch, Mode::Reference],
            false => &[Mode::Batch, Mode::Reference, Mode::PairRows, Mode::PairIndices],
        }
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "alpha", self.alpha)?;
        let weighs_unit_rows = self.distance == Distance::Euclidean && self.normalize;
        if self.sampling == Sampling::All || weighs_unit_rows {
            return Ok(());
        }
        Err(Error::Unsupported {
            of: Self::NAME,
            what: format!(
                "{:?} sampling by {:?} distances, normalize {}",
                self.sampling, self.distance, self.normalize
            ),
            reason: "its weights are those of Euclidean distances with normalize".into(),
        })
    }

    /// The pair (i, j) uses the beta of i's class.
    fn is_symmetric(&self) -> bool {
        self.sampling == Sampling::All && !self.beta_per_class
    }

    fn learned(&self) -> Vec<Learned> {
        vec![Learned {
            input: Input::Beta,
            per_class: self.beta_per_class,
            default: Self::DEFAULT_BETA,
        }]
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let constants = vec![("BETA_PER_CLASS", self.beta_per_class.into())];
        let alpha = ("alpha", self.alpha.to_bits());
        let thresholds = self.reduction.threshold_parameters();
        let parameters = |own: &[_]| own.iter().copied().chain(thresholds).collect();
        match self.sampling {
            Sampling::All => TermsKernel {
                symmetric: self.is_symmetric(),
                constants,
                parameters: parameters(&[alpha]),
                ..TermsKernel::new(shader!("terms/margin/all.wgsl"))
            },
            Sampling::DistanceWeighted => TermsKernel {
                walk: DRAWING,
                // The weight, two logarithms and an exponential, once for the sums.
                operations_per_pair: 256,
                constants,
                parameters: parameters(&[alpha, (SEED, self.seed)]),
                ..TermsKernel::new(shader!("terms/margin/distance_weighted.wgsl"))
            },
        }
    }

    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self> {
        // Normalized, as drawing needs it; the kernels are the same.
        let of = |sampling| {
            [false, true].map(|beta_per_class| Self {
                normalize: true,
                beta_per_class,
                sampling,
                ..self.clone()
            })
        };
        Sampling::ALL.map(of).concat()
    }
}
