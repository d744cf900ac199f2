//! The five distances, their gradients, and how far f32 kernels may be from both.
//!
//! The kernels take differences of coordinates and add up D of them one after the other. Roundings
//! go either way, so that such a sum is off by about sqrt(D) roundings and not by D. Where unit
//! rows are used, they are off themselves: by the rounding of the norm and of the division.

use super::bounded::Bounded;
use crate::data::arithmetic::{CENTRE_ROWS, NEAR_SHARE, ORDINARY, TINY, centre_step};
use crate::definition::number::{Number, ROUNDING, SMALLEST, ULP};
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
#[derive(Clone)]
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
    /// The least and the most that f32 may find for the squared norm of each row less the centre,
    /// where distances are expanded.
    squares: Option<Vec<[f64; 2]>>,
    centre: Option<Centre>,
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
    squares: Option<[f64; 2]>,
    centre: Option<&'a Centre>,
}

/// What f32 takes out of all rows before it expands their distances.
#[derive(Clone)]
pub(super) struct Centre {
    coordinates: Vec<f64>,
    /// How far f32 may be from each.
    errors: Vec<f64>,
    /// What a square of 1 is, at the scale that the squares are taken at.
    unit: f64,
}

impl Centre {
    /// The mean of the rows that `shaders/prepare/centre.wgsl` takes. Its sum is a chain of up to
    /// 64 numbers in each of 16 lanes, and one over the lanes. Distances are `kind`, of these rows
    /// and of `queries`.
    pub(crate) fn of(kind: Distance, points: &Points, queries: &Points) -> Self {
        let largest = points.largest().max(queries.largest());
        let is_scaled = kind == Distance::Euclidean
            && !points.unit
            && largest > 0.0
            && !ORDINARY.contains(&largest);
        let unit = if is_scaled { largest * largest } else { 1.0 };
        let step = centre_step(points.len());
        let rows: Vec<_> = (0..points.len()).step_by(step).map(|row| points.row(row)).collect();
        let mean = |k: usize, of: fn(f64) -> f64| {
            rows.iter().map(|row| of(row.coordinates[k])).sum::<f64>() / rows.len().max(1) as f64
        };
        let rounding = 100.0 * ROUNDING + unit_rounding(points.dimensions);
        let dimensions = 0..points.dimensions;
        Self {
            coordinates: dimensions.clone().map(|k| mean(k, |x| x)).collect(),
            errors: dimensions
                .map(|k| rounding * mean(k, f64::abs) + 2.0 * CENTRE_ROWS as f64 * SMALLEST)
                .collect(),
            unit,
        }
    }
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
                squares: None,
                centre: None,
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
            squares: None,
            centre: None,
        }
    }

    /// The points whose distances are expanded about this centre.
    pub(crate) fn expanded(mut self, centre: &Centre) -> Self {
        let squares = |row: usize| {
            let point = self.row(row);
            let about = centre.coordinates.iter().zip(&centre.errors);
            let mut squares = [0.0, 0.0];
            for (&x, (&middle, &error)) in point.coordinates.iter().zip(about) {
                let apart = (x - middle).abs();
                let error = error + x.abs() * point.error + 2.0 * ROUNDING * apart;
                squares[0] += (apart - error).max(0.0).powi(2);
                squares[1] += (apart + error).powi(2);
            }
            let rounding = sum_rounding(self.dimensions);
            [squares[0] * (1.0 - rounding), squares[1] * (1.0 + rounding)]
        };
        self.squares = Some((0..self.len()).map(squares).collect());
        self.centre = Some(centre.clone());
        self
    }

    /// The size of the largest coordinate.
    fn largest(&self) -> f64 {
        self.coordinates.iter().fold(0.0, |largest, x| x.abs().max(largest))
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
            squares: self.squares.as_ref().map(|squares| squares[index]),
            centre: self.centre.as_ref(),
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

    /// How far f32 may be from the square of the distance where it expands it:
    /// |x|^2 + |y|^2 - 2 x.y of rows less their centre. `None` where it surely computes it from the
    /// difference, because it is too small a share of |x|^2 + |y|^2.
    ///
    /// Each square is a sum of D products, off by (2 + sqrt(D)) roundings of itself. So is the
    /// product, of |x| |y|, which is at most half of the two squares and is taken twice. A rounding
    /// of each coordinate less the centre moves both rows, which makes at most 2 sqrt(2) roundings
    /// of the squares. Two more are those of the sum and the difference. What is flushed is no
    /// more than a number of the smallest size for every product, at the scale of the squares.
    fn expansion_error(self, other: Self, square: f64) -> Option<f64> {
        let ([least, most], [other_least, other_most]) = (self.squares?, other.squares?);
        let unit = self.centre?.unit;
        let dimensions = self.coordinates.len();
        let rounding = 2.0 * sum_rounding(dimensions) + 6.0 * ROUNDING;
        let flushed = 4.0 * (4.0 + dimensions as f64) * SMALLEST * unit;
        let error = rounding * (most + other_most) + flushed;
        let near = (NEAR_SHARE * (least + other_least)).max(TINY * unit / 4.0);
        (square + error >= near).then_some(error)
    }

    /// The rounding of a distance whose lowest bit says whether its pair is near.
    fn mark(self) -> f64 {
        if self.centre.is_some() { ULP } else { 0.0 }
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
