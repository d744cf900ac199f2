//! Powers of two change exponents alone: every bit of the scaled result is known.

use support::changed::changed;
use wgpu_metric_learning::{
    Contrastive, Distance, Evaluation, Form, LiftedStructured, Loss, Triplet,
};

use super::case::{Case, EUCLIDEAN_FAMILY, case};
use super::run::{evaluate, has_gradient, hold, on_every, same_bits};

/// The power of the distances with which the loss grows when the margins grow with them; `None`
/// where it is no power.
fn degree(loss: &Loss) -> Option<i32> {
    match loss {
        Loss::Contrastive(Contrastive { power, .. }) => Some(*power as i32),
        Loss::Triplet(Triplet { soft: false, .. }) | Loss::Margin(_) => Some(1),
        Loss::LiftedStructured(LiftedStructured { form: Form::Exact, .. }) => Some(2),
        Loss::NtXent(_) | Loss::SupCon(_) => Some(0),
        _ => None,
    }
}

/// A power of two changes exponents alone: every bit of the scaled result is known.
#[test]
fn powers_of_two_scale_the_euclidean_family() {
    hold(16, (case(2..=20), -12..=12_i32), |(case, exponent)| {
        let loss = case.loss(&EUCLIDEAN_FAMILY, false);
        let Some(degree) = degree(&loss) else { return Ok(false) };
        let size = 2_f32.powi(exponent);
        let reach =
            if loss.distance() == Some(Distance::SquaredEuclidean) { size * size } else { size };
        let scaled_loss = case.scaled_loss(&EUCLIDEAN_FAMILY, false, reach);
        let beta = case.beta.iter().map(|beta| beta * reach).collect();
        let scaled = Case { beta, ..case.map(|x| x * size) };
        let factor = reach.powi(degree);
        on_every(|device| {
            let one = evaluate(device, &loss, &case.batch(&loss))?;
            let other = evaluate(device, &scaled_loss, &scaled.batch(&scaled_loss))?;
            let expected = changed(scaled_by(&one, factor, size), |expected| {
                expected.mean_positive_distance = one.mean_positive_distance * reach;
                expected.mean_negative_distance = one.mean_negative_distance * reach;
                expected.gradient_beta.clone_from(&one.gradient_beta);
            });
            same_bits(device, &scaled_loss, &expected, &other)?;
            Ok(has_gradient(&one))
        })
    });
}

/// The result where the loss is `factor` times as large and the coordinates `size` times.
fn scaled_by(evaluation: &Evaluation, factor: f32, size: f32) -> Evaluation {
    let slopes = evaluation.clone().map(|number| number * (factor / size));
    changed(slopes, |scaled| {
        scaled.loss = evaluation.loss * factor;
        let losses = evaluation.per_anchor.as_ref();
        scaled.per_anchor = losses.map(|losses| losses.iter().map(|loss| loss * factor).collect());
    })
}

/// Whether a loss divides rows by their norms in any case.
fn is_of_cosines(case: &Case) -> bool {
    case.loss(&Distance::ALL, true).distance() == Some(Distance::Cosine)
}

/// A power of two is gone with the norm: the same bits, but that the gradient is smaller by it.
#[test]
fn powers_of_two_do_not_matter_to_unit_rows() {
    hold(16, (case(2..=20), -12..=12_i32), |(case, exponent)| {
        let loss = case.loss(&Distance::ALL, !is_of_cosines(&case));
        let size = 2_f32.powi(exponent);
        let scaled = case.map(|x| x * size);
        on_every(|device| {
            let one = evaluate(device, &loss, &case.batch(&loss))?;
            let other = evaluate(device, &loss, &scaled.batch(&loss))?;
            let expected = changed(scaled_by(&one, 1.0, size), |expected| {
                expected.mean_positive_distance = one.mean_positive_distance;
                expected.mean_negative_distance = one.mean_negative_distance;
                expected.gradient_beta.clone_from(&one.gradient_beta);
            });
            same_bits(device, &loss, &expected, &other)?;
            Ok(has_gradient(&one))
        })
    });
}
