//! Retrieval measures: the ranks of every query's positives, from one look at each column.

use rayon::prelude::*;

use super::matrix::Matrix;
use super::step::Steps;
use crate::definition::anchor::Anchor;
use crate::error::Result;
use crate::measures::{Measures, Retrieval};

/// What one query adds to the measures: no more for large classes than for small ones.
struct Scores {
    /// The rank of the nearest positive.
    first: usize,
    r_precision: f64,
    average_precision: f64,
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
        let scores = rows.map(|(row, distances)| Scores::of(&matrix.anchor(row, distances)));
        counted.extend(scores.collect::<Vec<_>>().into_iter().flatten());
        Ok(())
    })?;
    let mean = |of: &dyn Fn(&Scores) -> f64| match counted.len() {
        0 => 0.0,
        count => (counted.iter().map(of).sum::<f64>() / count as f64) as f32,
    };
    let recall = |k: usize| mean(&|scores| f64::from(u8::from(scores.first <= k)));
    Ok(Measures {
        queries: matrix.shape.queries() as u64,
        counted: counted.len() as u64,
        precision_at_1: recall(1),
        recall: retrieval.recall_at.iter().map(|&k| recall(k)).collect(),
        r_precision: mean(&|scores| scores.r_precision),
        mean_average_precision_at_r: mean(&|scores| scores.average_precision),
    })
}

impl Scores {
    /// `None` for a query without a positive.
    fn of(query: &Anchor<f64>) -> Option<Self> {
        if query.positives.is_empty() {
            return None;
        }
        // Columns are ranked by their distance, and by their index where that is the same.
        let key = |column: usize| (query.distances[column], column);
        let mut positives: Vec<_> = query.positives.iter().map(|&column| key(column)).collect();
        positives.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // How many negatives stand before exactly so many of the last positives.
        let mut before = vec![0; positives.len() + 1];
        for &n in &query.negatives {
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
        Some(Self::of_ranks(&ranks))
    }

    /// Of the ranks of all R positives, ascending: the part of the R nearest that is positive, and
    /// the mean over the positives of the precision at their ranks, 0 beyond R.
    fn of_ranks(ranks: &[usize]) -> Self {
        let count = ranks.len();
        let within = &ranks[..ranks.partition_point(|&rank| rank <= count)];
        let precisions = (1..).zip(within).map(|(place, &rank)| f64::from(place) / rank as f64);
        Self {
            first: ranks[0],
            r_precision: within.len() as f64 / count as f64,
            average_precision: precisions.sum::<f64>() / count as f64,
        }
    }
}
