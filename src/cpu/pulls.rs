//! The inner loop of gradients: what other rows pull at a group of rows, by direct differences.
//!
//! The sum of a coordinate has one order, that of the other rows. Where a machine fuses
//! multiplications and additions, its bits are its own, and always the same.

use std::ops::Range;

use bytemuck::Pod;
use multiversion::multiversion;
use multiversion::target::{match_target, target_cfg_f};

use super::points::Points;
use super::tiles::{LANES, for_rows, multiply_add};
use crate::loss::Distance;

/// Rows of a group.
pub(super) const GROUP: usize = 8;

/// Rows of a group that are pulled at together: their sums and their own coordinates are in
/// registers.
const ROWS: usize = 4;

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
    /// Its place among the others.
    pub other: usize,
    pub coefficients: [f32; GROUP],
}

/// The other rows in slabs, each of which has 16 coordinates of all of them: what is read one after
/// the other is side by side.
pub(super) struct Slabs {
    lanes: Vec<Lanes>,
    rows: Range<usize>,
}

impl Slabs {
    /// Room for so many rows.
    pub(super) fn room(points: &Points, rows: usize) -> Self {
        Self { lanes: vec![[0.0; LANES]; rows * points.stride() / LANES], rows: 0..0 }
    }

    /// These rows, of which there may be fewer than there is room for.
    pub(super) fn of(&mut self, points: &Points, rows: &Range<usize>) -> &Self {
        if self.rows == *rows {
            return self;
        }
        self.rows = rows.clone();
        let numbers = &points.rows()[rows.start * points.stride()..];
        for (row, numbers) in numbers.chunks_exact(points.stride()).take(rows.len()).enumerate() {
            let lanes: &[Lanes] = bytemuck::cast_slice(numbers);
            for (slab, &lanes) in lanes.iter().enumerate() {
                self.lanes[slab * rows.len() + row] = lanes;
            }
        }
        self
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
    match_target! {
        "x86_64+avx2+fma" => with_avx2(distance, group, others, pulls, gradient),
        _ => {
            match target_cfg_f!(any(target_feature = "fma", target_arch = "aarch64")) {
                true => with_arrays::<true>(distance, group, others, pulls, gradient),
                false => with_arrays::<false>(distance, group, others, pulls, gradient),
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
            pull_by(group, others, pulls, gradient, splat, |c, x: Pair, y: Pair, to| {
                sum(c, [_mm256_sub_ps(x[0], y[0]), _mm256_sub_ps(x[1], y[1])], to)
            });
        }
        Distance::Manhattan => {
            let beyond = |x, y| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, y), splat(1.0)[0]);
            let sign = |x, y| _mm256_sub_ps(beyond(x, y), beyond(y, x));
            pull_by(group, others, pulls, gradient, splat, |c, x: Pair, y: Pair, to| {
                sum(c, [sign(x[0], y[0]), sign(x[1], y[1])], to)
            });
        }
        Distance::InnerProduct => {
            pull_by(group, others, pulls, gradient, splat, |c: Pair, _, y: Pair, to: Pair| {
                [_mm256_fnmadd_ps(c[0], y[0], to[0]), _mm256_fnmadd_ps(c[1], y[1], to[1])]
            });
        }
    }
}

/// With arrays, which any machine has.
#[inline(always)]
fn with_arrays<const FUSED: bool>(
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
            pull_by(group, others, pulls, gradient, splat, add);
        }
        Distance::Manhattan => {
            let add = add_with::<FUSED>(|x, y| f32::from(x > y) - f32::from(x < y));
            pull_by(group, others, pulls, gradient, splat, add);
        }
        Distance::InnerProduct => {
            pull_by(group, others, pulls, gradient, splat, add_with::<FUSED>(|_, y| -y));
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

/// The loop itself, over whatever holds 16 numbers.
#[inline(always)]
fn pull_by<V: Pod>(
    group: &[f32],
    others: &Slabs,
    pulls: &[Pull],
    gradient: &mut [f64],
    splat: impl Fn(f32) -> V,
    add: impl Fn(V, V, V, V) -> V,
) {
    let stride = group.len() / GROUP;
    let own: &[Lanes] = bytemuck::cast_slice(group);
    for (at, slab) in others.lanes.chunks_exact(others.rows.len()).take(stride / LANES).enumerate()
    {
        for first in (0..GROUP).step_by(ROWS) {
            let own: [V; ROWS] =
                std::array::from_fn(|row| bytemuck::cast(own[(first + row) * stride / LANES + at]));
            let mut sums = [V::zeroed(); ROWS];
            for Pull { other, coefficients } in pulls {
                let other = bytemuck::cast(slab[*other]);
                for row in 0..ROWS {
                    sums[row] = add(splat(coefficients[first + row]), own[row], other, sums[row]);
                }
            }
            for (row, sum) in sums.into_iter().enumerate() {
                let sum: Lanes = bytemuck::cast(sum);
                let gradient = &mut gradient[(first + row) * stride + at * LANES..][..LANES];
                gradient
                    .iter_mut()
                    .zip(sum)
                    .for_each(|(gradient, sum)| *gradient += f64::from(sum));
            }
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
        // Fewer than there is room for, and not from the first.
        let mut slabs = Slabs::room(&others, COUNT);
        let slabs = slabs.of(&others, &(2..COUNT));
        let coefficients = |other: usize| std::array::from_fn(|row| (row * other % 5) as f32 - 2.0);
        let pulls: Vec<_> = (0..COUNT - 2)
            .step_by(3)
            .map(|other| Pull { other, coefficients: coefficients(other) })
            .collect();
        for distance in Distance::ALL {
            let mut found = [(); 3].map(|()| vec![1.0; GROUP * STRIDE]);
            let [chosen, fused, portable] = &mut found;
            let group = own.group(0);
            pull(distance, group, slabs, &pulls, chosen);
            with_arrays::<true>(distance, group, slabs, &pulls, fused);
            with_arrays::<false>(distance, group, slabs, &pulls, portable);
            for (at, sum) in chosen.iter().enumerate() {
                let (row, k) = (at / STRIDE, at % STRIDE);
                let part = |pull: &Pull| {
                    let (x, y) = (group[at], others.rows()[(pull.other + 2) * STRIDE + k]);
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
