//! Rows of coordinates as distances take them, and how far those of f32 may be from them.

use crate::data::arithmetic::{Arithmetic, CENTRE_ROWS, NEAR_SHARE, ORDINARY, TINY, centre_step};
use crate::definition::number::{ROUNDING, SMALLEST, ULP};
use crate::loss::Distance;

/// The relative error of the coordinates of a unit row, or of its inverse norm, in f32.
pub(super) fn unit_rounding(dimensions: usize) -> f64 {
    (8.0 + (dimensions as f64).sqrt()) * ROUNDING
}

/// The relative error of a sum of D magnitudes or products in f32.
pub(super) fn sum_rounding(dimensions: usize) -> f64 {
    (2.0 + (dimensions as f64).sqrt()) * ROUNDING
}

/// The relative error of |x| |y| in x.y of rows that are parted into two f16, as
/// `shaders/distance/cooperative.wgsl` does.
///
/// The first part is a number rounded to 11 bits, which leaves at most 2^-11 of it. The second part
/// is an f16 of that, off by less than 2^-10 of it, since a conversion may round either way: 2^-21
/// of each number, and of both rows. The product of second parts, at most 2^-22, is left out. What
/// f16 flushes is less than 2^-14 of a coordinate, where the norm of the row is at least 2^14. A sum
/// of 3 D products in f32 is rounded as any other.
fn parted_rounding(dimensions: usize) -> f64 {
    let parts = 2.5 / f64::from(1 << 21);
    let flushed = 2.0 * (dimensions as f64).sqrt() / f64::from(1 << 28);
    sum_rounding(3 * dimensions) + parts + flushed
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
    pub raw: &'a [f64],
    pub coordinates: &'a [f64],
    /// The norm of the raw row, 0 below the smallest normal f32.
    pub norm: f64,
    pub error: f64,
    pub flushed: f64,
    pub squares: Option<[f64; 2]>,
    pub centre: Option<&'a Centre>,
}

/// What f32 takes out of all rows before it expands their distances.
#[derive(Clone)]
pub(super) struct Centre {
    pub coordinates: Vec<f64>,
    /// How far f32 may be from each.
    pub errors: Vec<f64>,
    /// What a square of 1 is, at the scale that the squares are taken at.
    pub unit: f64,
    /// Whether inner products are of rows that are parted into two f16.
    pub parted: bool,
}

impl Centre {
    /// The mean of the rows that `shaders/prepare/centre.wgsl` takes. Its sum is a chain of up to
    /// 64 numbers in each of 16 lanes, and one over the lanes. Distances are `kind`, of these rows
    /// and of `queries`, by this arithmetic.
    pub(crate) fn of(
        kind: Distance,
        points: &Points,
        queries: &Points,
        arithmetic: Arithmetic,
    ) -> Self {
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
            parted: arithmetic.matrix_side().is_some(),
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
    pub(crate) fn expansion_error(self, other: Self, square: f64) -> Option<f64> {
        let ([least, most], [other_least, other_most]) = (self.squares?, other.squares?);
        let &Centre { unit, parted, .. } = self.centre?;
        let dimensions = self.coordinates.len();
        let of_product = if parted { parted_rounding } else { sum_rounding };
        let rounding = sum_rounding(dimensions) + of_product(dimensions) + 6.0 * ROUNDING;
        let flushed = 4.0 * (4.0 + dimensions as f64) * SMALLEST * unit;
        let error = rounding * (most + other_most) + flushed;
        let near = (NEAR_SHARE * (least + other_least)).max(TINY * unit / 4.0);
        (square + error >= near).then_some(error)
    }

    /// The rounding of a distance whose lowest bit says whether its pair is near.
    pub(crate) fn mark(self) -> f64 {
        if self.centre.is_some() { ULP } else { 0.0 }
    }

    /// What f32 may lose of one of its coordinates: all of it or, of a normal number, nothing.
    pub(crate) fn lost(self, coordinate: f64) -> f64 {
        let magnitude = coordinate.abs();
        if magnitude <= self.flushed { magnitude } else { 0.0 }
    }
}

fn norm(row: &[f64]) -> f64 {
    let norm = sum(row, row, |x, _| x * x).sqrt();
    if norm < SMALLEST { 0.0 } else { norm }
}

/// The sum of `term` over the coordinates of two rows, in eight running sums.
pub(super) fn sum(x: &[f64], y: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The f16 below it in size, 0 below the smallest normal one: the worst of a conversion.
    fn to_half(x: f32) -> f32 {
        let kept = f32::from_bits(x.to_bits() & !0x1fff);
        if kept.abs() < 1.0 / 16384.0 { 0.0 } else { kept }
    }

    /// x.y as the kernel has it, of rows whose norm is below 2^15, in chains of f32.
    fn product_of_parts(x: &[f32], y: &[f32]) -> f32 {
        let parts = |x: f32| {
            let leading = f32::from_bits((x.to_bits() + 0x1000) & !0x1fff);
            [to_half(leading), to_half(x - leading)]
        };
        x.iter().zip(y).fold(0.0, |sum, (&x, &y)| {
            let ([high_x, low_x], [high_y, low_y]) = (parts(x), parts(y));
            sum + low_x * high_y + high_x * low_y + high_x * high_y
        })
    }

    #[test]
    fn products_of_parts_are_within_their_bound_and_near_it() {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f32::from_bits((state >> 9) | 0x3f80_0000) - 1.5
        };
        for (dimensions, least) in [(1, 0.1), (2, 0.1), (8, 0.08), (128, 0.05)] {
            let mut worst = 0.0_f64;
            for turn in 0..2000 {
                // In every other row all but one number are so small that f16 flushes them.
                let small = if turn % 2 == 0 { 1.0 } else { 1e-9 };
                let mut row = || {
                    let mut row: Vec<_> = (0..dimensions).map(|_| next() * small).collect();
                    row[0] = next();
                    let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
                    let scale = 2.0_f32.powi(14 - norm.log2().floor() as i32);
                    row.iter().map(|x| x * scale).collect::<Vec<_>>()
                };
                let (x, y) = (row(), row());
                let wide = |row: &[f32]| row.iter().map(|&x| f64::from(x)).collect::<Vec<_>>();
                let exact = sum(&wide(&x), &wide(&y), |x, y| x * y);
                let size = norm(&wide(&x)) * norm(&wide(&y));
                let error = (f64::from(product_of_parts(&x, &y)) - exact).abs();
                worst = worst.max(error / size / parted_rounding(dimensions));
            }
            assert!(
                (least..=1.0).contains(&worst),
                "{worst} of the bound, {dimensions} dimensions"
            );
        }
    }
}
