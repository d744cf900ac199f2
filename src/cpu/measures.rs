//! Retrieval measures: the ranks of every query's positives, from one look at each column.

use rayon::prelude::*;

use super::matrix::Matrix;
use super::step::Steps;
use crate::definition::anchor::Anchor;
use crate::definition::ranking;
use crate::error::Result;
use crate::measures::{Measures, Retrieval};

/// What one query adds to the measures: no more for large classes than for small ones.
struct Scores {
    /// The rank of the nearest positive.
    first: usize,
    r_precision: f64,
    average_precision_at_r: f64,
    average_precision: f64,
    precision: Vec<f64>,
    ndcg: Vec<f64>,
}

/// Measures retrieval by the rows of a matrix.
pub(super) fn measure(
    retrieval: &Retrieval,
    matrix: &Matrix,
    steps: &mut Steps<'_>,
) -> Result<Measures> {
    let mut counted = Vec::new();
    matrix.for_stripes(|rows, distances| {
        steps.step(rows.start as u64)?;
        let rows = rows.into_par_iter().zip(distances.par_chunks(matrix.stride()));
        let scores =
            rows.map(|(row, distances)| Scores::of(retrieval, &matrix.anchor(row, distances)));
        counted.extend(scores.collect::<Vec<_>>().into_iter().flatten());
        Ok(())
    })?;
    let mean = |of: &dyn Fn(&Scores) -> f64| match counted.len() {
        0 => 0.0,
        count => (counted.iter().map(of).sum::<f64>() / count as f64) as f32,
    };
    let each = |of: &dyn Fn(&Scores) -> &Vec<f64>, count: usize| {
        (0..count).map(|at| mean(&|scores| of(scores)[at])).collect()
    };
    let recall = |k: usize| mean(&|scores| f64::from(u8::from(scores.first <= k)));
    Ok(Measures {
        queries: matrix.shape.queries() as u64,
        counted: counted.len() as u64,
        precision_at_1: recall(1),
        recall: retrieval.recall_at.iter().map(|&k| recall(k)).collect(),
        precision: each(&|scores| &scores.precision, retrieval.precision_at.len()),
        ndcg: each(&|scores| &scores.ndcg, retrieval.ndcg_at.len()),
        r_precision: mean(&|scores| scores.r_precision),
        mean_average_precision_at_r: mean(&|scores| scores.average_precision_at_r),
        mean_reciprocal_rank: mean(&|scores| (scores.first as f64).recip()),
        mean_average_precision: mean(&|scores| scores.average_precision),
    })
}

impl Scores {
    /// `None` for a query without a positive.
    fn of(retrieval: &Retrieval, query: &Anchor<f64>) -> Option<Self> {
        if query.positives.is_empty() {
            return None;
        }
        // Columns are ranked by their distance, and by their index where that is the same.
        let key = |column: usize| (query.distances[column], query.name_of(column));
        let mut positives: Vec<_> = query.positives.iter().map(key).collect();
        positives.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // How many negatives stand before exactly so many of the last positives.
        let mut before = vec![0; positives.len() + 1];
        for n in query.negatives.iter() {
            before[positives.partition_point(|&positive| positive < key(n))] += 1;
        }
        let mut rank = 0;
        let ranks: Vec<_> = before[..positives.len()]
            .iter()
            .map(|negatives| {
                rank += negatives + 1;
                rank
            })
            .collect();
        Some(Self::of_ranks(retrieval, &ranks))
    }

    /// The scores of a query whose R positives have these ranks, ascending.
    fn of_ranks(retrieval: &Retrieval, ranks: &[usize]) -> Self {
        let Retrieval { precision_at, ndcg_at, .. } = retrieval;
        Self {
            first: ranks[0],
            r_precision: ranking::precision(ranks, ranks.len()),
            average_precision_at_r: ranking::average_precision(ranks, ranks.len()),
            average_precision: ranking::average_precision(ranks, usize::MAX),
            precision: precision_at.iter().map(|&k| ranking::precision(ranks, k)).collect(),
            ndcg: ndcg_at.iter().map(|&k| ranking::ndcg(ranks, k)).collect(),
        }
    }
}
