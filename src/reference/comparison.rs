//! An f32 result beside the expected one.

use std::fmt;

use super::expectation::Expectation;
use crate::data::evaluation::Evaluation;

/// How an f32 result compares with the [`Expectation`]: of every quantity the number that is
/// farthest off, in shares of its bound.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    deviations: Vec<Deviation>,
    unsure: usize,
}

/// The number of a quantity that is farthest off.
#[derive(Clone, Debug, PartialEq)]
pub struct Deviation {
    /// Which quantity: a field of [`Evaluation`], or `length of` one where there are more or fewer
    /// numbers than expected.
    pub quantity: &'static str,
    /// |actual - expected| / bound: within 1 they agree. Infinite for NaN, infinities, any
    /// deviation where none is allowed, and bounds beyond f64.
    pub share: f64,
    /// The row of the number; 0 for single numbers.
    pub row: usize,
    /// The column of the number; 0 for single numbers and columns of them.
    pub column: usize,
    /// What the number should be.
    pub expected: f64,
    /// What it is.
    pub actual: f64,
    /// How far off it may be.
    pub bound: f64,
}

impl Deviation {
    /// Whether the number is within its bound.
    pub fn agrees(&self) -> bool {
        self.share <= 1.0
    }

    pub(super) fn new(quantity: &'static str, expected: f64, actual: f64, bound: f64) -> Self {
        let deviation = (actual - expected).abs();
        let share = match deviation / bound {
            _ if !actual.is_finite() || !bound.is_finite() => f64::INFINITY,
            _ if deviation == 0.0 => 0.0,
            share => share,
        };
        Self { quantity, share, row: 0, column: 0, expected, actual, bound }
    }

    /// More or fewer numbers than expected; -1 stands for no table.
    pub(super) fn of_length(quantity: &'static str, lengths: [Option<usize>; 2]) -> Self {
        let [expected, actual] = lengths.map(|length| length.map_or(-1.0, |length| length as f64));
        Self { share: f64::INFINITY, ..Self::new(quantity, expected, actual, 0.0) }
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let Self { quantity, share, row, column, expected, actual, bound } = self;
        let verdict = if self.agrees() { "agrees" } else { "DISAGREES" };
        write!(
            formatter,
            "{quantity:<27} {verdict:<9} {share:8.3} of the bound {bound:.3e} at row {row}, column {column}: "
        )?;
        write!(formatter, "expected {expected:.9e}, actual {actual:.9e}")
    }
}

impl Comparison {
    pub(super) fn new(expectation: &Expectation, actual: &Evaluation<f32>) -> Self {
        let Expectation { evaluation: expected, bounds, dimensions, .. } = expectation;
        let number = |quantity, of: fn(&Evaluation<f64>) -> f64, actual: f32| {
            Deviation::new(quantity, of(expected), actual.into(), of(bounds))
        };
        let count = |quantity, of: fn(&Evaluation<f64>) -> u64, actual: u64| {
            Deviation::new(quantity, of(expected) as f64, actual as f64, of(bounds) as f64)
        };
        let table = |names,
                     columns,
                     of: fn(&Evaluation<f64>) -> Option<&Vec<f64>>,
                     actual: Option<&Vec<f32>>| {
            worst_of(names, columns, [of(expected), of(bounds)], actual.map(Vec::as_slice))
        };
        let singles = [
            number("loss", |of| of.loss, actual.loss),
            count("terms", |of| of.terms, actual.terms),
            count("nonzero_terms", |of| of.nonzero_terms, actual.nonzero_terms),
            count(
                "nonzero_positive_terms",
                |of| of.nonzero_positive_terms,
                actual.nonzero_positive_terms,
            ),
            count(
                "nonzero_negative_terms",
                |of| of.nonzero_negative_terms,
                actual.nonzero_negative_terms,
            ),
            count("positive_pairs", |of| of.positive_pairs, actual.positive_pairs),
            count("negative_pairs", |of| of.negative_pairs, actual.negative_pairs),
            number(
                "mean_positive_distance",
                |of| of.mean_positive_distance,
                actual.mean_positive_distance,
            ),
            number(
                "mean_negative_distance",
                |of| of.mean_negative_distance,
                actual.mean_negative_distance,
            ),
        ];
        let tables = [
            table(
                ["gradient", "length of gradient"],
                *dimensions,
                |of| Some(&of.gradient),
                Some(&actual.gradient),
            ),
            table(
                ["gradient_references", "length of gradient_references"],
                *dimensions,
                |of| of.gradient_references.as_ref(),
                actual.gradient_references.as_ref(),
            ),
            table(
                ["gradient_beta", "length of gradient_beta"],
                1,
                |of| of.gradient_beta.as_ref(),
                actual.gradient_beta.as_ref(),
            ),
            table(
                ["per_anchor", "length of per_anchor"],
                1,
                |of| of.per_anchor.as_ref(),
                actual.per_anchor.as_ref(),
            ),
        ];
        let scale_and_bias = [
            single(
                ["gradient_scale", "length of gradient_scale"],
                [expected.gradient_scale, bounds.gradient_scale],
                actual.gradient_scale,
            ),
            single(
                ["gradient_bias", "length of gradient_bias"],
                [expected.gradient_bias, bounds.gradient_bias],
                actual.gradient_bias,
            ),
        ];
        let tables = tables.into_iter().chain(scale_and_bias).flatten();
        let deviations = singles.into_iter().chain(tables).collect();
        Self::of(deviations, expectation.unsure())
    }

    /// The comparison of quantities that were compared before, at least one, of which `unsure`
    /// numbers are unsure.
    pub(super) fn of(deviations: Vec<Deviation>, unsure: usize) -> Self {
        Self { deviations, unsure }
    }

    /// How many numbers have a bound above half of themselves, so that their agreement says
    /// nothing; counts are no such numbers.
    pub fn unsure(&self) -> usize {
        self.unsure
    }

    /// Whether every number is within its bound, and none is missing or too many.
    pub fn agrees(&self) -> bool {
        self.deviations.iter().all(Deviation::agrees)
    }

    /// The quantity that is farthest off.
    pub fn worst(&self) -> &Deviation {
        worst(&self.deviations).unwrap_or(&self.deviations[0])
    }

    /// Every quantity.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }
}

impl Expectation {
    /// How many numbers have a bound above half of themselves: [`Comparison::unsure`].
    pub fn unsure(&self) -> usize {
        let Self { evaluation, bounds, .. } = self;
        let singles = |of: &Evaluation<f64>| {
            let [scale, bias] =
                [of.gradient_scale, of.gradient_bias].map(Option::unwrap_or_default);
            [of.loss, of.mean_positive_distance, of.mean_negative_distance, scale, bias]
        };
        let tables = |of: &Evaluation<f64>| {
            [Some(&of.gradient), of.gradient_references.as_ref(), of.gradient_beta.as_ref()]
                .into_iter()
                .chain([of.per_anchor.as_ref()])
                .flatten()
                .flatten()
                .copied()
                .collect::<Vec<_>>()
        };
        unsure(singles(evaluation).iter().zip(&singles(bounds)))
            + unsure(tables(evaluation).iter().zip(&tables(bounds)))
    }

    /// Compares every number of an f32 result with the expected one.
    pub fn compare(&self, actual: &Evaluation<f32>) -> Comparison {
        Comparison::new(self, actual)
    }

    /// Whether the comparison would notice that the loss and the gradient are off by this part of
    /// themselves; `None` where both are 0.
    pub fn notices(&self, actual: &Evaluation<f32>, part: f32) -> Option<bool> {
        if actual.loss == 0.0 && actual.gradient.iter().all(|&number| number == 0.0) {
            return None;
        }
        let factor = 1.0 + part;
        let gradient = actual.gradient.iter().map(|number| number * factor).collect();
        Some(
            !self
                .compare(&Evaluation { loss: actual.loss * factor, gradient, ..actual.clone() })
                .agrees(),
        )
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        self.deviations.iter().try_for_each(|deviation| writeln!(formatter, "{deviation}"))?;
        match self.unsure {
            0 => Ok(()),
            count => writeln!(
                formatter,
                "says nothing of the numbers with a bound above half of themselves: {count}"
            ),
        }
    }
}

/// How many of these numbers have a bound above half of themselves.
pub(super) fn unsure<'a>(numbers: impl IntoIterator<Item = (&'a f64, &'a f64)>) -> usize {
    numbers.into_iter().filter(|(value, bound)| **bound > 0.5 * value.abs()).count()
}

/// The first of the farthest off.
fn worst<'a>(deviations: impl IntoIterator<Item = &'a Deviation>) -> Option<&'a Deviation> {
    deviations.into_iter().reduce(|worst, next| if next.share > worst.share { next } else { worst })
}

/// A number that not every result has; `None` where there is rightly none.
fn single(
    names: [&'static str; 2],
    expected: [Option<f64>; 2],
    actual: Option<f32>,
) -> Option<Deviation> {
    let [value, bound] = expected.map(|number| number.map(|number| vec![number]));
    worst_of(names, 1, [value.as_ref(), bound.as_ref()], actual.as_ref().map(std::slice::from_ref))
}

/// The number of a table that is farthest off; `None` where there is rightly no table.
pub(super) fn worst_of(
    [name, length_name]: [&'static str; 2],
    columns: usize,
    expected: [Option<&Vec<f64>>; 2],
    actual: Option<&[f32]>,
) -> Option<Deviation> {
    let (Some(values), Some(bounds), Some(actual)) = (expected[0], expected[1], actual) else {
        let lengths = [expected[0].map(Vec::len), actual.map(<[f32]>::len)];
        return lengths
            .iter()
            .any(Option::is_some)
            .then(|| Deviation::of_length(length_name, lengths));
    };
    if values.len() != actual.len() {
        return Some(Deviation::of_length(length_name, [Some(values.len()), Some(actual.len())]));
    }
    let numbers = values.iter().zip(bounds).zip(actual).enumerate();
    let deviations = numbers.map(|(at, ((&value, &bound), &actual))| Deviation {
        row: at / columns,
        column: at % columns,
        ..Deviation::new(name, value, actual.into(), bound)
    });
    deviations.reduce(|worst, next| if next.share > worst.share { next } else { worst })
}
