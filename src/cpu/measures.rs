//! Retrieval measures: the ranks of every query's positives, from one look at each column.

use super::matrix::Matrix;
use super::step::Steps;
use crate::definition::anchor::Anchor;
use crate::definition::ranking;
use crate::error::Result;
use crate::measures::{QueryMeasures, QueryScores, Retrieval};
use crate::parallel::prelude::*;

/// Measures retrieval by the rows of a matrix, which have these labels.
pub(super) fn measure(
    retrieval: &Retrieval,
    labels: &[u32],
    matrix: &Matrix,
    steps: &mut Steps<'_>,
) -> Result<QueryMeasures> {
    let mut queries = vec![None; labels.len()];
    matrix.for_stripes(|rows, distances| {
        steps.step(rows.start as u64)?;
        let rows = rows.into_par_iter().zip(distances.par_chunks(matrix.stride()));
        let scores = rows.map(|(row, distances)| {
            let query = matrix.axes.anchor(row, distances);
            (query.name, ranks(&query).map(|ranks| scores(retrieval, &ranks)))
        });
        for (query, scores) in scores.collect::<Vec<_>>() {
            queries[query] = scores;
        }
        Ok(())
    })?;
    Ok(QueryMeasures::new(retrieval, labels, queries))
}

/// The ranks of the positives, ascending; `None` for a query without one.
fn ranks(query: &Anchor<f64>) -> Option<Vec<usize>> {
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
    let ranks = before[..positives.len()].iter().map(|negatives| {
        rank += negatives + 1;
        rank
    });
    Some(ranks.collect())
}

/// The scores of a query whose positives have these ranks: no more for large classes than for small
/// ones.
fn scores(retrieval: &Retrieval, ranks: &[usize]) -> QueryScores {
    let Retrieval { precision_at, ndcg_at, .. } = retrieval;
    QueryScores {
        first: ranks[0],
        r_precision: ranking::precision(ranks, ranks.len()),
        average_precision_at_r: ranking::average_precision(ranks, ranks.len()),
        average_precision: ranking::average_precision(ranks, usize::MAX),
        precision: precision_at.iter().map(|&k| ranking::precision(ranks, k)).collect(),
        ndcg: ndcg_at.iter().map(|&k| ranking::ndcg(ranks, k)).collect(),
    }
}
