//! Rows as a distance takes them: as they are, or divided by their norms.

use multiversion::multiversion;

use super::pulls::GROUP;
use super::tiles::LANES;
use crate::definition::anchor::Order;
use crate::definition::number::SMALLEST;
use crate::loss::Distance;
use crate::parallel::prelude::*;

/// Rows of coordinates, padded with zeros to whole vectors, with a group of such rows behind the last.
pub(super) struct Points {
    coordinates: Vec<f32>,
    /// The norm of each raw row, 0 below the smallest normal f32; nothing where rows are as they are.
    norms: Vec<f64>,
    /// The rows of norm 0.
    zeros: Vec<usize>,
    len: usize,
    dimensions: usize,
    stride: usize,
}

impl Points {
    /// Packs raw rows, which may be set in another order.
    pub(super) fn new(raw: &[f32], dimensions: usize, unit: bool, order: Option<&Order>) -> Self {
        let len = raw.len() / dimensions;
        let stride = dimensions.next_multiple_of(LANES);
        let mut coordinates = vec![0.0; (len + GROUP) * stride];
        let rows = coordinates[..len * stride].par_chunks_exact_mut(stride).enumerate();
        let norms = rows.map(|(place, row)| {
            let name = order.map_or(place, |order| order.names[place] as usize);
            let raw = &raw[name * dimensions..(name + 1) * dimensions];
            let row = &mut row[..dimensions];
            if unit {
                divide(raw, row)
            } else {
                row.copy_from_slice(raw);
                1.0
            }
        });
        let norms: Vec<_> = norms.collect();
        let zeros = (0..len).filter(|&row| norms[row] == 0.0).collect();
        let norms = if unit { norms } else { Vec::new() };
        Self { coordinates, norms, zeros, len, dimensions, stride }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Numbers from one row to the next.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// The coordinates of a group of rows that begins at this one; 0 behind the last row.
    pub(super) fn group(&self, first: usize) -> &[f32] {
        &self.coordinates[first * self.stride..][..GROUP * self.stride]
    }

    /// The coordinates of all rows.
    pub(super) fn rows(&self) -> &[f32] {
        &self.coordinates[..self.len * self.stride]
    }

    /// One of the rows.
    pub(super) fn row(&self, index: usize) -> &[f32] {
        &self.coordinates[index * self.stride..][..self.dimensions]
    }

    /// Whether the row has no direction.
    pub(super) fn is_zero(&self, index: usize) -> bool {
        self.norms.get(index) == Some(&0.0)
    }

    /// The rows that have no direction.
    pub(super) fn zeros(&self) -> &[usize] {
        &self.zeros
    }

    /// Turns the gradient with respect to the coordinates of a row into the one with respect to the
    /// raw row: (g - (g.u) u) / norm for unit rows, 0 where the norm is 0.
    pub(super) fn to_raw(&self, index: usize, gradient: &mut [f64]) {
        let Some(&norm) = self.norms.get(index) else { return };
        if norm == 0.0 {
            return gradient.fill(0.0);
        }
        project(gradient, self.row(index), 1.0 / norm);
    }
}

/// Takes what is along a unit row out of a gradient, which is multiplied by a factor.
#[multiversion(targets = "simd")]
fn project(gradient: &mut [f64], unit: &[f32], factor: f64) {
    let along = sum(gradient, unit, |g, u| g * u);
    for (g, &u) in gradient.iter_mut().zip(unit) {
        *g = (*g - along * f64::from(u)) * factor;
    }
}

/// A raw row divided by its norm, which comes back.
#[multiversion(targets = "simd")]
fn divide(raw: &[f32], unit: &mut [f32]) -> f64 {
    let norm = sum(raw, raw, |x, _| x * x).sqrt();
    if norm < SMALLEST {
        return 0.0;
    }
    let factor = 1.0 / norm;
    for (coordinate, &x) in unit.iter_mut().zip(raw) {
        *coordinate = (f64::from(x) * factor) as f32;
    }
    norm
}

/// The sum of `term` over the coordinates of two rows, in eight running sums.
#[inline(always)]
fn sum<X: Copy + Into<f64>>(x: &[X], y: &[f32], term: impl Fn(f64, f64) -> f64) -> f64 {
    let term = |(&x, &y): (&X, &f32)| term(x.into(), y.into());
    let mut lanes = [0.0; 8];
    let (x_chunks, y_chunks) = (x.chunks_exact(8), y.chunks_exact(8));
    let rest: f64 = x_chunks.remainder().iter().zip(y_chunks.remainder()).map(term).sum();
    for (x, y) in x_chunks.zip(y_chunks) {
        for (lane, pair) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += term(pair);
        }
    }
    lanes.iter().sum::<f64>() + rest
}

/// A distance in f64: of a listed pair, or where the squares of f32 are too small or too large.
pub(super) fn between(distance: Distance, [x, y]: [&Points; 2], [i, j]: [usize; 2]) -> f64 {
    let (u, v) = (x.row(i), y.row(j));
    let squares = || sum(u, v, |x, y| (x - y) * (x - y));
    match distance {
        Distance::Euclidean => {
            let d = squares().sqrt();
            if d < SMALLEST { 0.0 } else { d }
        }
        Distance::SquaredEuclidean => squares(),
        Distance::Manhattan => sum(u, v, |x, y| (x - y).abs()),
        Distance::Cosine if x.is_zero(i) || y.is_zero(j) => 1.0,
        Distance::Cosine => (0.5 * squares()).min(2.0),
        Distance::InnerProduct => -sum(u, v, |x, y| x * y),
    }
}

/// How strongly a pair with this slope pulls at its rows, to their difference, their signs or the
/// other row: dL/dd times the distance's own factor. Rows `without_angle` pull at nothing.
#[inline]
pub(super) fn coefficient(
    distance: Distance,
    slope: f64,
    d: f64,
    without_angle: impl FnOnce() -> bool,
) -> f64 {
    match distance {
        Distance::InnerProduct => slope,
        Distance::Cosine if without_angle() => 0.0,
        Distance::Euclidean if d == 0.0 => 0.0,
        Distance::Euclidean => slope / d,
        Distance::SquaredEuclidean => 2.0 * slope,
        Distance::Manhattan | Distance::Cosine => slope,
    }
}
