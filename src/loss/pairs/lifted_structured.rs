//! The lifted structured loss.

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::loss::parameters::check_finite;
use crate::loss::{Description, Distance, Mode, Reduction, Thresholded};
use crate::names::named;
#[cfg(feature = "gpu")]
use crate::wgsl::include::shader;
#[cfg(feature = "gpu")]
use crate::wgsl::terms::{Statistics, TermsKernel, Walk};

/// How the negatives of a positive pair are summed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Form {
    /// Log-sum-exp over all negatives, as the paper trains.
    #[default]
    Smooth,
    /// The nearest negative, as the paper defines. Its subgradient goes to one negative: side i
    /// before side j, then the lowest index.
    Exact,
}

named! {
    /// Every form.
    Form, "form":
    Smooth,
    Exact,
}

/// The lifted structured loss.
///
/// Over the unordered positive pairs (i, j), i < j, with N(i) the negatives of i:
///
/// - `Smooth`: J(i, j) = log( sum over k in N(i) of exp(`margin` - d(i, k)) + sum over l in N(j) of
///   exp(`margin` - d(j, l)) ) + d(i, j)
/// - `Exact`: J(i, j) = max( max over k in N(i) of (`margin` - d(i, k)), max over l in N(j) of
///   (`margin` - d(j, l)) ) + d(i, j)
///
/// The term of a pair is max(0, J)^2 / 2, so that `Mean` is the paper's 1/(2P) sum over P pairs. A
/// pair neither of whose ends has a negative contributes 0 but counts. Batch mode only; there are
/// no per-anchor losses.
///
/// Source: Oh Song, Xiang, Jegelka and Savarese, "Deep Metric Learning via Lifted Structured
/// Feature Embedding", CVPR 2016.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LiftedStructured {
    /// The distance d. Default `Euclidean`.
    pub distance: Distance,
    /// Whether every row is divided by its norm first. Default false.
    pub normalize: bool,
    /// How the pairs become one number. Default `Mean`.
    pub reduction: Reduction,
    /// `Smooth` (default) or `Exact`.
    pub form: Form,
    /// How far the negatives should be; any finite number. Default 1.
    pub margin: f32,
}

impl Default for LiftedStructured {
    fn default() -> Self {
        Self {
            distance: Distance::Euclidean,
            normalize: false,
            reduction: Reduction::Mean,
            form: Form::Smooth,
            margin: 1.0,
        }
    }
}

impl Description for LiftedStructured {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        (Some(self.distance), self.normalize, self.reduction)
    }

    fn thresholded(&self) -> Thresholded {
        Thresholded::Terms
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Batch]
    }

    fn check(&self) -> Result<()> {
        check_finite(Self::NAME, "margin", self.margin)
    }

    fn per_anchor(&self) -> bool {
        false
    }

    /// A pair needs what the negatives of its other end sum up to.
    fn needs_all_rows(&self) -> bool {
        true
    }

    #[cfg(feature = "gpu")]
    fn terms_kernel(&self) -> TermsKernel {
        let mut parameters = vec![("margin", self.margin.to_bits())];
        parameters.extend(self.reduction.threshold_parameters());
        TermsKernel {
            // A pair needs what the negatives of its other end sum up to.
            statistics: Statistics::Rows,
            constants: vec![("EXACT", (self.form == Form::Exact).into())],
            parameters,
            walk: Walk::reading(2),
            ..TermsKernel::new(shader!("terms/lifted_structured.wgsl"))
        }
    }

    #[cfg(feature = "gpu")]
    fn variants(self) -> Vec<Self> {
        Form::ALL.map(|form| Self { form, ..self.clone() }).to_vec()
    }
}
