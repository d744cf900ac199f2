//! The retrieval measures, counted plainly: by the definition, and by wrong orders of the columns.

use std::cmp::Ordering;

use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::{Batch, Contrastive, Distance, Mode};

use crate::sample::Sample;

/// Every measure there is, at a k within most rows and at one beyond.
pub fn every_measure() -> Retrieval {
    let at = vec![5, 1, 3000];
    Retrieval { precision_at: at.clone(), ndcg_at: at, ..Default::default() }
}

/// Two batches: one compared with itself, one with references.
pub fn batches(sample: &Sample) -> Vec<Batch<'_>> {
    let batches = sample.batches(&Contrastive::default().into()).into_iter();
    batches.filter(|batch| Retrieval::default().check(batch.shape()).is_ok()).collect()
}

/// A column of a query: its distance, its place, and whether it has the query's label.
pub type Column = (f64, usize, bool);

/// Ranks columns by their distance, and by their index where that is the same.
pub fn by_distance_and_column(a: &Column, b: &Column) -> Ordering {
    a.0.partial_cmp(&b.0).unwrap().then(a.1.cmp(&b.1))
}

/// Ranks equal columns the other way round.
pub fn by_distance_and_last_column(a: &Column, b: &Column) -> Ordering {
    a.0.partial_cmp(&b.0).unwrap().then(b.1.cmp(&a.1))
}

/// Ranks columns from the last to the first.
pub fn farthest_first(a: &Column, b: &Column) -> Ordering {
    by_distance_and_column(b, a)
}

/// The measures, counted column by column along each query's ranking.
pub fn counted(
    retrieval: &Retrieval,
    batch: &Batch,
    order: fn(&Column, &Column) -> Ordering,
) -> Measures<f64> {
    let shape = batch.shape();
    let d = shape.dimensions();
    let itself = shape.mode() == Mode::Batch;
    let (columns, labels) = if itself {
        (batch.embeddings(), batch.labels())
    } else {
        (batch.references(), batch.reference_labels())
    };
    let mut found = Measures::default();
    found.queries = shape.queries() as u64;
    found.recall = vec![0.0; retrieval.recall_at.len()];
    found.precision = vec![0.0; retrieval.precision_at.len()];
    found.ndcg = vec![0.0; retrieval.ndcg_at.len()];
    for i in 0..shape.queries() {
        let x = &batch.embeddings()[i * d..][..d];
        let mut row: Vec<Column> = Vec::new();
        for j in (0..shape.references()).filter(|&j| !(itself && j == i)) {
            let y = &columns[j * d..][..d];
            row.push((
                distance(retrieval.distance, retrieval.normalize, x, y),
                j,
                labels[j] == batch.labels()[i],
            ));
        }
        row.sort_by(order);
        let r = row.iter().filter(|column| column.2).count();
        if r == 0 {
            continue;
        }
        found.counted += 1;
        let hit = |k: usize| f64::from(u8::from(row.iter().take(k).any(|column| column.2)));
        found.precision_at_1 += hit(1);
        add(&mut found.recall, &retrieval.recall_at, hit);
        let relevant = |k: usize| row.iter().take(k).filter(|column| column.2).count() as f64;
        add(&mut found.precision, &retrieval.precision_at, |k| relevant(k) / k as f64);
        let gain = |rank: usize| 1.0 / (rank as f64 + 1.0).log2();
        add(&mut found.ndcg, &retrieval.ndcg_at, |k| {
            let ranks = (1..=k.min(row.len())).filter(|rank| row[rank - 1].2);
            ranks.map(gain).sum::<f64>() / (1..=k.min(r)).map(gain).sum::<f64>()
        });
        for rank in (1..=row.len()).filter(|rank| row[rank - 1].2) {
            let precision = relevant(rank) / rank as f64 / r as f64;
            found.mean_average_precision += precision;
            found.mean_average_precision_at_r += if rank <= r { precision } else { 0.0 };
        }
        found.r_precision += relevant(r) / r as f64;
        let first = row.iter().position(|column| column.2).expect("there is a positive");
        found.mean_reciprocal_rank += 1.0 / (first as f64 + 1.0);
    }
    let queries = (found.counted as f64).max(1.0);
    found.map(|number| number / queries)
}

/// Adds to each number what a query has for its k.
fn add(numbers: &mut [f64], cutoffs: &[usize], of: impl Fn(usize) -> f64) {
    numbers.iter_mut().zip(cutoffs).for_each(|(number, &k)| *number += of(k));
}

/// The distance of two rows by its definition, as it is written.
pub fn distance(distance: Distance, normalize: bool, x: &[f32], y: &[f32]) -> f64 {
    let unit = normalize || distance == Distance::Cosine;
    let row = |row: &[f32]| {
        let norm = row.iter().map(|&x| f64::from(x) * f64::from(x)).sum::<f64>().sqrt();
        row.iter().map(|&x| f64::from(x) / if unit { norm } else { 1.0 }).collect::<Vec<_>>()
    };
    let pairs = || row(x).into_iter().zip(row(y));
    match distance {
        Distance::Euclidean => pairs().map(|(x, y)| (x - y).powi(2)).sum::<f64>().sqrt(),
        Distance::SquaredEuclidean => pairs().map(|(x, y)| (x - y).powi(2)).sum(),
        Distance::Manhattan => pairs().map(|(x, y)| (x - y).abs()).sum(),
        Distance::Cosine => 1.0 - pairs().map(|(x, y)| x * y).sum::<f64>(),
        Distance::InnerProduct => -pairs().map(|(x, y)| x * y).sum::<f64>(),
        other => panic!("{other:?} is not known here"),
    }
}

/// Everything that is between 0 and 1.
pub fn numbers(measures: &Measures<f64>) -> Vec<f64> {
    let singles = [
        measures.precision_at_1,
        measures.r_precision,
        measures.mean_average_precision_at_r,
        measures.mean_reciprocal_rank,
        measures.mean_average_precision,
    ];
    let lists = [&measures.recall, &measures.precision, &measures.ndcg];
    singles.into_iter().chain(lists.into_iter().flatten().copied()).collect()
}

/// Demands the same counts, and shares that differ by at most so much.
#[track_caller]
pub fn assert_near(actual: &Measures<f64>, expected: &Measures<f64>, most: f64, name: &str) {
    assert_eq!([actual.queries, actual.counted], [expected.queries, expected.counted], "{name}");
    let lengths = |of: &Measures<f64>| [&of.recall, &of.precision, &of.ndcg].map(Vec::len);
    assert_eq!(lengths(actual), lengths(expected), "{name}");
    let pairs = numbers(actual).into_iter().zip(numbers(expected));
    let farthest = pairs.map(|(actual, expected)| (actual - expected).abs()).fold(0.0, f64::max);
    assert!(farthest <= most, "{name}: {actual:?} is not {expected:?}");
}
