//! From terms to one number.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How the terms of a loss become one number. No reduction divides by zero: a batch without terms
/// has loss and gradient 0.
///
/// What a term is, is said by each loss: a pair, a mined triplet, a positive pair, a sample, an
/// element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Reduction {
    /// The sum of the terms.
    Sum,
    /// The sum over the number of terms that exist, zero or not.
    #[default]
    Mean,
    /// The sum over the number of terms strictly greater than 0, whatever they round to: smooth
    /// terms (softplus, log-sum-exp, entropy) are never 0, and there it is the mean. For
    /// [`Contrastive`](crate::Contrastive) the mean of the non-zero positive terms plus the
    /// mean of the non-zero negative terms.
    MeanNonZero,
    /// The sum over twice the number of terms (Hadsell et al. 2006), usual for listed and
    /// row-aligned pairs: [`Contrastive::siamese`](crate::Contrastive::siamese).
    /// [`Contrastive`](crate::Contrastive) only.
    HadsellMean,
    /// The mean of the terms within thresholds: the sum of those over their number. The others add
    /// nothing, and have no gradient; where none is left, loss and gradient are 0. For
    /// [`Contrastive`](crate::Contrastive) and [`ProxyAnchor`](crate::ProxyAnchor) the mean of the
    /// positive terms within plus the mean of the negative terms within.
    ///
    /// [`Evaluation::nonzero_terms`](crate::Evaluation::nonzero_terms) counts the terms within, zero
    /// or not, and [`Evaluation::per_anchor`](crate::Evaluation::per_anchor) has the sum of those.
    /// Terms are compared without their weights.
    ///
    /// It is the `ThresholdReducer` of pytorch-metric-learning. Every loss over pairs takes it but
    /// [`CoSent`](crate::CoSent), whose pairs make one term together:
    /// [`Loss::takes_thresholds`](crate::Loss::takes_thresholds).
    MeanWithin(Thresholds),
}

/// Between which values terms are taken by [`Reduction::MeanWithin`]. Terms equal to a threshold are
/// not.
///
/// Two are equal if their bits are.
///
/// ```
/// use wgpu_metric_learning::{Reduction, Thresholds, Triplet};
///
/// let thresholds = Thresholds { low: Some(0.0), high: Some(0.5) };
/// let loss = Triplet { reduction: Reduction::MeanWithin(thresholds), ..Default::default() };
/// # let _ = loss;
/// ```
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Thresholds {
    /// Terms must be greater; any finite number. Default `None`: no term is too small.
    pub low: Option<f32>,
    /// Terms must be less; any finite number. Default `None`: no term is too large.
    pub high: Option<f32>,
}

impl Thresholds {
    fn bits(self) -> [Option<u32>; 2] {
        [self.low, self.high].map(|threshold| threshold.map(f32::to_bits))
    }

    pub(crate) fn check(self, of: &'static str) -> Result<()> {
        for (parameter, threshold) in [("low", self.low), ("high", self.high)] {
            if threshold.is_some_and(|threshold| !threshold.is_finite()) {
                let value = threshold.map_or_else(String::new, |threshold| threshold.to_string());
                return Err(Error::Parameter {
                    of,
                    parameter,
                    value,
                    allowed: "any finite number",
                });
            }
        }
        Ok(())
    }
}

impl PartialEq for Thresholds {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Thresholds {}

impl std::hash::Hash for Thresholds {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl Reduction {
    /// Every reduction that is nothing but a name: all but [`MeanWithin`](Self::MeanWithin).
    pub const ALL: [Self; 4] = [Self::Sum, Self::Mean, Self::MeanNonZero, Self::HadsellMean];

    const NAMES: [&'static str; Self::ALL.len()] = {
        let mut names = [""; Self::ALL.len()];
        let mut at = 0;
        while at < names.len() {
            names[at] = Self::ALL[at].name();
            at += 1;
        }
        names
    };

    /// The name that it is displayed by, and that it is parsed from in any case where it is one of
    /// [`ALL`](Self::ALL).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Mean => "Mean",
            Self::MeanNonZero => "MeanNonZero",
            Self::HadsellMean => "HadsellMean",
            Self::MeanWithin(_) => "MeanWithin",
        }
    }

    /// The thresholds that terms must be within, if there are any.
    pub(crate) const fn thresholds(self) -> Option<Thresholds> {
        if let Self::MeanWithin(thresholds) = self { Some(thresholds) } else { None }
    }

    /// The parameters of `shaders/terms/thresholds.wgsl`: those that there are not are 0. Terms are
    /// counted otherwise where there are thresholds, even if these are neither low nor high.
    #[cfg(feature = "gpu")]
    pub(crate) fn threshold_parameters(self) -> [(&'static str, u32); 3] {
        let thresholds = self.thresholds();
        let [low, high] = thresholds.unwrap_or_default().bits();
        let [has_low, has_high] = [low, high].map(|threshold| u32::from(threshold.is_some()));
        let given = has_low | has_high << 1 | u32::from(thresholds.is_some()) << 2;
        [("low", low.unwrap_or(0)), ("high", high.unwrap_or(0)), ("given", given)]
    }

    /// The number that `shaders/finish/totals.wgsl` has for it. Terms within thresholds are counted
    /// in the place of those that are not 0.
    #[cfg(feature = "gpu")]
    pub(crate) const fn number(self) -> u32 {
        match self {
            Self::Sum => 0,
            Self::Mean => 1,
            Self::MeanNonZero | Self::MeanWithin(_) => 2,
            Self::HadsellMean => 3,
        }
    }
}

impl std::fmt::Display for Reduction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Reduction {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| Error::Name {
            what: "reduction",
            name: name.into(),
            known: &Self::NAMES,
        })
    }
}
