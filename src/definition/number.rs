//! What the definitions compute with: numbers that may know how far f32 may be from them.
//!
//! The accuracies are those that WGSL asks for
//! (<https://www.w3.org/TR/WGSL/#floating-point-accuracy>).

use std::fmt::Debug;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use super::columns::Columns;

/// The relative error of one rounding to f32: half a unit in the last place.
pub(crate) const ROUNDING: f64 = 1.0 / (1 << 24) as f64;

/// One unit in the last place of an f32.
pub(crate) const ULP: f64 = 2.0 * ROUNDING;

/// The absolute error of WGSL's log on [0.5, 2].
pub(crate) const LOG: f64 = 1.0 / (1 << 21) as f64;

/// Below this an f32 may be flushed to 0.
pub(crate) const SMALLEST: f64 = f32::MIN_POSITIVE as f64;

/// The relative error of adding up `count` numbers in a tree, to the sum of their magnitudes.
pub(crate) fn tree(count: usize) -> f64 {
    if count < 2 { 0.0 } else { (8.0 + (count as f64).log2()) * ROUNDING }
}

/// The relative error of adding up `count` numbers of one sign one after the other: roundings go
/// either way.
pub(crate) fn chain(count: usize) -> f64 {
    (4.0 + (count as f64).sqrt()) * ROUNDING
}

/// A number of a formula, and the largest deviation from it that f32 arithmetic explains, where
/// that is carried along.
pub(crate) trait Number:
    Copy
    + Debug
    + Default
    + PartialEq
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + Sum
{
    /// Whether it carries an error; else every error is 0.
    const IS_BOUNDED: bool;
    const ZERO: Self;
    const ONE: Self;

    /// What a row of distances is stored as.
    type Stored: Copy + Debug + Send + Sync + Into<Self>;

    /// A sum that is being added up.
    type Total: Default + AddAssign<Self> + Into<Self>;

    fn new(value: f64, error: f64) -> Self;

    /// The number as a row of distances has it.
    fn stored(self) -> Self::Stored;
    fn value(self) -> f64;
    fn error(self) -> f64;

    fn exp(self) -> Self;

    /// The square root of a number that is not negative.
    fn sqrt(self) -> Self;

    /// The natural logarithm of a positive number.
    fn ln(self) -> Self;

    /// log(1 + x) of a number in [0, 1], by a series.
    fn ln_one_plus(self) -> Self;

    /// log(1 + x) of a number that is not negative, by a series where that is at most 1.
    fn ln_of_one_and(self) -> Self;

    /// 1 / (1 + exp(-x)).
    fn sigmoid(self) -> Self;

    /// The sigmoids of x and of -x.
    fn sigmoids(self) -> [Self; 2] {
        [self.sigmoid(), (-self).sigmoid()]
    }

    /// log(1 + exp(x)), computed as max(x, 0) + log(1 + exp(-|x|)): never 0, however small.
    fn softplus(self) -> Term<Self>;

    /// log(exp(x) + exp(y)).
    fn log_add_exp(self, other: Self) -> Self;

    /// Divides numbers by this one, many of them. Where they are plain it multiplies with the
    /// reciprocal, which rounds once more and takes a fraction of the time.
    fn divides(self) -> impl Fn(Self) -> Self + Copy + Sync {
        move |number| number / self
    }

    /// A number that f32 has as well: an input or a small integer.
    fn exact(value: f64) -> Self {
        Self::new(value, 0.0)
    }

    /// A number of the caller's, which f32 may flush.
    fn input(value: impl Into<f64>) -> Self {
        Self::exact(value.into()).or_flushed()
    }

    /// This number with an error larger by a part of whatever f32 may find.
    fn widened(self, relative: f64) -> Self {
        Self::new(self.value(), self.error() + relative * self.magnitude())
    }

    /// The largest magnitude that f32 may find.
    fn magnitude(self) -> f64 {
        self.value().abs() + self.error()
    }

    /// Whether f32 may find the other sign, or 0.
    fn is_ambiguous(self) -> bool {
        self.error() > 0.0 && self.value().abs() <= self.error()
    }

    /// This number where f32 may flush it to 0: what is smaller than its smallest normal number.
    fn or_flushed(self) -> Self {
        let flushed = if self.value().abs() < SMALLEST + self.error() {
            self.value().abs().min(SMALLEST)
        } else {
            0.0
        };
        Self::new(self.value(), self.error() + flushed)
    }

    /// Whether it is another number, by a comparison, which rounds nothing.
    fn differs_from(self, other: Self) -> Count {
        Self::new(self.value() - other.value(), self.error() + other.error()).nonzero()
    }

    /// Whether it is not 0.
    fn nonzero(self) -> Count {
        Count { value: (self.value() != 0.0).into(), slack: self.is_ambiguous().into() }
    }

    fn abs(self) -> Self {
        Self::new(self.value().abs(), self.error())
    }

    /// -1, 0 or 1.
    fn sign(self) -> Self {
        let value = if self.value() == 0.0 { 0.0 } else { self.value().signum() };
        Self::new(value, f64::from(u8::from(self.is_ambiguous())))
    }

    fn min(self, other: Self) -> Self {
        -(-self).max(-other)
    }

    fn max(self, other: Self) -> Self {
        match self - other {
            apart if apart.is_ambiguous() => {
                Self::new(self.value().max(other.value()), self.error().max(other.error()))
            }
            apart if apart.value() >= 0.0 => self,
            _ => other,
        }
    }

    /// Adds where f32 rounds nothing: counts, and sums whose rounding is accounted for elsewhere.
    fn gather(&mut self, other: Self) {
        *self = Self::new(self.value() + other.value(), self.error() + other.error());
    }

    /// This number where neither it nor f32's leaves [-1, 1], but for its rounding.
    fn within_two(self) -> Self {
        Self::new(self.value(), self.error().min(2.001))
    }

    /// This number where f32 cannot leave [-1, 1] either: a sign, a part of a whole.
    fn within_one(self) -> Self {
        Self::new(self.value(), self.error().min(1.0))
    }

    /// This number where f32 can be off by no more than `most`, but for its logarithm.
    fn within_log(self, most: f64) -> Self {
        let error = self.error().min(most + LOG + 8.0 * ULP * self.value().abs());
        Self::new(self.value(), error)
    }

    /// exp of what is at most 0 by its meaning: a part of a whole.
    fn exp_of_part(self) -> Self {
        self.exp().within_one()
    }

    /// max(0, x), with derivative 0 at 0.
    fn hinge(self) -> Term<Self> {
        let active = self.value() > 0.0;
        let ambiguous = self.is_ambiguous();
        Term {
            value: if active || ambiguous {
                Self::new(self.value().max(0.0), self.error())
            } else {
                Self::ZERO
            },
            slope: Self::new(f64::from(u8::from(active)), f64::from(u8::from(ambiguous))),
            nonzero: Count { value: active.into(), slack: ambiguous.into() },
        }
    }

    /// Adds something of the numbers at these columns to a sum.
    fn sum_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        total: &mut Self::Total,
        of: impl Fn(Self) -> Self,
    ) {
        columns.iter().for_each(|column| *total += of(row[column].into()));
    }

    /// Adds something of the numbers at these columns and their results to a sum.
    fn sum_of_both_at<V: Copy + Into<Self>>(
        row: &[V],
        results: &[Self],
        columns: &Columns,
        total: &mut Self::Total,
        of: impl Fn(Self, Self) -> Self,
    ) {
        columns.iter().for_each(|column| *total += of(row[column].into(), results[column]));
    }

    /// Sets the results at these columns to something of the numbers there.
    fn map_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        results: &mut [Self],
        of: impl Fn(Self) -> Self,
    ) {
        columns.iter().for_each(|column| results[column] = of(row[column].into()));
    }

    /// Sets the results at these columns to something of themselves.
    fn change_at(results: &mut [Self], columns: &Columns, of: impl Fn(Self) -> Self) {
        columns.iter().for_each(|column| results[column] = of(results[column]));
    }

    /// The terms of the numbers at these columns: adds their values to a sum, sets the slopes, and
    /// counts those that are not 0.
    fn terms_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        slopes: &mut [Self],
        total: &mut Self::Total,
        of: impl Fn(Self) -> Term<Self>,
    ) -> Count {
        let term = |column: usize| {
            let term = of(row[column].into());
            *total += term.value;
            slopes[column] = term.slope;
            term.nonzero
        };
        columns.iter().map(term).sum()
    }

    /// The largest value of something of the numbers at these columns; `None` of nothing.
    fn largest_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        of: impl Fn(Self) -> Self,
    ) -> Option<f64> {
        columns.iter().map(|column| of(row[column].into()).value()).reduce(f64::max)
    }

    /// Shows the columns among these whose number has this value.
    fn find_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        value: f64,
        mut show: impl FnMut(usize),
    ) {
        columns.iter().filter(|&column| row[column].into().value() == value).for_each(&mut show);
    }

    /// log(sum of exp) of something of the numbers at these columns, with the largest taken out
    /// first; `None` of nothing.
    fn log_sum_exp_at<V: Copy + Into<Self>>(
        row: &[V],
        columns: &Columns,
        of: impl Fn(Self) -> Self,
    ) -> Option<Self> {
        let largest = Self::largest_at(row, columns, &of)?;
        let mut total = Self::Total::default();
        let first = Self::exact(largest);
        Self::sum_at(row, columns, &mut total, |number| (of(number) - first).exp());
        let spread = total.into().ln();
        let error = match Self::IS_BOUNDED {
            true => columns.iter().map(|column| of(row[column].into()).error()).fold(0.0, f64::max),
            false => 0.0,
        };
        // It is at least the largest, and at most log(count) more.
        let most = error + (columns.len() as f64).ln() + LOG;
        Some(Self::new(spread.value(), spread.error().min(most)) + first)
    }

    /// log(sum of exp) of the results at these columns, which become the softmax: exp of themselves
    /// less that; `None` of nothing.
    fn softmax_at(results: &mut [Self], columns: &Columns) -> Option<Self> {
        let level = Self::log_sum_exp_at(results, columns, |number| number)?;
        Self::change_at(results, columns, |number| (number - level).exp_of_part());
        Some(level)
    }
}

/// exp(-|x|), which is at most 1.
pub(crate) fn exp_below(x: f64) -> f64 {
    (-x.abs()).exp()
}

/// 1 / (1 + exp(-x)), of exp(-|x|).
#[inline]
pub(crate) fn sigmoid_by(x: f64, small: f64) -> f64 {
    (if x >= 0.0 { 1.0 } else { small }) / (1.0 + small)
}

/// One term of a loss: its value, its derivative by the argument, and whether it is greater than 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Term<N> {
    pub value: N,
    pub slope: N,
    pub nonzero: Count,
}

impl<N: Number> Term<N> {
    /// The term of an argument that falls where this one's rises.
    pub(crate) fn negated(self) -> Self {
        Self { slope: -self.slope, ..self }
    }

    /// The hinge to the power of 1 or 2.
    pub(crate) fn power(self, power: u32) -> Self {
        if power == 1 {
            return self;
        }
        Self { value: self.value * self.value, slope: N::exact(2.0) * self.value, ..self }
    }
}

/// A number of terms, and how many more or fewer f32 may count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub value: u64,
    pub slack: u64,
}

impl Count {
    pub(crate) const fn exact(value: u64) -> Self {
        Self { value, slack: 0 }
    }

    /// 1 / count, and 0 for nothing to count.
    pub(crate) fn reciprocal<N: Number>(self) -> N {
        let part = |count: u64| if count == 0 { 0.0 } else { 1.0 / count as f64 };
        let value = part(self.value);
        let fewest = self.value.saturating_sub(self.slack);
        let others = [
            part(fewest),
            part(fewest.max(1).min(self.value + self.slack)),
            part(self.value + self.slack),
        ];
        let error = others.into_iter().map(|other| (other - value).abs()).fold(0.0, f64::max);
        N::new(value, error).widened(2.5 * ULP)
    }
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.value += other.value;
        self.slack += other.slack;
    }
}

impl Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |mut sum, count| {
            sum += count;
            sum
        })
    }
}
