//! The gradients against central differences of the losses, in f64.

use super::problem::{Numbers, Problem};
use super::samples::{Sample, losses, thresholded};
use super::sweep::sweep;
use super::{Expectation, expect};
use crate::data::arithmetic::Arithmetic;
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::mode::Mode;
use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::loss::{Circle, Description, Distance, Loss, Reduction};
use crate::wgsl::terms::TermsKernel;

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
        let modes = loss.modes().len();
        assert_eq!(batches.len(), modes, "samples.rs has no batch for a mode of {loss:?}");
        for batch in batches {
            let Expectation { evaluation, .. } =
                expect(Arithmetic::Exact, &loss, &batch, numbers_of(&loss, &batch));
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
fn every_gradient_is_that_of_its_loss_with_weights() {
    let sample = Sample::new(8, 3, 0.8);
    let mut seen = 0;
    // A number coprime to those of the settings.
    for loss in losses().into_iter().step_by(5) {
        for batch in sample.weighted_batches(&loss) {
            let numbers = numbers_of(&loss, &batch);
            let evaluation = expect(Arithmetic::Exact, &loss, &batch, numbers).evaluation;
            let difference = worst_difference(&loss, &batch, &evaluation);
            assert!(difference < TOLERANCE, "{loss:?} on {:?}: {difference:.1e}", batch.shape());
            seen += usize::from(evaluation.gradient.iter().any(|slope| slope.abs() > 1e-6));
        }
    }
    assert!(seen > 100, "{seen} gradients that are not 0");
}

#[test]
fn gradients_flow_through_terms_within_thresholds() {
    let sample = Sample::new(8, 3, 0.8);
    let mut seen = [0; 3];
    for loss in thresholded() {
        for batch in sample.batches(&loss).into_iter().chain(sample.weighted_batches(&loss)) {
            let numbers = numbers_of(&loss, &batch);
            let evaluation = expect(Arithmetic::Exact, &loss, &batch, numbers).evaluation;
            let difference = worst_difference(&loss, &batch, &evaluation);
            assert!(difference < TOLERANCE, "{loss:?} on {:?}: {difference:.1e}", batch.shape());
            let none = evaluation.nonzero_terms == 0;
            let all = evaluation.nonzero_terms == evaluation.terms;
            seen[if none { 0 } else { 1 + usize::from(all) }] += 1;
            if none {
                assert!(evaluation.loss == 0.0 && evaluation.gradient.iter().all(|&x| x == 0.0));
            }
        }
    }
    // None, some or all terms are within.
    assert!(seen[0] > 0 && seen[1] > 100 && seen[1] > seen[2], "{seen:?}");
}

#[test]
fn a_wrong_sign_is_caught() {
    let sample = Sample::new(8, 3, 0.8);
    // A number coprime to those of the settings: every setting has its turn.
    for loss in losses().into_iter().step_by(7) {
        for batch in sample.batches(&loss) {
            let mut evaluation =
                expect(Arithmetic::Exact, &loss, &batch, numbers_of(&loss, &batch)).evaluation;
            let planted = evaluation.gradient.iter_mut().find(|derivative| derivative.abs() > 1e-3);
            let Some(planted) = planted else { continue };
            *planted = -*planted;
            assert!(worst_difference(&loss, &batch, &evaluation) > TOLERANCE, "{loss:?}");
        }
    }
}

fn worst_difference(loss: &Loss, batch: &Batch, evaluation: &Evaluation<f64>) -> f64 {
    let scale_and_bias = [evaluation.gradient_scale, evaluation.gradient_bias];
    let scale_and_bias: Vec<_> = scale_and_bias.into_iter().flatten().collect();
    let gradients: [(Input, Option<&Vec<f64>>); 4] = [
        (|numbers| &mut numbers.embeddings, Some(&evaluation.gradient)),
        (|numbers| &mut numbers.references, evaluation.gradient_references.as_ref()),
        (|numbers| &mut numbers.learned, evaluation.gradient_beta.as_ref()),
        (|numbers| &mut numbers.learned, Some(&scale_and_bias)),
    ];
    let given = gradients.into_iter().filter_map(|(input, gradient)| Some((input, gradient?)));
    given.map(|(input, gradient)| difference(loss, batch, input, gradient)).fold(0.0, f64::max)
}

/// What has the gradient of the loss at the batch's own numbers.
fn value(loss: &Loss, batch: &Batch, numbers: Numbers) -> f64 {
    let Loss::Circle(circle) = loss else {
        return expect(Arithmetic::Exact, loss, batch, numbers).evaluation.loss;
    };
    let own = Problem::of(circle, batch, numbers_of(loss, batch));
    let paces = own
        .map_anchors(|anchor| circle.paces(&anchor).into_iter().map(|pace| pace.value()).collect());
    let at_pace = AtPace { circle, paces };
    sweep(&at_pace, &Problem::of(&at_pace, batch, numbers)).evaluation.loss
}

/// The circle loss with paces that stay as they are, of every anchor.
struct AtPace<'a> {
    circle: &'a Circle,
    paces: Vec<Vec<f64>>,
}

impl Description for AtPace<'_> {
    fn settings(&self) -> (Option<Distance>, bool, Reduction) {
        self.circle.settings()
    }

    fn modes(&self) -> &'static [Mode] {
        self.circle.modes()
    }

    fn terms_kernel(&self) -> TermsKernel {
        self.circle.terms_kernel()
    }
}

impl Definition for AtPace<'_> {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let paces: Vec<N> = self.paces[anchor.index].iter().map(|&pace| N::exact(pace)).collect();
        self.circle.terms_at(anchor, &paces)
    }
}

#[test]
fn the_gradient_of_circle_is_not_that_of_its_value() {
    let sample = Sample::new(8, 3, 0.8);
    let loss = Circle { gamma: 4.0, ..Default::default() }.into();
    let batch = &sample.batches(&loss)[0];
    let free = |step: f64| {
        let mut numbers = numbers_of(&loss, batch);
        numbers.embeddings[0] += step;
        expect(Arithmetic::Exact, &loss, batch, numbers).evaluation.loss
    };
    let gradient =
        expect(Arithmetic::Exact, &loss, batch, numbers_of(&loss, batch)).evaluation.gradient;
    let slope = (free(STEP) - free(-STEP)) / (2.0 * STEP);
    assert!((slope - gradient[0]).abs() > 0.01 * slope.abs(), "{slope} is {}", gradient[0]);
}

fn numbers_of(loss: &Loss, batch: &Batch) -> Numbers {
    Numbers::of(loss.description(), batch)
}

/// The largest difference between a gradient and the central differences, relative to its largest
/// number or 1.
fn difference(loss: &Loss, batch: &Batch, input: Input, gradient: &[f64]) -> f64 {
    let numbers = numbers_of(loss, batch);
    let loss_at = |index: usize, step: f64| {
        let mut numbers = numbers.clone();
        input(&mut numbers)[index] += step;
        value(loss, batch, numbers)
    };
    let largest = gradient.iter().map(|derivative| derivative.abs()).fold(1.0, f64::max);
    let differences = gradient.iter().enumerate().map(|(index, derivative)| {
        let slope = (loss_at(index, STEP) - loss_at(index, -STEP)) / (2.0 * STEP);
        (slope - derivative).abs() / largest
    });
    differences.fold(0.0, |worst, next| if next <= worst { worst } else { next })
}
