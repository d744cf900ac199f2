//! Means that f32 holds, of sums that it does not.

use support::adapters::one_by_one;
use wgpu_metric_learning::{
    Batch, BinaryCrossEntropy, Contrastive, CrossEntropy, Distance, Error, Hinge, Huber, L1, Loss,
    MeanSquaredError, Reduction, UniformEntropy, reference,
};

/// N of pairs: their rows add up to less than f32's largest number, and they together to more.
const N: usize = 200;

fn pointwise(value: f32, loss: impl Fn(Reduction) -> Loss) -> Vec<(Loss, f32)> {
    [Reduction::Mean, Reduction::Sum].map(|reduction| (loss(reduction), value)).to_vec()
}

/// Asks every adapter; a mean is within its bounds, a sum is refused.
fn hold(loss: &Loss, batch: &Batch) {
    let expected = reference::evaluate_with_bounds(loss, batch).expect("a result");
    let is_mean = loss.reduction() == Reduction::Mean;
    assert_eq!(expected.may_overflow(), !is_mean, "{loss:?}: {}", expected.evaluation.loss);
    for device in one_by_one() {
        match device.context.evaluate(loss, batch).wait() {
            Ok(actual) if is_mean => {
                let comparison = expected.compare(&actual);
                assert!(comparison.agrees(), "{} {loss:?}\n{comparison}", device.name);
                assert_eq!(expected.notices(&actual, 0.01), Some(true), "{loss:?}");
            }
            Err(Error::Overflow { what: "the loss" }) if !is_mean => {}
            other => panic!("{} {loss:?}: {other:?}", device.name),
        }
    }
}

#[test]
fn a_mean_of_values_is_within_f32_where_it_is_itself() {
    let zeros = vec![0.0; 4 * N];
    let signs = vec![1.0; 4 * N];
    let cases = [
        pointwise(3e18, |reduction| MeanSquaredError { reduction }.into()),
        pointwise(6e36, |reduction| Huber { reduction, delta: 1.0 }.into()),
        pointwise(-6e36, |reduction| Hinge { reduction }.into()),
        pointwise(6e36, |reduction| BinaryCrossEntropy { reduction }.into()),
        pointwise(6e36, |reduction| L1 { reduction, strength: 1.0 }.into()),
    ];
    for (loss, value) in cases.into_iter().flatten() {
        let values = vec![value; 4 * N];
        let batch = Batch::pointwise(&values, [N, 4]).expect("a batch");
        let batch = match loss {
            Loss::L1(_) => batch,
            Loss::Hinge(_) => batch.with_targets(&signs).expect("a batch"),
            _ => batch.with_targets(&zeros).expect("a batch"),
        };
        hold(&loss, &batch);
    }
}

/// The case of a user.
#[test]
fn two_hundred_squares_of_3e18() {
    let (values, targets) = ([3e18; 200], [0.0; 200]);
    let batch = Batch::pointwise(&values, [200, 1]).expect("a batch");
    let batch = batch.with_targets(&targets).expect("a batch");
    for device in one_by_one() {
        let found =
            device.context.evaluate(MeanSquaredError::default(), &batch).wait().expect("a mean");
        assert!((found.loss / 9e36 - 1.0).abs() < 1e-6, "{}: {}", device.name, found.loss);
    }
}

#[test]
fn a_mean_of_rows_is_within_f32_where_it_is_itself() {
    let logits: Vec<f32> = (0..2 * N).map(|at| if at % 2 == 0 { 4e36 } else { -1e36 }).collect();
    let batch = Batch::pointwise(&logits, [N, 2]).expect("a batch");
    for reduction in [Reduction::Mean, Reduction::Sum] {
        let labelled = batch.with_labels(&[1; N]).expect("a batch");
        hold(&CrossEntropy { reduction }.into(), &labelled);
        hold(&UniformEntropy { reduction }.into(), &batch);
    }
}

#[test]
fn a_mean_of_pairs_is_within_f32_where_it_is_itself() {
    let rows: Vec<f32> = (0..N).map(|row| 3.5e16 * (row % 7) as f32).collect();
    let batch = Batch::new(&rows, [N, 1], &[0; N]).expect("a batch");
    let distance = Distance::SquaredEuclidean;
    for reduction in [Reduction::Mean, Reduction::Sum] {
        hold(&Contrastive { distance, reduction, power: 1, ..Default::default() }.into(), &batch);
    }
}

/// What `Error::Overflow` says: the terms of a single anchor have to fit together, though their mean
/// would.
#[test]
fn the_terms_of_one_anchor_beyond_f32_are_refused() {
    let batch = Batch::new(&[0.0, 1.0, 2.0, 3.0, 4.0], [5, 1], &[0, 1, 2, 3, 4]).expect("a batch");
    let loss = |reduction| Contrastive { negative_margin: 1.2e19, reduction, ..Default::default() };
    let expected =
        reference::evaluate_with_bounds(loss(Reduction::Mean), &batch).expect("a result");
    assert!(expected.may_overflow() && expected.evaluation.loss < 1.5e38);
    for device in one_by_one() {
        let refused = device.context.evaluate(loss(Reduction::Mean), &batch).wait();
        assert_eq!(refused, Err(Error::Overflow { what: "the loss" }), "{}", device.name);
    }
}
