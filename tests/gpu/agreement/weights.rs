//! Anchors with weights.

use support::adapters::{best_with, one_by_one};
use support::agreement::Tally;
use support::bits::bits;
use support::changed::changed;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::{Batch, Distance, Evaluation, Loss, Mode, Options};

const RECIPE: Recipe = Recipe {
    n: 37,
    m: 21,
    d: 5,
    layout: Layout::Balanced(5),
    values: Values::Ordinary,
    extreme_labels: false,
};

/// Every loss that takes weights, by distances in turn, with its batches.
fn for_every_batch(mut check: impl FnMut(&Loss, &Sample)) {
    let sample = Sample::new(RECIPE);
    for (turn, kind) in (0..losses(Distance::Euclidean, false, 1.0).len()).enumerate() {
        let distance = Distance::ALL[turn % 5];
        let loss = losses(distance, false, reach(distance, false, RECIPE.d, 1.0)).swap_remove(kind);
        if loss.takes_weights() {
            check(&loss, &sample);
        }
    }
}

fn has_anchors(batch: &Batch) -> bool {
    use Mode::{Batch, Prototypes, Reference, Scores};
    matches!(batch.shape().mode(), Batch | Reference | Prototypes | Scores)
}

#[test]
fn every_loss_agrees() {
    let mut tally = Tally::new();
    for_every_batch(|loss, sample| {
        for batch in sample.weighted_batches(loss) {
            tally.hold(loss, &batch, "weights");
        }
    });
    tally.conclude(0.05);
}

/// Stripes of a few rows, on the best adapter, since the host cuts.
#[test]
fn cut_matrices_agree() {
    let few_rows = Options::default().with_workspace_bytes(8 * 40 * 16 + 4 * 37 * 5);
    let mut tally = Tally::on(vec![best_with(few_rows)]);
    for_every_batch(|loss, sample| {
        for batch in sample.weighted_batches(loss) {
            tally.hold(loss, &batch, "weights of a cut matrix");
        }
    });
    tally.conclude(0.05);
}

/// What the results are with each of these weights for all rows.
fn with_equal_weights<const K: usize>(
    loss: &Loss,
    sample: &Sample,
    weights: [f32; K],
    mut check: impl FnMut(&Evaluation, [&Evaluation; K]),
) {
    let tables = weights.map(|weight| vec![weight; RECIPE.n]);
    for device in one_by_one() {
        let evaluate = |batch: &Batch| device.context.evaluate(loss, batch).wait().unwrap();
        for batch in sample.batches(loss).iter().filter(|batch| has_anchors(batch)) {
            let with = |table: &Vec<f32>| evaluate(&batch.with_weights(table).unwrap());
            check(&evaluate(batch), tables.each_ref().map(with).each_ref());
        }
    }
}

/// A power of two changes exponents alone.
#[test]
fn equal_weights_are_a_factor_to_the_bit() {
    for_every_batch(|loss, sample| {
        with_equal_weights(loss, sample, [1.0, 4.0], |plain, [of_ones, of_fours]| {
            assert_eq!(bits(plain), bits(of_ones), "{loss:?}");
            let fourfold = changed(plain.clone().map(|number| 4.0 * number), |expected| {
                expected.mean_positive_distance = plain.mean_positive_distance;
                expected.mean_negative_distance = plain.mean_negative_distance;
            });
            assert_eq!(bits(&fourfold), bits(of_fours), "{loss:?}");
        });
    });
}

#[test]
fn weights_of_0_leave_nothing_but_counts() {
    for_every_batch(|loss, sample| {
        with_equal_weights(loss, sample, [0.0], |plain, [of_zeros]| {
            let expected = changed(plain.clone().map(|_| 0.0), |expected| {
                expected.mean_positive_distance = plain.mean_positive_distance;
                expected.mean_negative_distance = plain.mean_negative_distance;
            });
            let unsigned = of_zeros.clone().map(|number| number + 0.0);
            assert_eq!(bits(&expected), bits(&unsigned), "{loss:?}");
        });
    });
}
