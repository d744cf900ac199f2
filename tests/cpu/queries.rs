//! Retrieval measures of each class, and how sure they are.

use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::{Batch, Cpu, Error};

const N: usize = 120;

/// Rows on a line, in four classes that overlap and one of a single row.
fn rows() -> (Vec<f32>, Vec<u32>) {
    let labels: Vec<u32> = (0..N as u32).map(|row| if row == 7 { 9 } else { row % 4 }).collect();
    let noise = |row: usize| (row * row * 7_919 % 10_007) as f32 / 10_007.0;
    let number = |(row, &label): (usize, &u32)| label as f32 + 3.0 * noise(row);
    (labels.iter().enumerate().map(number).collect(), labels)
}

fn numbers(of: &Measures) -> Vec<f32> {
    let lists = [&of.recall, &of.precision, &of.ndcg].into_iter().flatten().copied();
    lists
        .chain([
            of.precision_at_1,
            of.r_precision,
            of.mean_average_precision_at_r,
            of.mean_reciprocal_rank,
            of.mean_average_precision,
        ])
        .collect()
}

#[test]
fn the_mean_of_the_classes_is_that_of_all() {
    let (embeddings, labels) = rows();
    let batch = Batch::new(&embeddings, [N, 1], &labels).unwrap();
    let retrieval = Retrieval { precision_at: vec![5], ndcg_at: vec![3, 10], ..Default::default() };
    let cpu = Cpu::default();
    let queries = cpu.measure_queries(&retrieval, &batch).wait().unwrap();
    let all = queries.measures();
    assert_eq!(all, cpu.measure(&retrieval, &batch).wait().unwrap());
    let classes = queries.classes();
    assert_eq!(classes.keys().copied().collect::<Vec<_>>(), [0, 1, 2, 3, 9]);
    let (lone, others) = (&classes[&9], [0, 1, 2, 3].map(|label| &classes[&label]));
    assert_eq!([lone.queries, lone.counted, all.counted], [1, 0, N as u64 - 1]);
    for at in 0..numbers(&all).len() {
        let sum: f32 = others.iter().map(|class| numbers(class)[at] * class.counted as f32).sum();
        let (mean, expected) = (sum / all.counted as f32, numbers(&all)[at]);
        assert!((mean - expected).abs() < 1e-5, "{at}: {mean}, {expected}");
        assert!(expected > 0.05 && expected < 0.999, "{at}: {expected}");
    }
    assert!(numbers(lone).iter().all(|&number| number == 0.0));
}

#[test]
fn confidence_is_around_the_measures_and_keeps_to_its_seed() {
    let (embeddings, labels) = rows();
    let batch = Batch::new(&embeddings, [N, 1], &labels).unwrap();
    let retrieval = Retrieval::default();
    let queries = Cpu::default().measure_queries(&retrieval, &batch).wait().unwrap();
    let [low, high] = queries.confidence(0.95, 400, 3).unwrap();
    assert_eq!(queries.confidence(0.95, 400, 3).unwrap(), [low.clone(), high.clone()]);
    assert_ne!(queries.confidence(0.95, 400, 4).unwrap(), [low.clone(), high.clone()]);
    let all = queries.measures();
    for ((low, all), high) in numbers(&low).iter().zip(numbers(&all)).zip(numbers(&high)) {
        assert!(*low < all && all < high, "{low} {all} {high}");
    }
    // Of shares that are hits: the width of a normal distribution's 95 %.
    let hits = f64::from(all.precision_at_1);
    let expected = 2.0 * 1.96 * (hits * (1.0 - hits) / (N as f64 - 1.0)).sqrt();
    let width = f64::from(high.precision_at_1 - low.precision_at_1);
    assert!((width / expected - 1.0).abs() < 0.2, "{width}, {expected}");
    let refused = |share, draws| queries.confidence(share, draws, 0).unwrap_err();
    assert!(matches!(refused(0.95, 0), Error::Parameter { parameter: "draws", .. }));
    assert!(matches!(refused(1.0, 9), Error::Parameter { parameter: "share", .. }));
}
