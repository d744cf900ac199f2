//! A number, and how far a correct f32 evaluation of the same formula may be from it.
//!
//! A running error analysis in the first order and a little more: every operation passes on the
//! errors of its operands and adds its own rounding, with the accuracies of
//! [`number`](crate::definition::number): additions and products rounded once, divisions within 2.5 ulp, square roots within about 4, exp(x) within 3 +
//! 2 |x| ulp, log within 2^-21 on [0.5, 2] and 3 ulp elsewhere.
//!
//! Numbers below the smallest normal f32 may be kept or flushed to 0, by any operation, and on one
//! driver otherwise than on another: WGSL leaves it open. Kernels do not look at their bits, so
//! every operation admits both, and with them either decision where only such a number decides: the
//! sign of a difference, the kink of a hinge.
//!
//! f64 has its own smallest number: exp(-750) is 0 in it. Nothing is decided by that. What is never
//! 0 by its definition counts as such (a softplus, an entropy), arguments are compared and not
//! their exponentials, and every value that f64 may flush has a bound that is larger.

use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use crate::definition::number::{
    Count, LOG, Number, ROUNDING, SMALLEST, Term, ULP, exp_below, sigmoid_by, tree,
};

/// The relative error of WGSL's square root, by way of an inverse square root and a division.
const SQUARE_ROOT: f64 = 4.5 * ULP;

/// The relative error of exp(x).
fn exponential(x: f64) -> f64 {
    (3.0 + 2.0 * x.abs()) * ULP
}

/// The error of log(1 + exp(-|x|)) by a series, where exp(-|x|) is `small`.
fn of_exponential(small: f64, x: f64) -> f64 {
    small * exponential(x) + 8.0 * ULP * small + SMALLEST
}

/// No less than exp(error) - 1, for errors up to 1.
fn growth(error: f64) -> f64 {
    error * (1.0 + error)
}

/// A number of the formula in f64, and the largest deviation from it that f32 arithmetic explains.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Bounded {
    pub value: f64,
    pub error: f64,
}

impl Bounded {
    /// The sigmoid by exp(-|x|).
    fn sigmoid_by(self, small: f64) -> Self {
        let value = sigmoid_by(self.value, small);
        let slope = small / ((1.0 + small) * (1.0 + small));
        let error = if self.error < 1.0 {
            slope * (growth(self.error) + exponential(self.value))
        } else {
            1.0
        };
        Self::new(value, error + SMALLEST).widened(4.0 * ULP).within_one()
    }
}

impl Number for Bounded {
    const IS_BOUNDED: bool = true;
    const ZERO: Self = Self { value: 0.0, error: 0.0 };
    const ONE: Self = Self { value: 1.0, error: 0.0 };

    type Stored = Self;
    type Total = Total;

    fn new(value: f64, error: f64) -> Self {
        Self { value, error }
    }

    fn stored(self) -> Self {
        self
    }

    fn value(self) -> f64 {
        self.value
    }

    fn error(self) -> f64 {
        self.error
    }

    fn exp(self) -> Self {
        let value = self.value.exp();
        // exp(x + e) - exp(x), without 0 times infinity for a large e.
        let error = if self.error < 1.0 {
            value * growth(self.error)
        } else {
            (self.value + self.error).exp()
        };
        Self::new(value, error + SMALLEST).widened(exponential(self.value))
    }

    fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        // The larger side is sqrt(x) - sqrt(x - e), which is no more than sqrt(e).
        let least = (self.value - self.error).max(0.0).sqrt();
        let error = if self.error == 0.0 {
            0.0
        } else {
            (self.error / (value + least)).min(self.error.sqrt())
        };
        Self::new(value, error).widened(SQUARE_ROOT)
    }

    fn ln(self) -> Self {
        let value = self.value.ln();
        let own = if (0.5..=2.0).contains(&self.value) { LOG } else { 3.0 * ULP * value.abs() };
        Self::new(value, self.error / (self.value - self.error).max(0.0) + own)
    }

    fn ln_one_plus(self) -> Self {
        Self::new(self.value.ln_1p(), self.error).widened(8.0 * ULP)
    }

    fn ln_of_one_and(self) -> Self {
        let value = self.value.ln_1p();
        let above = (self.error / (1.0 + self.value)).ln_1p();
        let below = value - (self.value - self.error).max(0.0).ln_1p();
        let own = if self.magnitude() <= 1.0 { 0.0 } else { LOG };
        Self::new(value, above.max(below) + own).widened(8.0 * ULP)
    }

    fn sigmoid(self) -> Self {
        self.sigmoid_by(exp_below(self.value))
    }

    fn softplus(self) -> Term<Self> {
        let small = exp_below(self.value);
        let slope = self.sigmoid_by(small);
        let value = self.value.max(0.0) + small.ln_1p();
        let error = slope.magnitude().min(1.0) * self.error + of_exponential(small, self.value);
        Term { value: Self::new(value, error).widened(ULP), slope, nonzero: Count::exact(1) }
    }

    fn log_add_exp(self, other: Self) -> Self {
        let (high, low) = if self.value >= other.value { (self, other) } else { (other, self) };
        let apart = low.value - high.value;
        let small = apart.exp();
        let rounding = small * apart.abs() * ROUNDING;
        let error = self.error.max(other.error) + rounding + of_exponential(small, apart);
        Self::new(high.value + small.ln_1p(), error).widened(ULP)
    }
}

impl Neg for Bounded {
    type Output = Self;

    fn neg(self) -> Self {
        Self::new(-self.value, self.error)
    }
}

impl Add for Bounded {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self::new(self.value + other.value, self.error + other.error).widened(ROUNDING).or_flushed()
    }
}

impl Sub for Bounded {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Bounded {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let error = self.value.abs() * other.error + self.error * other.magnitude();
        Self::new(self.value * other.value, error).widened(ROUNDING).or_flushed()
    }
}

impl Div for Bounded {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let least = (other.value.abs() - other.error).max(0.0);
        Self::new(value, (self.error + value.abs() * other.error) / least)
            .widened(2.5 * ULP)
            .or_flushed()
    }
}

/// A sum that is being added up in a tree, as the kernels' reductions do.
#[derive(Default)]
pub(crate) struct Total {
    sum: Bounded,
    count: usize,
    magnitudes: f64,
}

impl AddAssign<Bounded> for Total {
    fn add_assign(&mut self, number: Bounded) {
        self.sum.gather(number);
        self.count += 1;
        self.magnitudes += number.value.abs();
    }
}

impl From<Total> for Bounded {
    /// Every sum on the way may be flushed.
    fn from(total: Total) -> Self {
        let Total { mut sum, count, magnitudes } = total;
        sum.error += tree(count) * magnitudes + magnitudes.min(count as f64 * SMALLEST);
        sum
    }
}

impl Sum for Bounded {
    fn sum<I: Iterator<Item = Self>>(numbers: I) -> Self {
        let mut total = Total::default();
        numbers.for_each(|number| total += number);
        total.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::columns::Columns;

    fn number(value: f64) -> Bounded {
        Bounded::new(value, 1e-6)
    }

    /// The result with both ends of the operand's range must lie in the result's range.
    fn covers(function: impl Fn(Bounded) -> Bounded, values: &[f64]) {
        for &value in values {
            let middle = function(number(value));
            for end in [value - 1e-6, value + 1e-6] {
                let there = function(Bounded::exact(end));
                let reach = middle.error * (1.0 + 1e-9);
                assert!(
                    (there.value - middle.value).abs() <= reach,
                    "at {value}: {there:?} outside {middle:?}"
                );
            }
            assert!(
                middle.error <= 1e-4 * middle.value.abs().max(1.0),
                "at {value}: {middle:?} is loose"
            );
        }
    }

    #[test]
    fn every_operation_covers_the_errors_of_its_operands() {
        let everywhere = [-20.0, -3.0, -0.4, -1e-7, 0.0, 1e-7, 0.4, 3.0, 9.0];
        covers(|x| x + number(2.0), &everywhere);
        covers(|x| x * number(-2.0), &everywhere);
        covers(|x| number(2.0) / x, &[-3.0, 0.5, 7.0]);
        covers(|x| x.max(number(0.4)), &everywhere);
        covers(Bounded::exp, &[-20.0, -3.0, 0.0, 2.0]);
        covers(Bounded::ln, &[0.1, 1.0, 7.0]);
        covers(Bounded::sqrt, &[0.1, 1.0, 7.0]);
        covers(Bounded::ln_one_plus, &[1e-7, 0.3, 0.9]);
        covers(Bounded::ln_of_one_and, &[1e-7, 0.3, 1.0, 7.0]);
        let near_kinks = [-0.6, -1e-7, 0.0, 1e-7, 0.4];
        covers(Bounded::abs, &near_kinks);
        covers(|x| x.min(number(0.4)), &near_kinks);
        covers(Bounded::sigmoid, &everywhere);
        covers(|x| x.softplus().value, &everywhere);
        covers(|x| x.softplus().slope, &everywhere);
        covers(|x| x.hinge().value, &everywhere);
        covers(|x| x.hinge().power(2).slope, &everywhere);
        covers(|x| x.log_add_exp(number(0.5)), &everywhere);
        covers(
            |x| {
                let row = [x, number(1.0), x];
                let all = Columns::from(0..3);
                Bounded::log_sum_exp_at(&row, &all, |number| number).unwrap_or_default()
            },
            &everywhere,
        );
    }

    #[test]
    fn a_kink_may_go_either_way_only_inside_the_error() {
        let slope = |value| number(value).hinge().slope;
        assert_eq!(slope(2e-6), Bounded::exact(1.0));
        assert_eq!(slope(-2e-6), Bounded::exact(0.0));
        assert_eq!(slope(5e-7), Bounded::new(1.0, 1.0));
        assert_eq!(slope(-5e-7), Bounded::new(0.0, 1.0));
        assert_eq!(Bounded::ZERO.hinge().slope, Bounded::ZERO);
        assert_eq!(number(-5e-7).hinge().nonzero, Count { value: 0, slack: 1 });
    }

    #[test]
    fn what_f32_may_flush_may_be_zero() {
        let flushed = Bounded::exact(1e-39).or_flushed();
        assert!(flushed.error >= 1e-39 && flushed.is_ambiguous());
        assert_eq!(flushed.nonzero(), Count { value: 1, slack: 1 });
        assert_eq!(flushed.sign(), Bounded::new(1.0, 1.0));
        for kept in [Bounded::ZERO, Bounded::exact(1e-37), Bounded::exact(-3.0)] {
            assert_eq!(kept.or_flushed(), kept);
            assert_eq!(kept.nonzero().slack, 0);
        }
    }

    #[test]
    fn a_reciprocal_covers_every_count_that_is_possible() {
        for (value, slack) in [(0, 0), (0, 2), (1, 1), (3, 5), (100, 3)] {
            let found = Count { value, slack }.reciprocal::<Bounded>();
            for count in u64::saturating_sub(value, slack)..=value + slack {
                let there = Count::exact(count).reciprocal::<Bounded>().value;
                assert!(
                    (there - found.value).abs() <= found.error,
                    "1 / {count} outside {found:?}"
                );
            }
        }
    }
}
