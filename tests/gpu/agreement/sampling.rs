//! Drawn negatives: on every adapter those of the reference for many seeds, and as frequent as
//! their weights say.

use support::adapters::one_by_one;
use support::agreement::Tally;
use support::sample::{Layout, Random, Recipe, Sample, Values};
use wgpu_metric_learning::{Batch, Distance, Error, Loss, Margin, Reduction, Sampling, Shape};

const POSITIVES: usize = 6000;

fn drawing(seed: u32) -> Margin {
    Margin { normalize: true, sampling: Sampling::DistanceWeighted, seed, ..Default::default() }
}

#[test]
fn every_seed_draws_what_the_reference_draws() {
    let mut tally = Tally::new();
    let shapes = [[20, 1], [30, 2], [40, 3], [300, 5], [700, 16], [60, 2048]];
    for [n, d] in shapes {
        for (turn, layout) in
            [Layout::Balanced(5), Layout::Giant, Layout::Distinct].into_iter().enumerate()
        {
            let sample = Sample::new(Recipe {
                n,
                m: n + 3,
                d,
                layout,
                values: Values::Ordinary,
                extreme_labels: false,
            });
            for seed in [0, 1, 12_345, u32::MAX] {
                let loss =
                    Margin { beta_per_class: turn == 0, ..drawing(seed.wrapping_add(turn as u32)) }
                        .into();
                sample.batches(&loss).iter().for_each(|batch| tally.hold(&loss, batch, "seeds"));
            }
        }
    }
    tally.conclude(0.05);
}

/// Hundreds of thousands of draws for one anchor, in many dispatches, over segments of more than a
/// thousand columns. The negatives are few enough for f32 to tell their parts of the sum apart.
#[test]
fn hundreds_of_thousands_of_draws() {
    const M: usize = 300_001;
    let (values, layout) = (Values::Ordinary, Layout::Distinct);
    let sample = Sample::new(Recipe { n: 1, m: M, d: 3, layout, values, extreme_labels: false });
    let labels: Vec<u32> = (0..M as u32).map(|column| u32::from(column % 150 == 7)).collect();
    let batch = Batch::new(sample.embeddings(), [1, 3], &[0])
        .and_then(|batch| batch.with_references(sample.references(), M, &labels))
        .unwrap();
    let mut tally = Tally::new();
    tally.hold(&drawing(3).into(), &batch, "many draws");
    tally.conclude(0.0);
}

/// An anchor at 0 degrees, `POSITIVES` of its own class, and negatives at these distances.
fn circle(distances: &[f64], dimensions: usize) -> (Vec<f32>, Vec<u32>) {
    let at = |d: f64| {
        let angle = 2.0 * (0.5 * d).asin();
        let mut row = vec![0.0; dimensions];
        (row[0], row[1]) = (angle.cos() as f32, angle.sin() as f32);
        row
    };
    let positives = Random(5).numbers(POSITIVES, 0.3);
    let rows =
        positives.iter().map(|&d| at(d.abs().into())).chain(distances.iter().map(|&d| at(d)));
    let labels = vec![1; POSITIVES].into_iter().chain(vec![2; distances.len()]);
    (rows.flatten().collect(), labels.collect())
}

/// How often each negative is drawn, from the gradient with respect to it: along the circle, as
/// long as its count.
#[test]
fn negatives_are_as_frequent_as_their_weights() {
    let distances = [0.3, 0.5, 0.8, 1.0, 1.2, 1.39, 1.6];
    for device in one_by_one() {
        for dimensions in [2, 3, 8] {
            let (references, labels) = circle(&distances, dimensions);
            let anchor = &circle(&[0.0], dimensions).0[POSITIVES * dimensions..];
            let batch = Batch::new(anchor, [1, dimensions], &[1])
                .and_then(|batch| batch.with_references(&references, labels.len(), &labels))
                .unwrap();
            // Every drawn pair is a term.
            let loss = Margin { reduction: Reduction::Sum, alpha: 3.0, ..drawing(99) };
            let evaluation = device.context.evaluate(&loss, &batch).wait().unwrap();
            assert_eq!(evaluation.terms, 2 * POSITIVES as u64);
            assert_eq!(evaluation.nonzero_negative_terms, POSITIVES as u64);
            let gradient = evaluation.gradient_references.expect("there are references");
            let counts = gradient[POSITIVES * dimensions..].chunks(dimensions).zip(distances).map(
                |(row, d)| {
                    let length = row.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
                    // d of a chord changes by the cosine of half its angle.
                    length / (1.0 - 0.25 * d * d).sqrt()
                },
            );
            let weights = distances.map(|d| weight(d, dimensions as f64));
            let total: f64 = weights.iter().sum();
            for (count, weight) in counts.zip(weights) {
                let (share, expected) = (count / POSITIVES as f64, weight / total);
                let deviation = (expected * (1.0 - expected) / POSITIVES as f64).sqrt();
                let name = &device.name;
                assert!(
                    (share - expected).abs() <= 4.5 * deviation + 1e-6,
                    "{name}: {share}, not {expected}"
                );
            }
        }
    }
}

/// One over how frequent a distance is among points on the unit sphere.
fn weight(d: f64, dimensions: f64) -> f64 {
    let near = d.max(0.5);
    let frequency =
        near.powf(dimensions - 2.0) * (1.0 - 0.25 * near * near).powf(0.5 * (dimensions - 3.0));
    if d < 1.4 { 1.0 / frequency } else { 0.0 }
}

#[test]
fn anchors_without_negatives_keep_their_positives() {
    let rows = [0.3, 0.1, -0.2, 0.4, 0.9, 0.2];
    let batch = Batch::new(&rows, [3, 2], &[4, 4, 4]).unwrap();
    let mut tally = Tally::new();
    tally.hold(&drawing(1).into(), &batch, "no negatives");
    tally.conclude(0.0);
    for device in one_by_one() {
        let evaluation = device.context.evaluate(drawing(1), &batch).wait().unwrap();
        assert_eq!([evaluation.terms, evaluation.negative_pairs], [6, 0]);
    }
}

#[test]
fn weights_are_those_of_distances_between_unit_rows() {
    for (distance, normalize) in [(Distance::Euclidean, false), (Distance::Cosine, true)] {
        let loss: Loss = Margin { distance, normalize, ..drawing(1) }.into();
        let error = loss.check(&Shape::batch(4, 2)).unwrap_err();
        assert!(matches!(error, Error::Unsupported { of: "Margin", .. }), "{error}");
        assert!(
            error
                .to_string()
                .ends_with("its weights are those of Euclidean distances with normalize"),
            "{error}"
        );
    }
}
