//! The distances, their gradients, and how far f32 kernels may be from both.
//!
//! The kernels take differences of coordinates and add up D of them one after the other. Roundings
//! go either way, so that such a sum is off by about sqrt(D) roundings and not by D. Where unit
//! rows are used, they are off themselves: by the rounding of the norm and of the division.

use super::bounded::Bounded;
use super::points::{Point, sum, sum_rounding, unit_rounding};
use crate::definition::number::{Number, ROUNDING, SMALLEST};
use crate::loss::Distance;

impl Distance {
    /// d(x, y).
    pub(super) fn between(self, x: Point, y: Point) -> Bounded {
        let squares = || sum(x.coordinates, y.coordinates, |x, y| (x - y) * (x - y));
        let root = (x.coordinates.len() as f64).sqrt();
        // How far rounded unit rows may be from each other, to how far they are.
        let shift = x.error + y.error;
        // What D products may lose where they are below the smallest normal f32.
        let flushed = (4.0 + x.coordinates.len() as f64) * SMALLEST;
        // And D coordinates, or differences of them.
        let lost = x.coordinates.len() as f64 * (x.flushed + y.flushed);
        let bounded = match self {
            Self::Euclidean => {
                let d = squares().sqrt();
                let d = if d < SMALLEST { 0.0 } else { d };
                let expanded = x.expansion_error(y, d * d).map_or(0.0, |error| {
                    // sqrt(s) - sqrt(s - error)
                    error / (d + (d * d - error).max(0.0).sqrt()).max(error.sqrt())
                });
                Bounded::new(d, shift + expanded + 4.0 * root * SMALLEST)
                    .widened((10.0 + root) * ROUNDING + x.mark())
            }
            Self::SquaredEuclidean => {
                let square = squares();
                let expanded = x.expansion_error(y, square).unwrap_or(0.0);
                let shifted = shift * (2.0 * square.sqrt() + shift);
                Bounded::new(square, shifted + expanded + flushed)
                    .widened((4.0 + 2.0 * root) * ROUNDING + x.mark())
            }
            Self::Manhattan => {
                let d = sum(x.coordinates, y.coordinates, |x, y| (x - y).abs());
                // |x|_1 <= sqrt(D) for a unit row.
                Bounded::new(d, shift * root + 4.0 * root * SMALLEST + lost)
                    .widened((4.0 + 1.5 * root) * ROUNDING)
            }
            Self::Cosine if x.norm == 0.0 || y.norm == 0.0 => return Bounded::exact(1.0),
            Self::Cosine => {
                // 1 - u.v of unit rows without its cancellation; the clamp of the cosine to [-1, 1]
                // is that of d to [0, 2].
                let square = squares();
                Bounded::new(
                    (0.5 * square).min(2.0),
                    shift * (square.sqrt() + 0.5 * shift) + flushed,
                )
                .widened((4.0 + 2.0 * root) * ROUNDING)
            }
            Self::InnerProduct => {
                let magnitude = sum(x.coordinates, y.coordinates, |x, y| (x * y).abs());
                let d = -sum(x.coordinates, y.coordinates, |x, y| x * y);
                let lost = if lost > 0.0 {
                    sum(x.coordinates, y.coordinates, |u, v| {
                        x.lost(u) * v.abs() + u.abs() * y.lost(v)
                    })
                } else {
                    0.0
                };
                let rounding = magnitude * (shift + (2.0 + root) * ROUNDING);
                return Bounded::new(d, rounding + flushed + lost);
            }
        };
        // Duplicates are at exactly 0, also after rounding.
        if bounded.value == 0.0 && x.raw == y.raw { Bounded::ZERO } else { bounded }
    }

    /// How strongly a pair with this slope and distance pulls at its rows; `rounding` is that of
    /// the sum it enters.
    pub(super) fn pull(
        self,
        slope: Bounded,
        distance: Bounded,
        x: Point,
        y: Point,
        rounding: f64,
    ) -> Pull {
        let alike = distance == Bounded::ZERO && self != Self::InnerProduct;
        let without_angle = self == Self::Cosine && (x.norm == 0.0 || y.norm == 0.0);
        if slope == Bounded::ZERO || alike {
            return Pull::default();
        }
        if without_angle {
            // Kernels take the other row's own direction, and then out of the gradient again, up to
            // its rounding.
            let dimensions = x.coordinates.len();
            let rounding = 2.0 * (unit_rounding(dimensions) + sum_rounding(dimensions));
            let anywhere = rounding * slope.magnitude();
            return Pull { anywhere, ..Pull::default() };
        }
        let factor = match self {
            // Too near for a direction: any is right.
            Self::Euclidean if distance.value <= 2.0 * distance.error => {
                let exact = if distance.value > 0.0 { slope.value / distance.value } else { 0.0 };
                let anywhere = 2.0 * slope.magnitude();
                return Pull { coefficient: exact, anywhere, ..Pull::default() };
            }
            Self::Euclidean => Bounded::exact(1.0) / distance,
            Self::SquaredEuclidean => Bounded::exact(2.0),
            Self::Manhattan | Self::Cosine | Self::InnerProduct => Bounded::exact(1.0),
        };
        let coefficient = (slope * factor).widened(rounding);
        let spread = match x.expansion_error(y, square_of(self, distance)) {
            // A rounding of each coordinate less the centre, one of the sum of coefficients and of
            // its product, and one of the difference.
            Some(_) => coefficient.magnitude() * (rounding + 4.0 * ROUNDING),
            None => 0.0,
        };
        Pull { coefficient: coefficient.value, error: coefficient.error, anywhere: 0.0, spread }
    }
}

/// A pair's coefficient in the gradient: dL/dd times the distance's own factor.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Pull {
    coefficient: f64,
    /// How far f32 may be from it.
    error: f64,
    /// What every coordinate of the pair's part of the gradient may be off by, whatever the
    /// coefficient.
    anywhere: f64,
    /// What a coordinate of the pair's part may be off by for each unit that x and y are away from
    /// the centre, where the gradient is expanded: (sum of c) x - sum of c y, of rows less the
    /// centre, is rounded as sums of these and not of their differences.
    spread: f64,
}

impl Pull {
    /// The slope of a distance from that of a score, its negation.
    pub(crate) fn of_score(slope: Bounded) -> Self {
        Self { coefficient: -slope.value, error: slope.error, ..Self::default() }
    }

    /// Adds the gradient with respect to a row of scores.
    pub(crate) fn add_scores(scores: &[Self], values: &mut [f64], errors: &mut [f64]) {
        for ((value, bound), score) in values.iter_mut().zip(errors).zip(scores) {
            *value += score.coefficient;
            *bound += score.error;
        }
    }

    /// Adds the pair's part of the gradient with respect to x. Distances are symmetric: with x and
    /// y exchanged it is y's.
    pub(crate) fn add(
        &self,
        distance: Distance,
        x: Point,
        y: Point,
        values: &mut [f64],
        errors: &mut [f64],
    ) {
        if *self == Self::default() {
            return;
        }
        let Self { coefficient: c, error, anywhere, spread } = *self;
        // Whatever coefficient f32 finds, its rows are rounded.
        let strength = c.abs() + error;
        if x.flushed + y.flushed > 0.0 {
            self.add_flushed(distance, x, y, errors);
        }
        if let (true, Some(centre)) = (spread > 0.0, x.centre) {
            let about = centre.coordinates.iter().zip(&centre.errors);
            let rows = x.coordinates.iter().zip(y.coordinates);
            for ((bound, (x, y)), (middle, doubt)) in errors.iter_mut().zip(rows).zip(about) {
                let reach = (x - middle).abs() + (y - middle).abs() + 2.0 * doubt;
                *bound += spread * reach + 2.0 * SMALLEST;
            }
        }
        let sums = values.iter_mut().zip(errors);
        let coordinates = x.coordinates.iter().zip(y.coordinates);
        match distance {
            Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
                let (x_error, y_error) = (strength * x.error, strength * y.error);
                if anywhere > 0.0 {
                    for ((value, bound), (x, y)) in sums.zip(coordinates) {
                        *value += c * (x - y);
                        *bound += anywhere;
                    }
                } else {
                    for ((value, bound), (x, y)) in sums.zip(coordinates) {
                        *value += c * (x - y);
                        *bound += error * (x - y).abs() + x_error * x.abs() + y_error * y.abs();
                    }
                }
            }
            Distance::Manhattan => {
                for ((value, bound), (&u, &v)) in sums.zip(coordinates) {
                    *value += c * sign(u - v);
                    let doubt = x.error * u.abs() + y.error * v.abs();
                    let ambiguous = doubt > 0.0 && (u - v).abs() <= doubt;
                    *bound +=
                        if ambiguous { 2.0 * strength + error } else { error * sign(u - v).abs() };
                }
            }
            Distance::InnerProduct => {
                let error = error + strength * y.error;
                for ((value, bound), (_, y)) in sums.zip(coordinates) {
                    *value -= c * y;
                    *bound += error * y.abs();
                }
            }
        }
    }
}

impl Pull {
    /// Adds what f32 may lose where it flushes coordinates or their differences.
    fn add_flushed(&self, distance: Distance, x: Point, y: Point, errors: &mut [f64]) {
        let strength = self.coefficient.abs() + self.error;
        for ((bound, &u), &v) in errors.iter_mut().zip(x.coordinates).zip(y.coordinates) {
            let apart = (u - v).abs();
            let lost = x.lost(u) + y.lost(v);
            *bound += match distance {
                Distance::InnerProduct => strength * y.lost(v),
                // Equals have no sign.
                _ if apart == 0.0 => 0.0,
                Distance::Manhattan if apart <= lost => 2.0 * strength,
                Distance::Manhattan if apart < SMALLEST => strength,
                Distance::Manhattan => 0.0,
                _ if apart < SMALLEST => strength * apart.max(lost),
                _ => strength * lost,
            };
        }
    }
}

/// The square of a Euclidean distance, or of one that is its square.
fn square_of(kind: Distance, distance: Bounded) -> f64 {
    match kind {
        Distance::Euclidean => distance.value * distance.value,
        _ => distance.value,
    }
}

/// The sign, 0 of 0.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
