//! Powers of two change exponents alone: every bit of the scaled result is known.

use support::changed::changed;
use wgpu_metric_learning::Distance;

use super::case::{Case, Scaling, case, scaled_by};
use super::run::{evaluate, has_gradient, hold, on_every, same_bits};

#[test]
fn powers_of_two_scale_the_euclidean_family() {
    hold(16, (case(2..=20), -12..=12_i32), |(case, exponent)| {
        let Some(scaling) = Scaling::of(&case, exponent) else { return Ok(false) };
        let Scaling { losses: [loss, scaled_loss], scaled, .. } = &scaling;
        on_every(|device| {
            let one = evaluate(device, loss, &case.batch(loss))?;
            let other = evaluate(device, scaled_loss, &scaled.batch(scaled_loss))?;
            same_bits(device, scaled_loss, &scaling.expected(&one), &other)?;
            Ok(has_gradient(&one))
        })
    });
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
                expected.gradient_scale = one.gradient_scale;
                expected.gradient_bias = one.gradient_bias;
            });
            same_bits(device, &loss, &expected, &other)?;
            Ok(has_gradient(&one))
        })
    });
}
