//! Retrieval measures of every query, and what follows from them.

use std::collections::BTreeMap;

use super::{Measures, Retrieval};
use crate::data::random::uniform_number;
use crate::error::{Error, Result};
use crate::parallel::prelude::*;

/// What one query adds to the measures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct QueryScores {
    /// The rank of the nearest positive.
    pub first: usize,
    pub r_precision: f64,
    pub average_precision_at_r: f64,
    pub average_precision: f64,
    pub precision: Vec<f64>,
    pub ndcg: Vec<f64>,
}

/// Retrieval measures query by query: those of all queries, of each class, and how sure they are.
///
/// ```
/// use wgpu_metric_learning::measures::Retrieval;
/// use wgpu_metric_learning::{Batch, Cpu};
///
/// let batch = Batch::new(&[0.0, 0.1, 1.0, 5.0], [4, 1], &[7, 7, 8, 8])?;
/// let retrieval = Retrieval::default();
/// let queries = Cpu::default().measure_queries(&retrieval, &batch).wait()?;
/// // The row at 1 is nearer to those of class 7.
/// let classes = queries.classes();
/// assert_eq!([classes[&7].precision_at_1, classes[&8].precision_at_1], [1.0, 0.5]);
/// let [low, high] = queries.confidence(0.95, 1000, 0)?;
/// assert!(low.precision_at_1 < 0.75 && high.precision_at_1 == 1.0);
/// # Ok::<(), wgpu_metric_learning::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct QueryMeasures {
    retrieval: Retrieval,
    labels: Vec<u32>,
    /// `None` for a query without a positive.
    queries: Vec<Option<QueryScores>>,
}

impl QueryMeasures {
    pub(crate) fn new(
        retrieval: &Retrieval,
        labels: &[u32],
        queries: Vec<Option<QueryScores>>,
    ) -> Self {
        Self { retrieval: retrieval.clone(), labels: labels.to_vec(), queries }
    }

    /// What each query adds; `None` for one without a positive.
    pub(crate) fn queries(&self) -> &[Option<QueryScores>] {
        &self.queries
    }

    /// The measures of all queries.
    pub fn measures(&self) -> Measures {
        self.of(0..self.queries.len())
    }

    /// The measures of the queries of each label, in the order of the labels.
    pub fn classes(&self) -> BTreeMap<u32, Measures> {
        let mut rows = BTreeMap::<u32, Vec<usize>>::new();
        for (row, &label) in self.labels.iter().enumerate() {
            rows.entry(label).or_default().push(row);
        }
        rows.into_iter().map(|(label, rows)| (label, self.of(rows.into_iter()))).collect()
    }

    /// Between which two values each measure is in this share of so many draws of as many queries
    /// out of all of them, each of which may be drawn again: the percentile bootstrap of Efron,
    /// "Bootstrap Methods", Annals of Statistics 1979. The same seed draws the same; what is
    /// retrieved stays as it is.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for no draw, and for a share that is not above 0 and below 1.
    pub fn confidence(&self, share: f64, draws: u32, seed: u32) -> Result<[Measures; 2]> {
        let refused = |parameter, value: String, allowed| {
            Err(Error::Parameter { of: "QueryMeasures", parameter, value, allowed })
        };
        if draws == 0 {
            return refused("draws", "0".into(), "1 or more");
        }
        if !(share > 0.0 && share < 1.0) {
            return refused("share", share.to_string(), "above 0 and below 1");
        }
        let count = self.queries.len();
        let draw = |draw: u32| {
            let row = |at: usize| (uniform_number([seed, draw, at as u32]) * count as f64) as usize;
            self.of((0..count).map(row))
        };
        let drawn: Vec<_> = (0..draws).into_par_iter().map(draw).collect();
        let tail = (1.0 - share) / 2.0;
        Ok([tail, 1.0 - tail].map(|part| self.quantile(&drawn, part)))
    }

    /// Of each measure the value below which this part of the draws is: the nearest one that was
    /// drawn.
    fn quantile(&self, drawn: &[Measures], part: f64) -> Measures {
        let at = ((drawn.len() - 1) as f64 * part).round() as usize;
        let one = |of: &dyn Fn(&Measures) -> f32| {
            let mut values: Vec<_> = drawn.iter().map(of).collect();
            values.sort_unstable_by(f32::total_cmp);
            values[at]
        };
        let each = |of: &dyn Fn(&Measures) -> &Vec<f32>| {
            (0..of(&drawn[0]).len()).map(|at| one(&|measures| of(measures)[at])).collect()
        };
        Measures {
            queries: self.queries.len() as u64,
            counted: self.queries.iter().flatten().count() as u64,
            precision_at_1: one(&|measures| measures.precision_at_1),
            recall: each(&|measures| &measures.recall),
            precision: each(&|measures| &measures.precision),
            ndcg: each(&|measures| &measures.ndcg),
            r_precision: one(&|measures| measures.r_precision),
            mean_average_precision_at_r: one(&|measures| measures.mean_average_precision_at_r),
            mean_reciprocal_rank: one(&|measures| measures.mean_reciprocal_rank),
            mean_average_precision: one(&|measures| measures.mean_average_precision),
        }
    }

    /// The measures of these queries, each as often as it is there.
    fn of(&self, rows: impl Iterator<Item = usize>) -> Measures {
        let mut queries = 0;
        let counted: Vec<_> =
            rows.inspect(|_| queries += 1).filter_map(|row| self.queries[row].as_ref()).collect();
        let mean = |of: &dyn Fn(&QueryScores) -> f64| match counted.len() {
            0 => 0.0,
            count => (counted.iter().map(|scores| of(scores)).sum::<f64>() / count as f64) as f32,
        };
        let each = |of: &dyn Fn(&QueryScores) -> &Vec<f64>, count: usize| {
            (0..count).map(|at| mean(&|scores| of(scores)[at])).collect()
        };
        let recall = |k: usize| mean(&|scores| f64::from(u8::from(scores.first <= k)));
        let Retrieval { recall_at, precision_at, ndcg_at, .. } = &self.retrieval;
        Measures {
            counted: counted.len() as u64,
            precision_at_1: recall(1),
            recall: recall_at.iter().map(|&k| recall(k)).collect(),
            precision: each(&|scores| &scores.precision, precision_at.len()),
            ndcg: each(&|scores| &scores.ndcg, ndcg_at.len()),
            r_precision: mean(&|scores| scores.r_precision),
            mean_average_precision_at_r: mean(&|scores| scores.average_precision_at_r),
            mean_reciprocal_rank: mean(&|scores| (scores.first as f64).recip()),
            mean_average_precision: mean(&|scores| scores.average_precision),
            queries,
        }
    }
}
