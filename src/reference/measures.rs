//! Retrieval measures (Musgrave, Belongie and Lim 2020), by ranking every query's columns.

use std::cmp::Ordering;

use super::bounded::Bounded;
use super::comparison::{Comparison, Deviation, unsure, worst_of};
use super::problem::{Numbers, Problem};
use crate::data::batch::Batch;
use crate::definition::anchor::Anchor;
use crate::definition::columns::Columns;
use crate::definition::loss::Anchors;
use crate::definition::number::{Count, Number, ROUNDING, tree};
use crate::definition::ranking;
use crate::error::Result;
use crate::measures::{Measures, Retrieval};

/// A division in f32, within 2.5 units in the last place.
const DIVISION: f64 = 5.0 * ROUNDING;

/// The gain of a positive: a logarithm, within 2^-21 at rank 1 and 3 units in the last place
/// beyond, and a division.
const GAIN: f64 = 8.0 * ROUNDING + DIVISION;

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
    let rows = Numbers::of_rows(batch);
    let problem = Problem::new(retrieval.distance, retrieval.normalize, batch, rows);
    let scores = problem.map_anchors(|anchor| Scores::new(&anchor, retrieval));
    let counted: Vec<_> = scores.into_iter().flatten().collect();
    let queries = Count::exact(counted.len() as u64).reciprocal();
    let mean = |of: &dyn Fn(&Scores) -> Bounded| counted.iter().map(of).sum::<Bounded>() * queries;
    // Hits are counted, and their number is divided.
    let share = |of: &dyn Fn(&Scores) -> Bounded| {
        let mut hits = Bounded::ZERO;
        counted.iter().for_each(|scores| hits.gather(of(scores)));
        (hits * queries).widened(2.0 * ROUNDING)
    };
    let Retrieval { recall_at, precision_at, ndcg_at, .. } = retrieval;
    let found = Measures {
        queries: batch.shape().queries() as u64,
        counted: counted.len() as u64,
        precision_at_1: share(&|scores| scores.first_is_positive),
        recall: (0..recall_at.len()).map(|at| share(&|scores| scores.hits[at])).collect(),
        precision: (0..precision_at.len())
            .map(|at| share(&|scores| scores.precision[at]).widened(DIVISION))
            .collect(),
        ndcg: (0..ndcg_at.len()).map(|at| mean(&|scores| scores.ndcg[at])).collect(),
        r_precision: mean(&|scores| scores.r_precision),
        mean_average_precision_at_r: mean(&|scores| scores.average_precision_at_r),
        mean_reciprocal_rank: mean(&|scores| scores.reciprocal_rank),
        mean_average_precision: mean(&|scores| scores.average_precision),
    };
    let bounds = Measures { queries: 0, counted: 0, ..found.clone().map(|number| number.error) };
    Ok(MeasuresExpectation { measures: found.map(|number| number.value), bounds })
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
        let counts = [
            Deviation::new("queries", expected.queries as f64, actual.queries as f64, 0.0),
            Deviation::new("counted", expected.counted as f64, actual.counted as f64, 0.0),
        ];
        let numbers = singles(expected).into_iter().zip(singles(bounds)).zip(singles(actual)).map(
            |(((name, expected), (_, bound)), (_, actual))| {
                Deviation::new(name, expected, actual.into(), bound)
            },
        );
        let mut deviations: Vec<_> = counts.into_iter().chain(numbers).collect();
        for ((names, expected), ((_, bounds), (_, actual))) in
            lists(expected).into_iter().zip(lists(bounds).into_iter().zip(lists(actual)))
        {
            deviations.extend(worst_of(names, 1, [Some(expected), Some(bounds)], Some(actual)));
        }
        Comparison::of(deviations, self.unsure())
    }

    /// How many measures have a bound above half of themselves: [`Comparison::unsure`].
    pub fn unsure(&self) -> usize {
        let [measures, bounds] = [&self.measures, &self.bounds].map(all);
        unsure(measures.iter().zip(&bounds))
    }

    /// Whether the comparison would notice that every measure is off by this part of itself; `None`
    /// where all are 0.
    pub fn notices(&self, actual: &Measures<f32>, part: f32) -> Option<bool> {
        if all(actual).into_iter().all(|number| number == 0.0) {
            return None;
        }
        let off = actual.clone().map(|number| number * (1.0 + part));
        Some(!self.compare(&off).agrees())
    }
}

/// The measures that are one number each, with their names.
fn singles<T: Copy>(of: &Measures<T>) -> [(&'static str, T); 5] {
    [
        ("precision_at_1", of.precision_at_1),
        ("r_precision", of.r_precision),
        ("mean_average_precision_at_r", of.mean_average_precision_at_r),
        ("mean_reciprocal_rank", of.mean_reciprocal_rank),
        ("mean_average_precision", of.mean_average_precision),
    ]
}

/// Those that have a number for every k, with their names and those of their lengths.
fn lists<T>(of: &Measures<T>) -> [([&'static str; 2], &Vec<T>); 3] {
    [
        (["recall", "length of recall"], &of.recall),
        (["precision", "length of precision"], &of.precision),
        (["ndcg", "length of ndcg"], &of.ndcg),
    ]
}

fn all<T: Copy>(of: &Measures<T>) -> Vec<T> {
    let listed = lists(of).into_iter().flat_map(|(_, numbers)| numbers);
    singles(of).map(|(_, number)| number).into_iter().chain(listed.copied()).collect()
}

/// What one query adds to the measures.
struct Scores {
    first_is_positive: Bounded,
    /// The hit of every k of Recall@k: 1 where a positive is among the k nearest.
    hits: Vec<Bounded>,
    reciprocal_rank: Bounded,
    r_precision: Bounded,
    average_precision_at_r: Bounded,
    average_precision: Bounded,
    /// Precision@k for every k that was asked for.
    precision: Vec<Bounded>,
    /// NDCG@k for every k that was asked for.
    ndcg: Vec<Bounded>,
}

impl Scores {
    /// `None` for a query without a positive.
    ///
    /// Every measure falls with the number of negatives before the q-th nearest positive. Where
    /// rounding may decide, that number lies between the q-th smallest of what surely stands
    /// before each positive and of what may stand there.
    fn new(query: &Anchor<Bounded>, retrieval: &Retrieval) -> Option<Self> {
        if query.positives.is_empty() {
            return None;
        }
        let distance = |column: usize| query.distance(column);
        let exact = ranks(query, |j| Key(distance(j).value, j), |j| Key(distance(j).value, j));
        let best = ranks(query, |j| Key::earliest(distance(j), j), |j| Key::latest(distance(j), j));
        let worst =
            ranks(query, |j| Key::latest(distance(j), j), |j| Key::earliest(distance(j), j));
        let number = |of: &dyn Fn(&[usize]) -> f64| {
            let value = of(&exact);
            Bounded::new(value, (of(&best) - value).max(value - of(&worst)))
        };
        let recall = |k: usize| number(&|ranks| f64::from(u8::from(ranks[0] <= k)));
        let positives = query.positives.len();
        let of_sum = tree(positives) + DIVISION;
        let precision = |k: usize| number(&|ranks| ranking::precision(ranks, k));
        let average_precision = |k: usize| {
            number(&|ranks| ranking::average_precision(ranks, k)).widened(of_sum + DIVISION)
        };
        let ndcg = |k: usize| {
            number(&|ranks| ranking::ndcg(ranks, k)).widened(2.0 * GAIN + of_sum + ROUNDING)
        };
        let Retrieval { recall_at, precision_at, ndcg_at, .. } = retrieval;
        Some(Self {
            first_is_positive: recall(1),
            hits: recall_at.iter().map(|&k| recall(k)).collect(),
            reciprocal_rank: number(&|ranks| (ranks[0] as f64).recip()).widened(DIVISION),
            r_precision: precision(positives).widened(2.0 * DIVISION),
            average_precision_at_r: average_precision(positives),
            average_precision: average_precision(usize::MAX),
            precision: precision_at.iter().map(|&k| precision(k)).collect(),
            ndcg: ndcg_at.iter().map(|&k| ndcg(k)).collect(),
        })
    }
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
    let sorted = |columns: &Columns, of: &dyn Fn(usize) -> Key| {
        let mut keys: Vec<_> = columns.iter().map(of).collect();
        keys.sort_by(|a, b| a.partial_cmp(b).unwrap_or(Ordering::Equal));
        keys
    };
    let negatives = sorted(&query.negatives, &of_negative);
    let positives = sorted(&query.positives, &of_positive);
    let before = |key: Key| negatives.partition_point(|negative| *negative < key);
    positives.into_iter().enumerate().map(|(before_it, key)| before_it + before(key) + 1).collect()
}
