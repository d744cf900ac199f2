//! The inner loop of distances, by direct differences, on tiles that stay in registers.
//!
//! It is a plain loop over arrays, compiled once for each set of vector instructions and chosen at
//! run time. The sum of a pair has one order, whatever the tile: where a machine fuses
//! multiplications and additions, its bits are its own, and always the same.

use std::ops::{Range, RangeInclusive};

use bytemuck::{Pod, Zeroable};
use multiversion::multiversion;
use multiversion::target::target_cfg_f;

use super::points::Points;
use super::pulls::GROUP;
use crate::loss::Distance;
use crate::parallel::prelude::*;

/// Columns of a tile of distances, and what rows are padded to.
pub(super) const LANES: usize = 16;

/// Does something for each row of a tile of 4 or 8, written out: the compiler leaves loops of this
/// size as they are, and then keeps the tile in memory.
macro_rules! for_rows {
    ($rows:expr, $row:ident, $work:block) => {
        for_rows! { $row, $work, 0, 1, 2, 3 }
        if $rows > 4 {
            for_rows! { $row, $work, 4, 5, 6, 7 }
        }
    };
    ($row:ident, $work:block, $($at:literal),*) => {
        $({
            let $row = $at;
            $work
        })*
    };
}
pub(super) use for_rows;

/// a b + c, in one rounding where the machine has that.
#[inline(always)]
pub(super) fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// What a coordinate of two rows adds to the sum of their distance: squares, magnitudes or
/// products.
#[inline(always)]
fn add_part<const SUM: u8, const FUSED: bool>(x: f32, y: f32, sum: f32) -> f32 {
    match SUM {
        SQUARES => multiply_add::<FUSED>(y - x, y - x, sum),
        MAGNITUDES => sum + (x - y).abs(),
        _ => multiply_add::<FUSED>(x, y, sum),
    }
}

const SQUARES: u8 = 0;
const MAGNITUDES: u8 = 1;
const PRODUCTS: u8 = 2;

/// 16 numbers that are one line of the cache: a vector of them is never read from two.
#[derive(Clone, Copy, Default, Pod, Zeroable)]
#[repr(C, align(64))]
pub(super) struct Line(pub [f32; LANES]);

/// Rows in panels of 16, in each of which the 16 rows' first coordinates come first, then their
/// second ones.
pub(super) struct Panels {
    lines: Vec<Line>,
    dimensions: usize,
}

impl Panels {
    pub(super) fn of(points: &Points, rows: Range<usize>) -> Self {
        let dimensions = points.dimensions();
        let panels = rows.len().div_ceil(LANES);
        let lines = (0..panels * dimensions).into_par_iter().map(|at| {
            let (panel, k) = (at / dimensions, at % dimensions);
            let first = rows.start + panel * LANES;
            Line(std::array::from_fn(|lane| match first + lane {
                row if row < rows.end => points.row(row)[k],
                _ => 0.0,
            }))
        });
        Self { lines: lines.collect(), dimensions }
    }

    /// The whole panels of these rows, which begin with one.
    fn rows(&self, rows: &Range<usize>) -> &[f32] {
        let panels = rows.start / LANES..rows.end.div_ceil(LANES);
        let lines = &self.lines[panels.start * self.dimensions..panels.end * self.dimensions];
        bytemuck::cast_slice(lines)
    }
}

/// Some rows of a matrix and columns of it, both of which begin with a panel.
pub(super) struct Tiles<'a> {
    pub panels: [&'a Panels; 2],
    pub rows: Range<usize>,
    pub columns: Range<usize>,
}

impl Tiles<'_> {
    /// The sum that the distance is made of, for each pair of them: rows of `sums` with so many
    /// numbers from one to the next, padded to whole panels.
    pub(super) fn sums(&self, distance: Distance, sums: &mut [f32], stride: usize) {
        sums_of(distance, self, sums, stride);
    }
}

#[multiversion(targets = "simd")]
fn sums_of(distance: Distance, tiles: &Tiles, sums: &mut [f32], stride: usize) {
    let is_wide = target_cfg_f!(target_feature = "avx512f");
    let is_fused = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    match (is_wide, is_fused) {
        (true, _) => sums_with::<8, true>(distance, tiles, sums, stride),
        (false, true) => sums_with::<4, true>(distance, tiles, sums, stride),
        (false, false) => sums_with::<4, false>(distance, tiles, sums, stride),
    }
}

#[inline(always)]
fn sums_with<const ROWS: usize, const FUSED: bool>(
    distance: Distance,
    tiles: &Tiles,
    sums: &mut [f32],
    stride: usize,
) {
    match distance {
        Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
            sums_by::<ROWS, SQUARES, FUSED>(tiles, sums, stride);
        }
        Distance::Manhattan => sums_by::<ROWS, MAGNITUDES, FUSED>(tiles, sums, stride),
        Distance::InnerProduct => sums_by::<ROWS, PRODUCTS, FUSED>(tiles, sums, stride),
    }
}

#[inline(always)]
fn sums_by<const ROWS: usize, const SUM: u8, const FUSED: bool>(
    Tiles { panels: [of_rows, of_columns], rows, columns }: &Tiles,
    sums: &mut [f32],
    stride: usize,
) {
    let size = LANES * of_columns.dimensions;
    for (at, panel) in of_columns.rows(columns).chunks_exact(size).enumerate() {
        for tile in 0..rows.len().div_ceil(ROWS) {
            let first = tile * ROWS;
            let tile = &of_rows.rows(rows)[first / LANES * size..][..size];
            let found = tile_sums::<ROWS, SUM, FUSED>(tile, first % LANES, panel);
            let written = (rows.len() - first).min(ROWS);
            for (row, found) in found.iter().enumerate().take(written) {
                sums[(first + row) * stride + at * LANES..][..LANES].copy_from_slice(found);
            }
        }
    }
}

/// Coordinates that are added up before their sum is: equal ones, which round alike, would pile up
/// their roundings.
const PART: usize = 64;

#[inline(always)]
fn tile_sums<const ROWS: usize, const SUM: u8, const FUSED: bool>(
    rows: &[f32],
    first: usize,
    columns: &[f32],
) -> [[f32; LANES]; ROWS] {
    // Which lets no check into the loop.
    assert!(first <= LANES - ROWS, "a tile is of one panel");
    let mut sums = [[0.0; LANES]; ROWS];
    for (rows, columns) in rows.chunks(PART * LANES).zip(columns.chunks(PART * LANES)) {
        let mut part = [[0.0; LANES]; ROWS];
        for (x, y) in rows.chunks_exact(LANES).zip(columns.chunks_exact(LANES)) {
            let x = &x[first..first + ROWS];
            for_rows!(ROWS, row, {
                for (part, &y) in part[row].iter_mut().zip(y) {
                    *part = add_part::<SUM, FUSED>(x[row], y, *part);
                }
            });
        }
        for_rows!(ROWS, row, {
            for (sum, part) in sums[row].iter_mut().zip(&part[row]) {
                *sum += part;
            }
        });
    }
    sums
}

/// Sets `lower` to what `upper` is across the diagonal: its columns to so many rows of the other.
pub(super) fn mirror(upper: &[f32], lower: &mut [f32], stride: usize, rows: usize) {
    let columns = lower.len().div_ceil(stride);
    for first in (0..rows).step_by(GROUP) {
        let row = |at: usize| &upper[(first + at) * stride..][..columns];
        if first + GROUP > rows {
            for (column, lower) in lower.chunks_mut(stride).enumerate() {
                (first..rows).for_each(|at| lower[at] = row(at - first)[column]);
            }
            return;
        }
        let of_group: [&[f32]; GROUP] = std::array::from_fn(row);
        for (column, lower) in lower.chunks_mut(stride).enumerate() {
            let lower = &mut lower[first..first + GROUP];
            for_rows!(GROUP, row, {
                lower[row] = of_group[row][column];
            });
        }
    }
}

/// Sums of squares in between are as good in f32 as they can be: beyond, squares are lost.
const FINE: RangeInclusive<f32> = TINY..=HUGE;
const TINY: f32 = 1.0 / (1_u128 << 80) as f32;
const HUGE: f32 = (1_u128 << 126) as f32;

/// Roots of sums of squares, of which so many are known to be 0. What is lost in f32 is found by its
/// place.
#[multiversion(targets = "simd")]
pub(super) fn root<F: Fn(usize) -> f32>(sums: &mut [f32], zeros: u32, find: F) {
    let rough: u32 = sums.iter().map(|sum| u32::from(!FINE.contains(sum))).sum();
    if rough <= zeros {
        return sums.iter_mut().for_each(|sum| *sum = sum.sqrt());
    }
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum = if FINE.contains(sum) { sum.sqrt() } else { find(at) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: usize = 11;
    const COLUMNS: usize = 19;
    const DIMENSIONS: usize = 21;
    const STRIDE: usize = 32;

    /// Rows of small multiples of 1 / 8, whose sums no arithmetic rounds.
    fn rows(count: usize) -> Vec<f32> {
        let number = |at: usize| match at % STRIDE {
            k if k < DIMENSIONS => (at * at % 13) as f32 / 8.0 - 0.75,
            _ => 0.0,
        };
        (0..count * STRIDE).map(number).collect()
    }

    fn directly(distance: Distance, x: &[f32], y: &[f32]) -> f32 {
        let part = |(&x, &y): (&f32, &f32)| match distance {
            Distance::Manhattan => (x - y).abs(),
            Distance::InnerProduct => x * y,
            Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
                (x - y) * (x - y)
            }
        };
        x.iter().zip(y).map(part).sum()
    }

    fn points(rows: &[f32]) -> Points {
        let raw: Vec<_> =
            rows.chunks_exact(STRIDE).flat_map(|row| &row[..DIMENSIONS]).copied().collect();
        Points::new(&raw, DIMENSIONS, false, None)
    }

    /// The sums with the vectors of this machine and those compiled for any: all are exact here.
    #[test]
    fn sums_are_those_of_the_definition_on_every_path() {
        let (x, y) = (rows(COUNT), rows(COLUMNS));
        let panels = [Panels::of(&points(&x), 0..COUNT), Panels::of(&points(&y), 0..COLUMNS)];
        let [rows, columns] = panels.each_ref();
        let tiles = Tiles { panels: [rows, columns], rows: 0..COUNT, columns: 0..COLUMNS };
        let padded = COLUMNS.next_multiple_of(LANES);
        for distance in Distance::ALL {
            let mut found = [(); 4].map(|()| vec![0.0; COUNT * padded]);
            let [chosen, wide, fused, portable] = &mut found;
            tiles.sums(distance, chosen, padded);
            sums_with::<8, true>(distance, &tiles, wide, padded);
            sums_with::<4, true>(distance, &tiles, fused, padded);
            sums_with::<4, false>(distance, &tiles, portable, padded);
            for (at, sum) in chosen.iter().enumerate().filter(|(at, _)| at % padded < COLUMNS) {
                let (row, column) = (at / padded * STRIDE, at % padded * STRIDE);
                let expected =
                    directly(distance, &x[row..row + STRIDE], &y[column..column + STRIDE]);
                assert_eq!(*sum, expected, "{distance:?} at {at}");
            }
            assert!(found.iter().all(|other| *other == found[0]), "{distance:?}");
        }
    }

    #[test]
    fn what_is_below_the_diagonal_is_what_is_above() {
        let stride = 48;
        let (rows, columns) = (33, 19);
        let upper: Vec<_> = (0..rows * stride).map(|at| at as f32).collect();
        let mut lower = vec![0.0; columns * stride];
        mirror(&upper, &mut lower, stride, rows);
        for (at, &number) in lower.iter().enumerate() {
            let (column, row) = (at / stride, at % stride);
            let expected = if row < rows { upper[row * stride + column] } else { 0.0 };
            assert_eq!(number, expected, "row {row}, column {column}");
        }
    }
}
