//! The retrieval measures of one query, from the ranks of its R positives, ascending from 1 on.

use crate::measures::discount;

/// The ranks up to k.
fn within(ranks: &[usize], k: usize) -> &[usize] {
    &ranks[..ranks.partition_point(|&rank| rank <= k)]
}

/// The part of the k nearest columns that is positive.
pub(crate) fn precision(ranks: &[usize], k: usize) -> f64 {
    within(ranks, k).len() as f64 / k as f64
}

/// The mean over the R positives of the precision at their ranks, 0 beyond k.
pub(crate) fn average_precision(ranks: &[usize], k: usize) -> f64 {
    let precisions = (1..).zip(within(ranks, k)).map(|(place, &rank)| place as f64 / rank as f64);
    precisions.sum::<f64>() / ranks.len() as f64
}

/// The gain of the positives among the k nearest columns, as a part of the most there can be.
pub(crate) fn ndcg(ranks: &[usize], k: usize) -> f64 {
    let ideal: f64 = (1..=k.min(ranks.len())).map(discount).sum();
    let gain: f64 = within(ranks, k).iter().map(|&rank| discount(rank)).sum();
    (gain / ideal).min(1.0)
}
