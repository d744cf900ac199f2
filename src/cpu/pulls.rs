//! The inner loop of gradients: what other rows pull at a group of rows, by direct differences.
//!
//! The sum of a coordinate has one order, that of the other rows. Where a machine fuses
//! multiplications and additions, its bits are its own, and always the same.

use std::hint::black_box;

use bytemuck::Pod;
use multiversion::multiversion;
use multiversion::target::{match_target, target_cfg_f};

use super::points::Points;
use super::tiles::{LANES, Line, for_rows, multiply_add};
use crate::loss::Distance;
use crate::parallel::prelude::*;

/// Rows of a group.
pub(super) const GROUP: usize = 8;

/// Coordinates that are summed up together.
type Lanes = [f32; LANES];

/// How strongly pairs with these slopes pull at their rows, to their difference, their signs or the
/// other row, in the place of their distances and over a factor: dL/dd times the distance's own
/// factor.
#[multiversion(targets = "simd")]
pub(super) fn coefficients(distance: Distance, slopes: &[f64], factor: f64, numbers: &mut [f32]) {
    let times = match distance {
        Distance::SquaredEuclidean => 2.0 / factor,
        _ => 1.0 / factor,
    };
    let numbers = numbers.iter_mut().zip(slopes);
    match distance {
        Distance::Euclidean => numbers.for_each(|(number, slope)| {
            let over = (slope * times / f64::from(*number)) as f32;
            *number = if *number == 0.0 { 0.0 } else { over };
        }),
        Distance::SquaredEuclidean
        | Distance::Manhattan
        | Distance::Cosine
        | Distance::InnerProduct => {
            numbers.for_each(|(number, slope)| *number = (slope * times) as f32);
        }
    }
}

/// Turns so many rows of a group into what each column has to do with all of them.
pub(super) fn turn<'a>(
    row: impl Fn(usize) -> &'a [f32],
    count: usize,
    columns: &mut [[f32; GROUP]],
) {
    if count == GROUP {
        let rows: [&[f32]; GROUP] = std::array::from_fn(|at| &row(at)[..columns.len()]);
        for (at, column) in columns.iter_mut().enumerate() {
            for_rows!(GROUP, row, {
                column[row] = rows[row][at];
            });
        }
        return;
    }
    for at in 0..count {
        columns.iter_mut().zip(row(at)).for_each(|(column, &number)| column[at] = number);
    }
}

/// What another row has to do with each row of a group.
pub(super) struct Pull {
    pub other: usize,
    pub coefficients: [f32; GROUP],
}

/// Rows in slabs, each of which has 16 coordinates of all of them: what is read one after the other
/// is side by side.
pub(super) struct Slabs {
    lines: Vec<Line>,
    /// Rows from one slab to the next: an odd number of cache lines, so that what is read together is
    /// not at multiples of a power of two.
    stride: usize,
}

impl Slabs {
    pub(super) fn of(points: &Points) -> Self {
        let stride = points.len() | 1;
        let of_row = points.stride() / LANES;
        let rows: &[Lanes] = bytemuck::cast_slice(points.rows());
        let lines = (0..stride * of_row).into_par_iter().map(|at| {
            let (slab, row) = (at / stride, at % stride);
            Line(rows.get(row * of_row + slab).copied().unwrap_or_default())
        });
        Self { lines: lines.collect(), stride }
    }
}

/// Adds to the gradient of a group of rows what these of the other rows pull at them: the sum of
/// coefficient times direction, one after the other.
#[multiversion(targets = "simd")]
pub(super) fn pull(
    distance: Distance,
    group: &[f32],
    others: &Slabs,
    pulls: &[Pull],
    gradient: &mut [f64],
) {
    if target_cfg_f!(target_feature = "avx512f") {
        return with_arrays::<8, true>(distance, group, others, pulls, gradient);
    }
    match_target! {
        "x86_64+avx2+fma" => with_avx2(distance, group, others, pulls, gradient),
        _ => {
            match target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64")) {
                true => with_arrays::<4, true>(distance, group, others, pulls, gradient),
                false => with_arrays::<4, false>(distance, group, others, pulls, gradient),
            }
        }
    }
}

/// With pairs of vectors of eight: of a loop over arrays the compiler makes vectors of four.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2(
    distance: Distance,
    group: &[f32],
    others: &Slabs,
    pulls: &[Pull],
    gradient: &mut [f64],
) {
    use std::arch::x86_64::{
        __m256, _CMP_GT_OQ, _mm256_and_ps, _mm256_cmp_ps, _mm256_fmadd_ps, _mm256_fnmadd_ps,
        _mm256_set1_ps, _mm256_sub_ps,
    };
    type Pair = [__m256; 2];
    let splat = |c| [_mm256_set1_ps(c); 2];
    let sum = |c: Pair, x: Pair, sum: Pair| {
        [_mm256_fmadd_ps(c[0], x[0], sum[0]), _mm256_fmadd_ps(c[1], x[1], sum[1])]
    };
    match distance {
        Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
            pull_by::<4, _>(group, others, pulls, gradient, splat, |c, x: Pair, y: Pair, to| {
                sum(c, [_mm256_sub_ps(x[0], y[0]), _mm256_sub_ps(x[1], y[1])], to)
            });
        }
        Distance::Manhattan => {
            let beyond = |x, y| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, y), splat(1.0)[0]);
            let sign = |x, y| _mm256_sub_ps(beyond(x, y), beyond(y, x));
            pull_by::<4, _>(group, others, pulls, gradient, splat, |c, x: Pair, y: Pair, to| {
                sum(c, [sign(x[0], y[0]), sign(x[1], y[1])], to)
            });
        }
        Distance::InnerProduct => {
            pull_by::<4, _>(
                group,
                others,
                pulls,
                gradient,
                splat,
                |c: Pair, _, y: Pair, to: Pair| {
                    [_mm256_fnmadd_ps(c[0], y[0], to[0]), _mm256_fnmadd_ps(c[1], y[1], to[1])]
                },
            );
        }
    }
}

/// With arrays, which any machine has.
#[inline(always)]
fn with_arrays<const ROWS: usize, const FUSED: bool>(
    distance: Distance,
    group: &[f32],
    others: &Slabs,
    pulls: &[Pull],
    gradient: &mut [f64],
) {
    let splat = |c: f32| [c; LANES];
    match distance {
        Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
            let add = add_with::<FUSED>(|x, y| x - y);
            pull_by::<ROWS, _>(group, others, pulls, gradient, splat, add);
        }
        Distance::Manhattan => {
            let add = add_with::<FUSED>(|x, y| f32::from(x > y) - f32::from(x < y));
            pull_by::<ROWS, _>(group, others, pulls, gradient, splat, add);
        }
        Distance::InnerProduct => {
            pull_by::<ROWS, _>(group, others, pulls, gradient, splat, add_with::<FUSED>(|_, y| -y));
        }
    }
}

/// Adds coefficient times direction to a sum, lane by lane.
#[inline(always)]
fn add_with<const FUSED: bool>(
    direction: impl Fn(f32, f32) -> f32,
) -> impl Fn(Lanes, Lanes, Lanes, Lanes) -> Lanes {
    #[inline(always)]
    move |c, x, y, mut sum| {
        for lane in 0..LANES {
            sum[lane] = multiply_add::<FUSED>(c[lane], direction(x[lane], y[lane]), sum[lane]);
        }
        sum
    }
}

/// The loop itself, over whatever holds 16 numbers: the sums of some rows of the group and their own
/// coordinates are in registers.
#[inline(always)]
fn pull_by<const ROWS: usize, V: Pod>(
    group: &[f32],
    others: &Slabs,
    pulls: &[Pull],
    gradient: &mut [f64],
    splat: impl Fn(f32) -> V,
    add: impl Fn(V, V, V, V) -> V,
) {
    let stride = group.len() / GROUP;
    let own: &[Lanes] = bytemuck::cast_slice(group);
    for (at, slab) in others.lines.chunks_exact(others.stride).enumerate() {
        for first in (0..GROUP).step_by(ROWS) {
            let own: [V; ROWS] =
                std::array::from_fn(|row| bytemuck::cast(own[(first + row) * stride / LANES + at]));
            let mut sums = [V::zeroed(); ROWS];
            for Pull { other, coefficients } in pulls {
                let other = bytemuck::cast(slab[*other]);
                for_rows!(ROWS, row, {
                    sums[row] = add(splat(coefficients[first + row]), own[row], other, sums[row]);
                });
            }
            // Put down as they are: of sums that go on as f64 the compiler makes vectors of eight.
            let sums = black_box(sums);
            for_rows!(ROWS, row, {
                let sum: Lanes = bytemuck::cast(sums[row]);
                let gradient = &mut gradient[(first + row) * stride + at * LANES..][..LANES];
                for (gradient, sum) in gradient.iter_mut().zip(sum) {
                    *gradient += f64::from(sum);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: usize = 19;
    const DIMENSIONS: usize = 21;
    const STRIDE: usize = 32;

    /// Rows of small multiples of 1 / 8, whose sums no arithmetic rounds.
    fn points(count: usize) -> Points {
        let number = |at: usize| (at * at % 13) as f32 / 8.0 - 0.75;
        let raw: Vec<_> = (0..count * DIMENSIONS).map(number).collect();
        Points::new(&raw, DIMENSIONS, false, None)
    }

    #[test]
    fn pulls_are_those_of_the_definition_on_every_path() {
        let (own, others) = (points(GROUP), points(COUNT));
        let slabs = &Slabs::of(&others);
        let coefficients = |other: usize| std::array::from_fn(|row| (row * other % 5) as f32 - 2.0);
        let pulls: Vec<_> = (2..COUNT)
            .step_by(3)
            .map(|other| Pull { other, coefficients: coefficients(other) })
            .collect();
        for distance in Distance::ALL {
            let mut found = [(); 4].map(|()| vec![1.0; GROUP * STRIDE]);
            let [chosen, wide, fused, portable] = &mut found;
            let group = own.group(0);
            pull(distance, group, slabs, &pulls, chosen);
            with_arrays::<8, true>(distance, group, slabs, &pulls, wide);
            with_arrays::<4, true>(distance, group, slabs, &pulls, fused);
            with_arrays::<4, false>(distance, group, slabs, &pulls, portable);
            for (at, sum) in chosen.iter().enumerate() {
                let (row, k) = (at / STRIDE, at % STRIDE);
                let part = |pull: &Pull| {
                    let (x, y) = (group[at], others.rows()[pull.other * STRIDE + k]);
                    let direction = match distance {
                        Distance::Manhattan => f32::from(x > y) - f32::from(x < y),
                        Distance::InnerProduct => -y,
                        Distance::Euclidean | Distance::SquaredEuclidean | Distance::Cosine => {
                            x - y
                        }
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
