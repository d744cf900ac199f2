//! The five distances, their gradients, and how far f32 kernels may be from both.
//!
//! The kernels take differences of coordinates and add up D of them one after the other. Roundings
//! go either way, so that such a sum is off by about sqrt(D) roundings and not by D. Where unit
//! rows are used, they are off themselves: by the rounding of the norm and of the division.

use super::bounded::Bounded;
use crate::definition::number::{Number, ROUNDING, SMALLEST};
use crate::loss::Distance;

/// The relative error of the coordinates of a unit row, or of its inverse norm, in f32.
fn unit_rounding(dimensions: usize) -> f64 {
    (8.0 + (dimensions as f64).sqrt()) * ROUNDING
}

/// The relative error of a sum of D magnitudes or products in f32.
fn sum_rounding(dimensions: usize) -> f64 {
    (2.0 + (dimensions as f64).sqrt()) * ROUNDING
}

/// Two f32 whose magnitudes are from here on have a difference that is 0 or a normal number.
const COARSE: f64 = SMALLEST * (1 << 24) as f64;

/// Rows of coordinates as a distance takes them: as they are, or divided by their norms.
pub(super) struct Points {
    raw: Vec<f64>,
    coordinates: Vec<f64>,
    dimensions: usize,
    norms: Vec<f64>,
    /// The relative error of a row in f32; 0 for rows as they are.
    errors: Vec<f64>,
    /// What any coordinate of a row may lose where f32 flushes it or what it is made of; 0 for
    /// rows whose differences are all normal numbers.
    flushed: Vec<f64>,
    unit: bool,
}

/// One of the rows.
#[derive(Clone, Copy)]
pub(super) struct Point<'a> {
    raw: &'a [f64],
    coordinates: &'a [f64],
    /// The norm of the raw row, 0 below the smallest normal f32.
    norm: f64,
    error: f64,
    flushed: f64,
}

impl Points {
    pub(crate) fn new(raw: Vec<f64>, dimensions: usize, unit: bool) -> Self {
        let rows = || raw.chunks_exact(dimensions);
        let norms: Vec<_> = rows().map(norm).collect();
        let is_fine = |row: &[f64]| row.iter().any(|&x| x != 0.0 && x.abs() < COARSE);
        let loss = |norm: f64| if unit { SMALLEST + SMALLEST / norm } else { SMALLEST };
        let flushed = rows().zip(&norms).map(|(row, &norm)| match norm {
            0.0 if unit => 0.0,
            _ if is_fine(row) => loss(norm),
            _ => 0.0,
        });
        let flushed = flushed.collect();
        if !unit {
            let errors = vec![0.0; norms.len()];
            return Self {
                coordinates: raw.clone(),
                raw,
                dimensions,
                norms,
                errors,
                flushed,
                unit,
            };
        }
        let unit_part = |x: f64, norm: f64| if norm > 0.0 { x / norm } else { 0.0 };
        // Coordinates below the smallest normal f32 may be flushed to 0.
        let root = (dimensions as f64).sqrt();
        let error = |norm: f64| match norm {
            0.0 => 0.0,
            _ => unit_rounding(dimensions) + root * SMALLEST / norm,
        };
        let coordinates = rows()
            .zip(&norms)
            .flat_map(|(row, &norm)| row.iter().map(move |&x| unit_part(x, norm)));
        Self {
            coordinates: coordinates.collect(),
            errors: norms.iter().map(|&norm| error(norm)).collect(),
            raw,
            dimensions,
            norms,
            flushed,
            unit,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.norms.len()
    }

    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    pub(crate) fn row(&self, index: usize) -> Point<'_> {
        let range = index * self.dimensions..(index + 1) * self.dimensions;
        Point {
            raw: &self.raw[range.clone()],
            coordinates: &self.coordinates[range],
            norm: self.norms[index],
            error: self.errors[index],
            flushed: self.flushed[index],
        }
    }

    /// What the division by the row's norm makes of a number that f32 has flushed.
    pub(crate) fn flushed_gradient(&self, index: usize) -> f64 {
        match self.norms[index] {
            norm if self.unit && norm > 0.0 => SMALLEST + SMALLEST / norm,
            _ => SMALLEST,
        }
    }

    /// Turns the gradient with respect to the coordinates into the one with respect to the raw row:
    /// (g - (g.u) u) / norm for unit rows, 0 where the norm is 0.
    pub(crate) fn to_raw(&self, index: usize, values: &mut [f64], errors: &mut [f64]) {
        if !self.unit {
            return;
        }
        let Point { coordinates, norm, error, .. } = self.row(index);
        if norm == 0.0 {
            values.fill(0.0);
            errors.fill(0.0);
            return;
        }
        let along = sum(values, coordinates, |g, u| g * u);
        let magnitude = sum(values, coordinates, |g, u| (g * u).abs());
        let along_error = sum(errors, coordinates, |e, u| e * u.abs())
            + magnitude * (error + sum_rounding(self.dimensions));
        for ((value, bound), u) in values.iter_mut().zip(errors).zip(coordinates) {
            let across = *value - along * u;
            *bound += along_error * u.abs() + (along * u).abs() * error;
            *bound += 2.0 * ROUNDING * (value.abs() + (along * u).abs()) + across.abs() * error;
            *bound /= norm;
            *value = across / norm;
        }
    }
}

impl<'a> Point<'a> {
    pub(crate) fn raw(self) -> &'a [f64] {
        self.raw
    }

    /// What f32 may lose of one of its coordinates: all of it or, of a normal number, nothing.
    fn lost(self, coordinate: f64) -> f64 {
        let magnitude = coordinate.abs();
        if magnitude <= self.flushed { magnitude } else { 0.0 }
    }
}

fn norm(row: &[f64]) -> f64 {
    let norm = sum(row, row, |x, _| x * x).sqrt();
    if norm < SMALLEST { 0.0 } else { norm }
}

/// The sum of `term` over the coordinates of two rows, in eight running sums.
fn sum(x: &[f64], y: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let mut lanes = [0.0; 8];
    let (x_chunks, y_chunks) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 =
        x_chunks.remainder().iter().zip(y_chunks.remainder()).map(|(&x, &y)| term(x, y)).sum();
    for (x, y) in x_chunks.zip(y_chunks) {
        for ((lane, &x), &y) in lanes.iter_mut().zip(x).zip(y) {
            *lane += term(x, y);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

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
                Bounded::new(d, shift + 4.0 * root * SMALLEST).widened((10.0 + root) * ROUNDING)
            }
            Self::SquaredEuclidean => {
                let square = squares();
                Bounded::new(square, shift * (2.0 * square.sqrt() + shift) + flushed)
                    .widened((4.0 + 2.0 * root) * ROUNDING)
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
            return Pull { coefficient: 0.0, error: 0.0, anywhere: rounding * slope.magnitude() };
        }
        let factor = match self {
            // Too near for a direction: any is right.
            Self::Euclidean if distance.value <= 2.0 * distance.error => {
                let exact = if distance.value > 0.0 { slope.value / distance.value } else { 0.0 };
                return Pull { coefficient: exact, error: 0.0, anywhere: 2.0 * slope.magnitude() };
            }
            Self::Euclidean => Bounded::exact(1.0) / distance,
            Self::SquaredEuclidean => Bounded::exact(2.0),
            Self::Manhattan | Self::Cosine | Self::InnerProduct => Bounded::exact(1.0),
        };
        let coefficient = (slope * factor).widened(rounding);
        Pull { coefficient: coefficient.value, error: coefficient.error, anywhere: 0.0 }
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
}

impl Pull {
    /// The slope of a distance from that of a score, its negation.
    pub(crate) fn of_score(slope: Bounded) -> Self {
        Self { coefficient: -slope.value, error: slope.error, anywhere: 0.0 }
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
        let Self { coefficient: c, error, anywhere } = *self;
        // Whatever coefficient f32 finds, its rows are rounded.
        let strength = c.abs() + error;
        if x.flushed + y.flushed > 0.0 {
            self.add_flushed(distance, x, y, errors);
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

/// The sign, 0 of 0.
fn sign(x: f64) -> f64 {
    if x == 0.0 { 0.0 } else { x.signum() }
}
