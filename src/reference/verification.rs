//! Verification, by sorting all pairs.

use super::comparison::{Comparison, Deviation, unsure};
use super::problem::{Numbers, Problem};
use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::definition::columns::Columns;
use crate::definition::loss::Anchors;
use crate::definition::number::ROUNDING;
use crate::definition::verification::Curve;
use crate::error::{Error, Result};
use crate::measures::{Verification, Verified, most_of};

/// Verifies by the definition, with distances in f64.
///
/// # Errors
///
/// Those of [`Verification::check`], and [`Error::Missing`] where no pair is the same or none is
/// different.
pub fn verify(verification: &Verification, batch: &Batch) -> Result<Verified> {
    verify_with_bounds(verification, batch).map(|expectation| expectation.verified)
}

/// Verifies by the definition, with distances in f64, and says how far correct f32 kernels may be
/// from every number of it. It holds all pairs, 40 bytes each.
///
/// # Errors
///
/// Those of [`verify`].
pub fn verify_with_bounds(
    verification: &Verification,
    batch: &Batch,
) -> Result<VerificationExpectation> {
    verification.check(batch.shape())?;
    let Verification { distance, normalize, .. } = *verification;
    let problem = Problem::new(distance, normalize, batch, Numbers::of_rows(batch));
    let is_batch = batch.shape().mode() == Mode::Batch;
    let pairs: Vec<Vec<Pair>> = problem.map_anchors(|anchor| {
        let first = if is_batch { anchor.index + 1 } else { 0 };
        let pair = |column: usize, is_same| {
            let distance = anchor.distance(column);
            let (value, error) = (distance.value, distance.error);
            Pair { value, low: value - error, high: value + error, is_same }
        };
        let of = |columns: &Columns, is_same| {
            let columns = columns.iter().filter(|&column| column >= first);
            columns.map(|column| pair(column, is_same)).collect::<Vec<_>>()
        };
        [of(&anchor.positives, true), of(&anchor.negatives, false)].concat()
    });
    let pairs = pairs.concat();
    if pairs.iter().any(|pair| pair.value.abs() > f32::MAX.into()) {
        return Err(Error::Overflow { what: "the distance of a pair" });
    }
    let curve = |key: &(dyn Fn(&Pair) -> f64 + Sync)| measures(verification, &pairs, key);
    let verified = curve(&|pair| pair.value)?;
    let best = curve(&|pair| if pair.is_same { pair.low } else { pair.high })?;
    let worst = curve(&|pair| if pair.is_same { pair.high } else { pair.low })?;
    let [low, high] = [curve(&|pair| pair.low)?, curve(&|pair| pair.high)?];
    let ends = [&low, &high].map(|one| one.eer_threshold.into());
    let total = pairs.len() as f64;
    let margin = (worst.accuracy * total).round() - verified.different_pairs as f64;
    let thresholds = Thresholds::new(&pairs);
    Ok(VerificationExpectation {
        eer_threshold: Range::new(Some(verified.eer_threshold), ends, false),
        accuracy_threshold: thresholds.of_accuracy(margin, verified.accuracy_threshold),
        tpr_threshold: (verification.shares().zip(&verified.tpr_threshold))
            .map(|(share, &threshold)| thresholds.of_rate(share, threshold))
            .collect(),
        verified,
        best,
        worst,
    })
}

/// A pair, and between which distances f32 may see it.
#[derive(Clone, Copy)]
struct Pair {
    value: f64,
    low: f64,
    high: f64,
    is_same: bool,
}

/// The measures of pairs that have these distances.
fn measures(
    verification: &Verification,
    pairs: &[Pair],
    key: &(dyn Fn(&Pair) -> f64 + Sync),
) -> Result<Verified> {
    let mut keys: Vec<_> = pairs.iter().map(|pair| (key(pair), pair.is_same)).collect();
    keys.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let same = keys.iter().filter(|(_, is_same)| *is_same).count();
    let counts = |same: usize, all: usize| [same, all - same].map(|count| count as u64);
    let mut curve = Curve::new(verification, counts(same, keys.len()))?;
    for at_one in keys.chunk_by(|a, b| a.0 == b.0) {
        let same = at_one.iter().filter(|(_, is_same)| *is_same).count();
        curve.accept(at_one[0].0 as f32, counts(same, at_one.len()));
    }
    Ok(curve.measures())
}

/// Where thresholds may be.
struct Thresholds<'a> {
    pairs: &'a [Pair],
    /// What the pairs that are the same are at least, ascending, and what the different ones are at
    /// least and at most.
    same: Vec<f64>,
    different: [Vec<f64>; 2],
}

impl<'a> Thresholds<'a> {
    fn new(pairs: &'a [Pair]) -> Self {
        let sorted = |is_same: bool, of: fn(&Pair) -> f64| {
            let own = pairs.iter().filter(|pair| pair.is_same == is_same);
            let mut all: Vec<_> = own.map(of).collect();
            all.sort_unstable_by(f64::total_cmp);
            all
        };
        let different = [sorted(false, |pair| pair.low), sorted(false, |pair| pair.high)];
        Self { pairs, same: sorted(true, |pair| pair.low), different }
    }

    /// Of the accuracy: every pair that is the same and at which, at best, so many more of the same
    /// than of the different are accepted.
    fn of_accuracy(&self, margin: f64, value: Option<f32>) -> Range {
        let up_to = |all: &[f64], most: f64| all.partition_point(|&one| one <= most) as f64;
        let may_be = |pair: &&Pair| {
            let at_best = up_to(&self.same, pair.high) - up_to(&self.different[1], pair.low);
            pair.is_same && at_best >= margin.max(1.0)
        };
        let all = self.pairs.iter().filter(may_be);
        let ends = all.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], pair| {
            [low.min(pair.low), high.max(pair.high)]
        });
        Range::new(value, ends, margin < 1.0)
    }

    /// Of an FPR: the last pair before the first different one that is too many.
    fn of_rate(&self, share: u64, value: Option<f32>) -> Range {
        let most = most_of(share, self.different[0].len() as u64) as usize;
        let [first, last] =
            [0, 1].map(|end| self.different[end].get(most).copied().unwrap_or(f64::INFINITY));
        let surely = self.pairs.iter().filter(|pair| pair.high < first);
        let low = surely.fold(f64::NEG_INFINITY, |low, pair| low.max(pair.low));
        let maybe = self.pairs.iter().filter(|pair| pair.low < last);
        let ends = maybe.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], pair| {
            [low.min(pair.low), high.max(pair.high.min(last))]
        });
        let may_be_none = low == f64::NEG_INFINITY;
        Range::new(value, [ends[0].max(low), ends[1]], may_be_none)
    }
}

/// Between which distances a threshold may be: none where the ends are the wrong way round.
#[derive(Clone, Debug, PartialEq)]
struct Range {
    value: Option<f64>,
    ends: [f64; 2],
    may_be_none: bool,
}

impl Range {
    /// The ends are widened by the rounding to f32.
    fn new(value: Option<f32>, [low, high]: [f64; 2], may_be_none: bool) -> Self {
        let rounding = |end: f64| end.abs() * ROUNDING;
        let ends = [low - rounding(low), high + rounding(high)];
        Self { value: value.map(f64::from), ends, may_be_none }
    }

    /// `None` where there is rightly no threshold.
    fn compare(&self, names: [&'static str; 2], actual: Option<f32>) -> Option<Deviation> {
        let [low, high] = self.ends;
        let there_is = |is: bool| is.then_some(1);
        match actual {
            None if self.may_be_none => None,
            None => Some(Deviation::of_length(names[1], [there_is(true), None])),
            Some(_) if low > high => Some(Deviation::of_length(names[1], [None, there_is(true)])),
            Some(actual) => {
                let value = self.value.unwrap_or(low.midpoint(high));
                let bound = (high - value).max(value - low);
                Some(Deviation::new(names[0], value, actual.into(), bound))
            }
        }
    }
}

/// What verification finds by its definition, and how far from each number of it correct f32
/// kernels may be.
#[derive(Clone, Debug, PartialEq)]
pub struct VerificationExpectation {
    /// With distances in f64.
    pub verified: Verified,
    /// Where the rounding of distances decides for the same pairs wherever it may, and against them.
    best: Verified,
    worst: Verified,
    eer_threshold: Range,
    accuracy_threshold: Range,
    tpr_threshold: Vec<Range>,
}

/// The rounding of an f64 that some operations led to.
const OF_F64: f64 = 1e-12;

impl VerificationExpectation {
    /// Compares every number of a result with the expected one.
    pub fn compare(&self, actual: &Verified) -> Comparison {
        let Self { verified: expected, .. } = self;
        let counts = [
            ("same_pairs", expected.same_pairs, actual.same_pairs),
            ("different_pairs", expected.different_pairs, actual.different_pairs),
        ];
        let counts = counts.map(|(name, expected, actual)| {
            Deviation::new(name, expected as f64, actual as f64, 0.0)
        });
        let numbers = self.numbers().into_iter().zip(numbers(actual));
        let numbers = numbers.map(|((name, [value, bound]), (_, actual))| {
            Deviation::new(name, value, actual, bound)
        });
        let threshold = |range: &Range, names, actual| range.compare(names, actual);
        let thresholds = [
            threshold(
                &self.eer_threshold,
                ["eer_threshold", "length of eer_threshold"],
                Some(actual.eer_threshold),
            ),
            threshold(
                &self.accuracy_threshold,
                ["accuracy_threshold", "length of accuracy_threshold"],
                actual.accuracy_threshold,
            ),
        ];
        let names = ["tpr_threshold", "length of tpr_threshold"];
        let of_rates = self.tpr_threshold.iter().zip(&actual.tpr_threshold).enumerate();
        let of_rates = of_rates.filter_map(|(row, (range, &actual))| {
            Some(Deviation { row, ..range.compare(names, actual)? })
        });
        let lengths = [
            (names[1], self.tpr_threshold.len(), actual.tpr_threshold.len()),
            ("length of tpr", expected.tpr.len(), actual.tpr.len()),
        ];
        let lengths = lengths.into_iter().filter(|(_, expected, actual)| expected != actual);
        let lengths = lengths.map(|(name, expected, actual)| {
            Deviation::of_length(name, [Some(expected), Some(actual)])
        });
        let all = counts.into_iter().chain(numbers).chain(thresholds.into_iter().flatten());
        Comparison::of(all.chain(of_rates).chain(lengths).collect(), self.unsure())
    }

    /// How many measures have a bound above half of themselves: [`Comparison::unsure`].
    pub fn unsure(&self) -> usize {
        let all = self.numbers();
        unsure(all.iter().map(|(_, [value, bound])| (value, bound)))
    }

    /// The measures that are no thresholds, and their bounds.
    fn numbers(&self) -> Vec<(&'static str, [f64; 2])> {
        let [verified, best, worst] = [&self.verified, &self.best, &self.worst].map(numbers);
        let bounds = verified.into_iter().zip(best.into_iter().zip(worst));
        let bounds = bounds.map(|((name, value), ((_, best), (_, worst)))| {
            let bound = (best - value).abs().max((worst - value).abs());
            (name, [value, bound + OF_F64])
        });
        bounds.collect()
    }
}

fn numbers(of: &Verified) -> Vec<(&'static str, f64)> {
    let singles = [("auc", of.auc), ("eer", of.eer), ("accuracy", of.accuracy)];
    singles.into_iter().chain(of.tpr.iter().map(|&tpr| ("tpr", tpr))).collect()
}
