//! The additive angular margin loss (Deng, Guo, Xue and Zafeiriou 2019).

use crate::definition::anchor::Anchor;
use crate::definition::classes::{Classes, Own, cross_entropy};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, ROUNDING};
use crate::loss::ArcFace;

impl Definition for ArcFace {
    /// The scale.
    type Known<N: Number> = f64;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> f64 {
        anchors.learned()[0]
    }

    /// log(sum over c of exp(scale t_c)) - scale t_y, with t_y = cos(theta_y + margin).
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, &scale: &f64) -> AnchorTerms<N> {
        cross_entropy(
            anchor,
            self.centers_per_class,
            Classes::by_nearest,
            |d| self.own(d),
            N::exact(scale),
        )
    }
}

/// Sines below it are of rows that are nearer than f32 can say: their quotient may be anything.
const LEAST_SINE: f64 = ROUNDING / 4.0;

impl ArcFace {
    /// 1 - t_y of the own class at distance d = 1 - cos(theta). Without cancellation,
    /// 1 - cos(theta + m) = 1 - cos(m) + d cos(m) + sin(theta) sin(m), with
    /// sin(theta) = sqrt(d (2 - d)).
    fn own<N: Number>(&self, d: N) -> Own<N> {
        let angle = self.angle();
        let rounded = |number: f64| N::exact(number).widened(ROUNDING);
        let [sine, cosine] = [angle.sine, angle.cosine].map(rounded);
        let of_row = (d * (N::exact(2.0) - d)).max(N::ZERO).sqrt();
        let turned = Own {
            distance: rounded(angle.versine) + d * cosine + of_row * sine,
            slope: cosine + quotient(sine * (N::ONE - d), of_row),
        };
        let beyond = Own::at(d + rounded(angle.lift));
        let past = d - rounded(angle.seam);
        if !past.is_ambiguous() {
            return if past.value() > 0.0 { beyond } else { turned };
        }
        // Rounding decides on which side of the step it is.
        let [own, other] = if past.value() > 0.0 { [beyond, turned] } else { [turned, beyond] };
        let either =
            |one: N, other: N| N::new(one.value(), one.error() + (other - one).magnitude());
        Own {
            distance: either(own.distance, other.distance),
            slope: either(own.slope, other.slope),
        }
    }
}

/// The quotient by a sine; 0 by 0.
fn quotient<N: Number>(number: N, sine: N) -> N {
    if !N::IS_BOUNDED || sine.value() > 2.0 * sine.error() {
        return if sine.value() > 0.0 { number / sine } else { N::ZERO };
    }
    let value = if sine.value() > 0.0 { number.value() / sine.value() } else { 0.0 };
    N::new(value, value.abs() + number.magnitude() / (sine.value() - sine.error()).max(LEAST_SINE))
}
