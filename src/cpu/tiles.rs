//! The two inner loops, of distances and of gradients, by direct differences, on tiles that stay in
//! registers.
//!
//! They are plain loops over arrays, compiled once for each set of vector instructions and chosen
//! at run time. The sums of a pair and of a coordinate have one order, whatever the tile: where a
//! machine fuses multiplications and additions, its bits are its own, and always the same.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

use crate::loss::Distance;

/// Columns of a tile of distances, and what rows are padded to.
pub(super) const LANES: usize = 16;

/// Rows of a tile of distances.
const ROWS: usize = 4;

/// Rows of a tile of gradients.
pub(super) const GROUP: usize = 8;

/// a b + c, in one rounding where the machine has that.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// What a coordinate of two rows adds to the sum of their distance: squares, magnitudes or
/// products.
#[inline(always)]
fn add_part<const SUM: u8, const FUSED: bool>(x: f32, y: f32, sum: f32) -> f32 {
    match SUM {
        SQUARES => multiply_add::<FUSED>(x - y, x - y, sum),
        MAGNITUDES => sum + (x - y).abs(),
        _ => multiply_add::<FUSED>(x, y, sum),
    }
}

const SQUARES: u8 = 0;
const MAGNITUDES: u8 = 1;
const PRODUCTS: u8 = 2;

/// The columns of the matrix of distances: panels of 16, in each of which the 16 columns' first
/// coordinates come first, then their second ones.
pub(super) struct Panels {
    numbers: Vec<f32>,
    dimensions: usize,
}

impl Panels {
    /// Of rows with so many numbers from one to the next.
    pub(super) fn of(rows: &[f32], stride: usize, dimensions: usize) -> Self {
        let count = (rows.len() / stride).next_multiple_of(LANES);
        let mut numbers = vec![0.0; count * dimensions];
        for (column, row) in rows.chunks_exact(stride).enumerate() {
            let panel = &mut numbers[column / LANES * LANES * dimensions..];
            for (k, &number) in row[..dimensions].iter().enumerate() {
                panel[k * LANES + column % LANES] = number;
            }
        }
        Self { numbers, dimensions }
    }

    /// The sum that the distance is made of, for each of these rows and every column: as many rows
    /// of `sums`, padded to whole panels.
    pub(super) fn sums(&self, distance: Distance, rows: &[f32], stride: usize, sums: &mut [f32]) {
        sums_of(distance, [rows, &self.numbers], [stride, self.dimensions], sums);
    }
}

#[multiversion(targets = "simd")]
fn sums_of(
    distance: Distance,
    [rows, panels]: [&[f32]; 2],
    [stride, dimensions]: [usize; 2],
    sums: &mut [f32],
) {
    if target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64")) {
        sums_with::<true>(distance, rows, panels, stride, dimensions, sums);
    } else {
        sums_with::<false>(distance, rows, panels, stride, dimensions, sums);
    }
}

#[inline(always)]
fn sums_with<const FUSED: bool>(
    distance: Distance,
    rows: &[f32],
    panels: &[f32],
    stride: usize,
    dimensions: usize,
    sums: &mut [f32],
) {
    let sizes = [stride, dimensions];
    match distance {
        Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
            sums_by::<SQUARES, FUSED>(rows, panels, sizes, sums);
        }
        Distance::Manhattan => sums_by::<MAGNITUDES, FUSED>(rows, panels, sizes, sums),
        Distance::InnerProduct => sums_by::<PRODUCTS, FUSED>(rows, panels, sizes, sums),
    }
}

#[inline(always)]
fn sums_by<const SUM: u8, const FUSED: bool>(
    rows: &[f32],
    panels: &[f32],
    [stride, dimensions]: [usize; 2],
    sums: &mut [f32],
) {
    let columns = panels.len() / dimensions;
    let count = rows.len() / stride;
    // The rows of a tile side by side; those beyond the end stay 0, and are not written.
    let mut packed = vec![0.0; count.next_multiple_of(ROWS) * dimensions];
    for (row, numbers) in rows.chunks_exact(stride).enumerate() {
        let tile = &mut packed[row / ROWS * ROWS * dimensions..];
        for (k, &number) in numbers[..dimensions].iter().enumerate() {
            tile[k * ROWS + row % ROWS] = number;
        }
    }
    for (panel, columns_of_panel) in panels.chunks_exact(LANES * dimensions).enumerate() {
        for (tile, rows_of_tile) in packed.chunks_exact(ROWS * dimensions).enumerate() {
            let found = tile_sums::<SUM, FUSED>(rows_of_tile, columns_of_panel);
            let written = (count - tile * ROWS).min(ROWS);
            for (row, found) in found.iter().enumerate().take(written) {
                let at = (tile * ROWS + row) * columns + panel * LANES;
                sums[at..at + LANES].copy_from_slice(found);
            }
        }
    }
}

/// Coordinates that are added up before their sum is: equal ones, which round alike, would pile up
/// their roundings.
const PART: usize = 64;

#[inline(always)]
fn tile_sums<const SUM: u8, const FUSED: bool>(
    rows: &[f32],
    columns: &[f32],
) -> [[f32; LANES]; ROWS] {
    let mut sums = [[0.0; LANES]; ROWS];
    for (rows, columns) in rows.chunks(PART * ROWS).zip(columns.chunks(PART * LANES)) {
        let mut part = [[0.0; LANES]; ROWS];
        for (x, y) in rows.chunks_exact(ROWS).zip(columns.chunks_exact(LANES)) {
            // They have these lengths, which makes them registers.
            let (Some(x), Some(y)) = (x.first_chunk::<ROWS>(), y.first_chunk::<LANES>()) else {
                continue;
            };
            for (part, &x) in part.iter_mut().zip(x) {
                for (part, &y) in part.iter_mut().zip(y) {
                    *part = add_part::<SUM, FUSED>(x, y, *part);
                }
            }
        }
        for row in 0..ROWS {
            for lane in 0..LANES {
                sums[row][lane] += part[row][lane];
            }
        }
    }
    sums
}

/// What another row has to do with each row of a group.
pub(super) struct Pull {
    pub other: usize,
    pub coefficients: [f32; GROUP],
}

/// Adds to the gradient of a group of rows what these of the other rows pull at them: the sum of
/// coefficient times direction, one after the other. All rows have `stride` numbers.
#[multiversion(targets = "simd")]
pub(super) fn pull(
    distance: Distance,
    [group, others]: [&[f32]; 2],
    pulls: &[Pull],
    stride: usize,
    gradient: &mut [f64],
) {
    let is_wide = target_cfg_f!(target_feature = "avx512f");
    let is_fused = target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64"));
    match (is_wide, is_fused) {
        (true, _) => pull_with::<16, true>(distance, group, others, pulls, stride, gradient),
        (false, true) => pull_with::<8, true>(distance, group, others, pulls, stride, gradient),
        (false, false) => pull_with::<4, false>(distance, group, others, pulls, stride, gradient),
    }
}

#[inline(always)]
fn pull_with<const WIDTH: usize, const FUSED: bool>(
    distance: Distance,
    group: &[f32],
    others: &[f32],
    pulls: &[Pull],
    stride: usize,
    gradient: &mut [f64],
) {
    let rows = [group, others];
    match distance {
        Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
            pull_by::<WIDTH, SQUARES, FUSED>(rows, pulls, stride, gradient);
        }
        Distance::Manhattan => {
            pull_by::<WIDTH, MAGNITUDES, FUSED>(rows, pulls, stride, gradient);
        }
        Distance::InnerProduct => {
            pull_by::<WIDTH, PRODUCTS, FUSED>(rows, pulls, stride, gradient);
        }
    }
}

#[inline(always)]
fn pull_by<const WIDTH: usize, const SUM: u8, const FUSED: bool>(
    [group, others]: [&[f32]; 2],
    pulls: &[Pull],
    stride: usize,
    gradient: &mut [f64],
) {
    for start in (0..stride).step_by(WIDTH) {
        let part = |row: usize| row * stride + start..row * stride + start + WIDTH;
        let mut own = [[0.0; WIDTH]; GROUP];
        let mut sums = [[0.0; WIDTH]; GROUP];
        for row in 0..GROUP {
            own[row].copy_from_slice(&group[part(row)]);
        }
        for Pull { other, coefficients } in pulls {
            let Some(other) = others[part(*other)].first_chunk::<WIDTH>() else { continue };
            for ((sums, own), &coefficient) in sums.iter_mut().zip(&own).zip(coefficients) {
                for ((sum, &x), &y) in sums.iter_mut().zip(own).zip(other) {
                    let direction = match SUM {
                        SQUARES => x - y,
                        MAGNITUDES => f32::from(x > y) - f32::from(x < y),
                        _ => -y,
                    };
                    *sum = multiply_add::<FUSED>(coefficient, direction, *sum);
                }
            }
        }
        for (row, sums) in sums.iter().enumerate() {
            for (gradient, &sum) in gradient[part(row)].iter_mut().zip(sums) {
                *gradient += f64::from(sum);
            }
        }
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
            _ => (x - y) * (x - y),
        };
        x.iter().zip(y).map(part).sum()
    }

    /// With the vectors of this machine, and compiled for any: all are exact here.
    #[test]
    fn sums_are_those_of_the_definition_on_every_path() {
        let (x, y) = (rows(COUNT), rows(COLUMNS));
        let panels = Panels::of(&y, STRIDE, DIMENSIONS);
        let padded = COLUMNS.next_multiple_of(LANES);
        for distance in Distance::ALL {
            let mut found = [(); 3].map(|()| vec![0.0; COUNT * padded]);
            let [chosen, fused, portable] = &mut found;
            panels.sums(distance, &x, STRIDE, chosen);
            let numbers = &panels.numbers;
            sums_with::<true>(distance, &x, numbers, STRIDE, DIMENSIONS, fused);
            sums_with::<false>(distance, &x, numbers, STRIDE, DIMENSIONS, portable);
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
    fn pulls_are_those_of_the_definition_on_every_path() {
        let (group, others) = (rows(GROUP), rows(COLUMNS));
        let pulls: Vec<_> = (0..COLUMNS)
            .step_by(3)
            .map(|other| Pull {
                other,
                coefficients: std::array::from_fn(|row| (row * other % 5) as f32 - 2.0),
            })
            .collect();
        for distance in Distance::ALL {
            let mut found = [(); 4].map(|()| vec![1.0; GROUP * STRIDE]);
            let [chosen, wide, narrow, portable] = &mut found;
            pull(distance, [&group, &others], &pulls, STRIDE, chosen);
            pull_with::<16, true>(distance, &group, &others, &pulls, STRIDE, wide);
            pull_with::<8, true>(distance, &group, &others, &pulls, STRIDE, narrow);
            pull_with::<4, false>(distance, &group, &others, &pulls, STRIDE, portable);
            for (at, sum) in chosen.iter().enumerate() {
                let (row, k) = (at / STRIDE, at % STRIDE);
                let part = |pull: &Pull| {
                    let (x, y) = (group[at], others[pull.other * STRIDE + k]);
                    let direction = match distance {
                        Distance::Manhattan => f32::from(x > y) - f32::from(x < y),
                        Distance::InnerProduct => -y,
                        _ => x - y,
                    };
                    pull.coefficients[row] * direction
                };
                let expected = 1.0 + f64::from(pulls.iter().map(part).sum::<f32>());
                assert_eq!(*sum, expected, "{distance:?} at {at}");
            }
            assert!(found.iter().all(|other| *other == found[0]), "{distance:?}");
        }
    }
}
