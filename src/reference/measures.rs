//! Retrieval measures (Musgrave, Belongie and Lim 2020), by ranking every query's columns.

use std::cmp::Ordering;

use super::bounded::Bounded;
use super::comparison::{Comparison, Deviation, unsure, worst_of};
use super::problem::{Numbers, Problem};
use crate::data::batch::Batch;
use crate::definition::anchor::Anchor;
use crate::definition::loss::Anchors;
use crate::definition::number::{Count, Number, ROUNDING, tree};
use crate::error::Result;
use crate::measures::{Measures, Retrieval};

/// Two divisions in f32, within 2.5 units in the last place each.
const DIVISIONS: f64 = 10.0 * ROUNDING;

/// Measures retrieval by its definition, in f64.
///
/// # Errors
///
/// Those of [`Retrieval::check`].
pub fn measure(retrieval: &Retrieval, batch: &Batch) -> Result<Measures<f64>> {
    measure_with_bounds(retrieval, batch).map(|expectation| expectation.measures)
}

/// Measures retrieval by its definition, in f64, and how far correct f32 kernels may be from every
/// number of it.
///
/// # Errors
///
/// Those of [`Retrieval::check`].
pub fn measure_with_bounds(retrieval: &Retrieval, batch: &Batch) -> Result<MeasuresExpectation> {
    retrieval.check(batch.shape())?;
    let problem = Problem::new(retrieval.distance, retrieval.normalize, batch, Numbers::of(batch));
    let scores = problem.map_anchors(|anchor| Scores::new(&anchor, &retrieval.recall_at));
    let counted: Vec<_> = scores.into_iter().flatten().collect();
    let mean = |of: &dyn Fn(&Scores) -> Bounded| {
        counted.iter().map(of).sum::<Bounded>() * Count::exact(counted.len() as u64).reciprocal()
    };
    // Hits are counted, and their number is divided once.
    let share = |of: &dyn Fn(&Scores) -> Bounded| {
        let mut hits = Bounded::ZERO;
        counted.iter().for_each(|scores| hits.gather(of(scores)));
        (hits * Count::exact(counted.len() as u64).reciprocal()).widened(2.0 * ROUNDING)
    };
    let precision_at_1 = share(&|scores| scores.first_is_positive);
    let recall = (0..retrieval.recall_at.len()).map(|at| share(&|scores| scores.hits[at]));
    let (recall, recall_bounds) = recall.map(|number| (number.value, number.error)).unzip();
    let r_precision = mean(&|scores| scores.r_precision);
    let average_precision = mean(&|scores| scores.average_precision);
    Ok(MeasuresExpectation {
        measures: Measures {
            queries: batch.shape().queries() as u64,
            counted: counted.len() as u64,
            precision_at_1: precision_at_1.value,
            recall,
            r_precision: r_precision.value,
            mean_average_precision_at_r: average_precision.value,
        },
        bounds: Measures {
            queries: 0,
            counted: 0,
            precision_at_1: precision_at_1.error,
            recall: recall_bounds,
            r_precision: r_precision.error,
            mean_average_precision_at_r: average_precision.error,
        },
    })
}

/// The measures by their definition, and how far from each of them correct f32 kernels may be.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasuresExpectation {
    /// The measures in f64.
    pub measures: Measures<f64>,
    /// The allowed absolute deviation of every number: the rounding of the means, and where the
    /// rounding of distances may decide whether a positive or a negative is nearer, the other
    /// decision.
    pub bounds: Measures<f64>,
}

impl MeasuresExpectation {
    /// Compares every number of an f32 result with the expected one.
    pub fn compare(&self, actual: &Measures<f32>) -> Comparison {
        let Self { measures: expected, bounds } = self;
        let number = |quantity, of: fn(&Measures<f64>) -> f64, actual: f32| {
            Deviation::new(quantity, of(expected), actual.into(), of(bounds))
        };
        let mut deviations = vec![
            Deviation::new("queries", expected.queries as f64, actual.queries as f64, 0.0),
            Deviation::new("counted", expected.counted as f64, actual.counted as f64, 0.0),
            number("precision_at_1", |of| of.precision_at_1, actual.precision_at_1),
            number("r_precision", |of| of.r_precision, actual.r_precision),
            number(
                "mean_average_precision_at_r",
                |of| of.mean_average_precision_at_r,
                actual.mean_average_precision_at_r,
            ),
        ];
        let names = ["recall", "length of recall"];
        deviations.extend(worst_of(
            names,
            1,
            [Some(&expected.recall), Some(&bounds.recall)],
            Some(&actual.recall),
        ));
        Comparison::of(deviations, self.unsure())
    }

    /// How many measures have a bound above half of themselves: [`Comparison::unsure`].
    pub fn unsure(&self) -> usize {
        let singles = |of: &Measures<f64>| {
            [of.precision_at_1, of.r_precision, of.mean_average_precision_at_r]
        };
        let Self { measures, bounds } = self;
        unsure(singles(measures).iter().zip(&singles(bounds)))
            + unsure(measures.recall.iter().zip(&bounds.recall))
    }

    /// Whether the comparison would notice that every measure is off by this part of itself; `None`
    /// where all are 0.
    pub fn notices(&self, actual: &Measures<f32>, part: f32) -> Option<bool> {
        let scaled = |number: f32| number * (1.0 + part);
        let Measures { precision_at_1, recall, r_precision, mean_average_precision_at_r, .. } =
            actual;
        let singles = [precision_at_1, r_precision, mean_average_precision_at_r];
        if singles.into_iter().chain(recall).all(|&number| number == 0.0) {
            return None;
        }
        let off = Measures {
            precision_at_1: scaled(*precision_at_1),
            recall: recall.iter().copied().map(scaled).collect(),
            r_precision: scaled(*r_precision),
            mean_average_precision_at_r: scaled(*mean_average_precision_at_r),
            ..*actual
        };
        Some(!self.compare(&off).agrees())
    }
}

/// What one query adds to the measures.
struct Scores {
    first_is_positive: Bounded,
    /// The hit of every k of Recall@k: 1 where a positive is among the k nearest.
    hits: Vec<Bounded>,
    r_precision: Bounded,
    average_precision: Bounded,
}

impl Scores {
    /// `None` for a query without a positive.
    ///
    /// Every measure falls with the number of negatives before the q-th nearest positive. Where
    /// rounding may decide, that number lies between the q-th smallest of what surely stands
    /// before each positive and of what may stand there.
    fn new(query: &Anchor<Bounded>, recall_at: &[usize]) -> Option<Self> {
        if query.positives.is_empty() {
            return None;
        }
        let distance = |column: usize| query.distances[column];
        let exact = ranks(query, |j| Key(distance(j).value, j), |j| Key(distance(j).value, j));
        let best = ranks(query, |j| Key::earliest(distance(j), j), |j| Key::latest(distance(j), j));
        let worst =
            ranks(query, |j| Key::latest(distance(j), j), |j| Key::earliest(distance(j), j));
        let number = |of: &dyn Fn(&[usize]) -> f64| {
            let value = of(&exact);
            Bounded::new(value, (of(&best) - value).max(value - of(&worst)))
        };
        let recall = |k: usize| number(&|ranks| f64::from(u8::from(ranks[0] <= k)));
        Some(Self {
            first_is_positive: recall(1),
            hits: recall_at.iter().map(|&k| recall(k)).collect(),
            r_precision: number(&r_precision).widened(DIVISIONS),
            average_precision: number(&average_precision)
                .widened(DIVISIONS + tree(query.positives.len())),
        })
    }
}

/// The part of the R nearest that is positive, from the ranks of the R positives.
fn r_precision(ranks: &[usize]) -> f64 {
    let within = ranks.iter().filter(|&&rank| rank <= ranks.len()).count();
    within as f64 / ranks.len() as f64
}

/// The mean over the R positives of the precision at their ranks, 0 beyond R.
fn average_precision(ranks: &[usize]) -> f64 {
    let within = ranks.iter().enumerate().filter(|&(_, &rank)| rank <= ranks.len());
    within.map(|(before, &rank)| (before + 1) as f64 / rank as f64).sum::<f64>()
        / ranks.len() as f64
}

/// What columns are ranked by: the distance, then the column.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Key(f64, usize);

impl Key {
    /// The first place that rounding may give the column.
    fn earliest(distance: Bounded, column: usize) -> Self {
        if distance.error == 0.0 {
            Self(distance.value, column)
        } else {
            Self(distance.value - distance.error, 0)
        }
    }

    /// The last one.
    fn latest(distance: Bounded, column: usize) -> Self {
        let last = if distance.error == 0.0 { column } else { usize::MAX };
        Self(distance.value + distance.error, last)
    }
}

/// The ranks of the query's positives, ascending.
fn ranks(
    query: &Anchor<Bounded>,
    of_positive: impl Fn(usize) -> Key,
    of_negative: impl Fn(usize) -> Key,
) -> Vec<usize> {
    let sorted = |columns: &[usize], of: &dyn Fn(usize) -> Key| {
        let mut keys: Vec<_> = columns.iter().map(|&column| of(column)).collect();
        keys.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        keys
    };
    let negatives = sorted(&query.negatives, &of_negative);
    let positives = sorted(&query.positives, &of_positive);
    let before = |key: Key| negatives.partition_point(|negative| *negative < key);
    positives.into_iter().enumerate().map(|(before_it, key)| before_it + before(key) + 1).collect()
}
