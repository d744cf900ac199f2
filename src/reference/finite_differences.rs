//! The gradients against central differences of the losses, in f64.

use super::problem::Numbers;
use super::samples::{Sample, losses};
use super::{Expectation, expect};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::loss::Loss;

const STEP: f64 = 1e-5;
const TOLERANCE: f64 = 1e-6;

/// The inputs that have a gradient.
type Input = fn(&mut Numbers) -> &mut Vec<f64>;

#[test]
fn every_gradient_is_that_of_its_loss() {
    // No hinge, tie or sign of it is within a step of changing.
    let sample = Sample::new(8, 3, 0.8);
    for loss in losses() {
        let batches = sample.batches(&loss);
        assert_eq!(batches.len(), loss.modes().len(), "{loss:?}");
        for batch in batches {
            let Expectation { evaluation, .. } = expect(&loss, &batch, Numbers::of(&batch));
            let difference = worst_difference(&loss, &batch, &evaluation);
            assert!(
                difference < TOLERANCE,
                "{loss:?} in {} mode is off by {difference:.1e}",
                batch.shape().mode().name()
            );
        }
    }
}

#[test]
fn a_wrong_sign_is_caught() {
    let sample = Sample::new(8, 3, 0.8);
    // A number coprime to those of the settings: every setting has its turn.
    for loss in losses().into_iter().step_by(7) {
        for batch in sample.batches(&loss) {
            let mut evaluation = expect(&loss, &batch, Numbers::of(&batch)).evaluation;
            let planted = evaluation.gradient.iter_mut().find(|derivative| derivative.abs() > 1e-3);
            let Some(planted) = planted else { continue };
            *planted = -*planted;
            assert!(worst_difference(&loss, &batch, &evaluation) > TOLERANCE, "{loss:?}");
        }
    }
}

fn worst_difference(loss: &Loss, batch: &Batch, evaluation: &Evaluation<f64>) -> f64 {
    let gradients: [(Input, Option<&Vec<f64>>); 3] = [
        (|numbers| &mut numbers.embeddings, Some(&evaluation.gradient)),
        (|numbers| &mut numbers.references, evaluation.gradient_references.as_ref()),
        (|numbers| &mut numbers.beta, evaluation.gradient_beta.as_ref()),
    ];
    let given = gradients.into_iter().filter_map(|(input, gradient)| Some((input, gradient?)));
    given.map(|(input, gradient)| difference(loss, batch, input, gradient)).fold(0.0, f64::max)
}

/// The largest difference between a gradient and the central differences, relative to its largest
/// number or 1.
fn difference(loss: &Loss, batch: &Batch, input: Input, gradient: &[f64]) -> f64 {
    let numbers = Numbers::of(batch);
    let loss_at = |index: usize, step: f64| {
        let mut numbers = numbers.clone();
        input(&mut numbers)[index] += step;
        expect(loss, batch, numbers).evaluation.loss
    };
    let largest = gradient.iter().map(|derivative| derivative.abs()).fold(1.0, f64::max);
    let differences = gradient.iter().enumerate().map(|(index, derivative)| {
        let slope = (loss_at(index, STEP) - loss_at(index, -STEP)) / (2.0 * STEP);
        (slope - derivative).abs() / largest
    });
    differences.fold(0.0, |worst, next| if next <= worst { worst } else { next })
}
