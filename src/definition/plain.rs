//! Plain f64: numbers without a bound, whose loops over a row are compiled once for each set of
//! vector instructions and chosen at run time.
//!
//! A sum has [`LANES`] running ones, whatever the instructions, and nothing is fused: the order is
//! the same on every machine.

use std::f64::consts::{LN_2, LOG2_E};

use multiversion::multiversion;

use super::columns::Columns;
use super::number::{Count, Number, Term, exp_below, sigmoid_by};

impl Number for f64 {
    const IS_BOUNDED: bool = false;
    const ZERO: Self = 0.0;
    const ONE: Self = 1.0;

    type Stored = f32;
    type Total = Self;

    #[inline]
    fn new(value: f64, _: f64) -> Self {
        value
    }

    fn stored(self) -> f32 {
        self as f32
    }

    #[inline]
    fn value(self) -> f64 {
        self
    }

    #[inline]
    fn error(self) -> f64 {
        0.0
    }

    #[inline]
    fn exp(self) -> Self {
        exponential(self)
    }

    #[inline]
    fn divides(self) -> impl Fn(Self) -> Self + Copy + Sync {
        let reciprocal = 1.0 / self;
        move |number| number * reciprocal
    }

    fn sqrt(self) -> Self {
        Self::sqrt(self)
    }

    fn ln(self) -> Self {
        Self::ln(self)
    }

    fn ln_one_plus(self) -> Self {
        self.ln_1p()
    }

    fn ln_of_one_and(self) -> Self {
        self.ln_1p()
    }

    #[inline]
    fn sigmoid(self) -> Self {
        sigmoid_by(self, exponential(-self.abs()))
    }

    #[inline]
    fn sigmoids(self) -> [Self; 2] {
        let small = exponential(-self.abs());
        let large = 1.0 / (1.0 + small);
        let [above, below] = [large, small * large];
        if self >= 0.0 { [above, below] } else { [below, above] }
    }

    #[inline]
    fn softplus(self) -> Term<Self> {
        let small = exponential(-self.abs());
        let value = if self > 0.0 { self } else { 0.0 } + log_one_plus(small);
        Term { value, slope: sigmoid_by(self, small), nonzero: Count::exact(1) }
    }

    fn log_add_exp(self, other: Self) -> Self {
        Self::max(self, other) + exp_below(self - other).ln_1p()
    }

    fn sum_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        total: &mut Self,
        of: impl Fn(Self) -> Self,
    ) {
        *total += sum(row, columns, &of);
    }

    fn sum_of_both_at<V: Copy + Into<Self>>(
        row: &[V],
        results: &[Self],
        columns: &Columns,
        total: &mut Self,
        of: impl Fn(Self, Self) -> Self,
    ) {
        *total += sum_of_both(row, results, columns, &of);
    }

    fn map_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        results: &mut [Self],
        of: impl Fn(Self) -> Self,
    ) {
        map(row, columns, results, &of);
    }

    fn change_at(results: &mut [Self], columns: &Columns, of: impl Fn(Self) -> Self) {
        change(results, columns, &of);
    }

    fn terms_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        slopes: &mut [Self],
        total: &mut Self,
        of: impl Fn(Self) -> Term<Self>,
    ) -> Count {
        let (value, nonzero) = terms(row, columns, slopes, &of);
        *total += value;
        Count::exact(nonzero)
    }

    fn largest_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        of: impl Fn(Self) -> Self,
    ) -> Option<f64> {
        (!columns.is_empty()).then(|| largest(row, columns, &of))
    }

    fn softmax_at(results: &mut [Self], columns: &Columns) -> Option<Self> {
        let largest = Self::largest_at(results, columns, |number| number)?;
        change(results, columns, &|number| exponential(number - largest));
        let sum = sum(results, columns, &|part| part);
        let of_sum = sum.divides();
        change(results, columns, &of_sum);
        Some(largest + Self::ln(sum))
    }

    fn find_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        value: f64,
        mut show: impl FnMut(usize),
    ) {
        find(row, columns, value, &mut show);
    }
}

/// exp(x) but for some 10^-11 of it, without a branch.
///
/// With x = k log 2 + r and r at most half of log 2, it is 2^k times the series of exp(r). NaN
/// stays NaN, as f32 and arithmetic make it, whose last bits are 0.
#[inline(always)]
fn exponential(x: f64) -> f64 {
    /// 1 over the factorials of 9 down to 0.
    const SERIES: [f64; 10] = [
        1.0 / 362_880.0,
        1.0 / 40_320.0,
        1.0 / 5_040.0,
        1.0 / 720.0,
        1.0 / 120.0,
        1.0 / 24.0,
        1.0 / 6.0,
        0.5,
        1.0,
        1.0,
    ];
    /// The number beside which the last bit of an f64 is worth 1: adding it rounds, and k stands in
    /// the last bits.
    const SHIFT: f64 = 1.5 * (1_u64 << 52) as f64;
    let shifted = x * LOG2_E + SHIFT;
    let rest = x - (shifted - SHIFT) * LN_2;
    let series = SERIES.iter().fold(0.0, |sum, part| sum * rest + part);
    // It is between 0.7 and 1.5: k is added to its exponent.
    let scaled = f64::from_bits(series.to_bits().wrapping_add(shifted.to_bits() << 52));
    let kept = if x < LEAST { 0.0 } else { scaled };
    if x > MOST { f64::INFINITY } else { kept }
}

/// log(1 + x) of a number in [0, 1] but for some 10^-13 of it, without a branch: 2 artanh(z) of
/// z = x / (2 + x), which is at most 1/3, by its series.
#[inline(always)]
fn log_one_plus(x: f64) -> f64 {
    /// 1 over the odd numbers from 23 down to 1.
    const SERIES: [f64; 12] = [
        1.0 / 23.0,
        1.0 / 21.0,
        1.0 / 19.0,
        1.0 / 17.0,
        1.0 / 15.0,
        1.0 / 13.0,
        1.0 / 11.0,
        1.0 / 9.0,
        1.0 / 7.0,
        0.2,
        1.0 / 3.0,
        1.0,
    ];
    let z = x / (2.0 + x);
    let q = z * z;
    2.0 * z * SERIES.iter().fold(0.0, |sum, part| sum * q + part)
}

/// Below, where exp(x) is no normal number any more, it is taken for 0; above, where it is at the
/// end of all numbers, for infinite.
const LEAST: f64 = -708.39;
const MOST: f64 = 709.782;

/// Running sums, and columns that are taken at a time.
const LANES: usize = 16;

/// Goes over the numbers at these columns in lanes.
#[inline(always)]
fn fold<V: Copy, T: Copy>(
    row: &[V],
    columns: &Columns,
    first: T,
    add: impl Fn(T, V) -> T,
) -> [T; LANES] {
    let mut lanes = [first; LANES];
    for run in columns.runs() {
        let chunks = row[run].chunks_exact(LANES);
        let rest = chunks.remainder();
        for chunk in chunks {
            for (lane, &number) in lanes.iter_mut().zip(chunk) {
                *lane = add(*lane, number);
            }
        }
        for (lane, &number) in lanes.iter_mut().zip(rest) {
            *lane = add(*lane, number);
        }
    }
    lanes
}

#[multiversion(targets = "simd")]
fn sum<V: Copy + Into<f64>, F: Fn(f64) -> f64>(row: &[V], columns: &Columns, of: &F) -> f64 {
    fold(row, columns, 0.0, |sum, number| sum + of(number.into())).into_iter().sum()
}

/// In the lanes of `fold`.
#[multiversion(targets = "simd")]
fn sum_of_both<V: Copy + Into<f64>, F: Fn(f64, f64) -> f64>(
    row: &[V],
    results: &[f64],
    columns: &Columns,
    of: &F,
) -> f64 {
    let mut lanes = [0.0; LANES];
    let mut add = |row: &[V], results: &[f64]| {
        for ((lane, &number), &result) in lanes.iter_mut().zip(row).zip(results) {
            *lane += of(number.into(), result);
        }
    };
    for run in columns.runs() {
        let numbers = row[run.clone()].chunks_exact(LANES);
        let of_numbers = results[run].chunks_exact(LANES);
        let rest = (numbers.remainder(), of_numbers.remainder());
        numbers.zip(of_numbers).for_each(|(numbers, results)| add(numbers, results));
        add(rest.0, rest.1);
    }
    lanes.into_iter().sum()
}

#[multiversion(targets = "simd")]
fn largest<V: Copy + Into<f64>, F: Fn(f64) -> f64>(row: &[V], columns: &Columns, of: &F) -> f64 {
    let larger = |a: f64, b: f64| if b > a { b } else { a };
    let least = f64::NEG_INFINITY;
    let lanes = fold(row, columns, least, |most, number| larger(most, of(number.into())));
    lanes.into_iter().fold(least, larger)
}

#[multiversion(targets = "simd")]
fn map<V: Copy + Into<f64>, F: Fn(f64) -> f64>(
    row: &[V],
    columns: &Columns,
    results: &mut [f64],
    of: &F,
) {
    for run in columns.runs() {
        for (result, &number) in results[run.clone()].iter_mut().zip(&row[run]) {
            *result = of(number.into());
        }
    }
}

#[multiversion(targets = "simd")]
fn change<F: Fn(f64) -> f64>(results: &mut [f64], columns: &Columns, of: &F) {
    for run in columns.runs() {
        for result in &mut results[run] {
            *result = of(*result);
        }
    }
}

#[multiversion(targets = "simd")]
fn terms<V: Copy + Into<f64>, F: Fn(f64) -> Term<f64>>(
    row: &[V],
    columns: &Columns,
    slopes: &mut [f64],
    of: &F,
) -> (f64, u64) {
    let mut values = [0.0; LANES];
    let mut counts = [0; LANES];
    let mut add = |row: &[V], slopes: &mut [f64]| {
        let numbers = row.iter().zip(slopes);
        for ((&number, slope), (value, count)) in numbers.zip(values.iter_mut().zip(&mut counts)) {
            let term = of(number.into());
            *slope = term.slope;
            *value += term.value;
            *count += term.nonzero.value;
        }
    };
    for run in columns.runs() {
        let chunks = row[run.clone()].chunks_exact(LANES);
        let mut of_chunks = slopes[run].chunks_exact_mut(LANES);
        let rest = chunks.remainder();
        for (row, slopes) in chunks.zip(of_chunks.by_ref()) {
            add(row, slopes);
        }
        add(rest, of_chunks.into_remainder());
    }
    (values.into_iter().sum(), counts.into_iter().sum())
}

/// Shows the columns of a value.
#[multiversion(targets = "simd")]
fn find<V: Copy + Into<f64>, F: FnMut(usize)>(
    row: &[V],
    columns: &Columns,
    value: f64,
    show: &mut F,
) {
    for run in columns.runs() {
        for (first, chunk) in run.clone().step_by(LANES).zip(row[run].chunks(LANES)) {
            let is_it = |&number: &V| number.into() == value;
            if chunk.iter().fold(false, |found, number| found | is_it(number)) {
                let found = (first..).zip(chunk).filter(|(_, number)| is_it(number));
                found.for_each(|(column, _)| show(column));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials_are_those_of_the_standard_library() {
        let finely = (-7080..7098).map(|at| f64::from(at) / 10.0);
        let around_halves = (-20..20).map(|at| f64::from(at) * 0.5 * LN_2);
        for x in finely.chain(around_halves).chain([0.0, -0.0, 1e-300, -708.389, 709.7819]) {
            let (found, expected) = (exponential(x), x.exp());
            assert!((found - expected).abs() <= 2e-11 * expected, "exp({x}) is not {found}");
        }
        assert_eq!(exponential(0.0), 1.0);
        for x in [-708.4, -1e4, -1e300, f64::NEG_INFINITY] {
            assert_eq!(exponential(x), 0.0, "{x}");
        }
        for x in [709.79, 1e4, 1e300, f64::INFINITY] {
            assert_eq!(exponential(x), f64::INFINITY, "{x}");
        }
        assert!(exponential(f64::NAN).is_nan());
    }

    #[test]
    fn logarithms_are_those_of_the_standard_library() {
        for x in (0..=1000).map(|at| f64::from(at) / 1000.0).chain([1e-300, 1e-17, 1e-9]) {
            let (found, expected) = (log_one_plus(x), x.ln_1p());
            assert!((found - expected).abs() <= 1e-12 * expected, "log(1 + {x}) is not {found}");
        }
    }

    #[test]
    fn a_softmax_is_that_of_the_definition() {
        let row: Vec<_> = (0..70).map(|at: u16| f64::from(at * at % 13) * 50.0 - 300.0).collect();
        let some = Columns::of([3..20, 31..70]);
        let mut found = row.clone();
        let level = f64::softmax_at(&mut found, &some).expect("there are columns");
        let expected = f64::log_sum_exp_at(&row, &some, |number| number).expect("the same");
        assert!((level - expected).abs() <= 1e-10 * expected, "{level} is not {expected}");
        for (at, (&found, &number)) in found.iter().zip(&row).enumerate() {
            let part = (number - level).exp();
            match some.iter().any(|column| column == at) {
                true => assert!((found - part).abs() <= 1e-9 * part, "{found} is not {part}"),
                false => assert_eq!(found, number, "it is of another column"),
            }
        }
        assert_eq!(f64::softmax_at(&mut found, &Columns::from(5..5)), None);
    }

    #[test]
    fn what_divides_many_divides_each() {
        for divisor in [3.0_f64, 0.07, 1e-30, 1e30] {
            let divided = divisor.divides();
            for number in [0.0, 1.0, -7.5, 1e-20] {
                let expected = number / divisor;
                assert!((divided(number) - expected).abs() <= 1e-15 * expected.abs());
            }
        }
    }

    /// Rows of every length around a chunk, of small multiples of 1 / 8, whose sums are exact.
    #[test]
    fn loops_are_those_of_the_definition() {
        let row: Vec<f32> = (0..70).map(|at: u16| f32::from(at * at % 13) / 8.0 - 0.5).collect();
        let of = |number: f64| 1.0 - number * number;
        for len in 0..row.len() {
            let row = &row[..len];
            // With columns in the middle that are not among them.
            let some = Columns::of([0..len / 3, len / 2..len]);
            let is_one = |at: &usize| !(len / 3..len / 2).contains(at);
            let at_some = |of: &dyn Fn(f64) -> f64| {
                let number = |at| if is_one(&at) { of(row[at].into()) } else { 7.0 };
                (0..len).map(number).collect::<Vec<_>>()
            };
            let numbers: Vec<_> =
                (0..len).filter(is_one).map(|at| of(f64::from(row[at]))).collect();
            assert_eq!(sum(row, &some, &of), numbers.iter().sum::<f64>());
            assert_eq!(
                largest(row, &some, &of),
                numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)
            );
            let mut found = vec![7.0; len];
            map(row, &some, &mut found, &of);
            assert_eq!(found, at_some(&of));
            change(&mut found, &some, &of);
            assert_eq!(found, at_some(&|number| of(of(number))));
            let product = |number: f64, result: f64| number * result;
            let products = (0..len).filter(is_one).map(|at| product(row[at].into(), found[at]));
            assert_eq!(sum_of_both(row, &found, &some, &product), products.sum::<f64>());
            let hinge = |number| of(number).hinge();
            let hinges = || numbers.iter().map(|number| number.hinge());
            let nonzero = hinges().map(|term| term.nonzero.value).sum();
            let value = hinges().map(|term| term.value).sum();
            assert_eq!(terms(row, &some, &mut found, &hinge), (value, nonzero));
            assert_eq!(found, at_some(&|number| hinge(number).slope));
            let mut places = Vec::new();
            find(row, &some, 0.5, &mut |at| places.push(at));
            let expected: Vec<_> = (0..len).filter(is_one).filter(|&at| row[at] == 0.5).collect();
            assert_eq!(places, expected);
        }
    }
}
