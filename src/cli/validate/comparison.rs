//! One case: what the reference expects, and what the kernels make of it.

use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::reference::{self, Comparison, Deviation, Expectation, MeasuresExpectation};
use wgpu_metric_learning::{Batch, Context, Error, Evaluation, Loss, Result};

use super::cases::Asked;

/// An error of 1 %, to see whether it would be noticed.
const SMALL_ERROR: f32 = 0.01;

/// What the reference expects.
pub enum Expected<'a> {
    Loss(&'a Loss, Box<Expectation>),
    Measures(&'a Retrieval, MeasuresExpectation),
}

/// What came of a case.
#[derive(Debug)]
pub enum Verdict {
    Compared(Compared),
    /// The kernels found the result beyond f32, where the reference says that it may be.
    Refused,
    Failed(Error),
}

/// A result beside the expected one.
#[derive(Clone, Debug)]
pub struct Compared {
    /// The number that is farthest off, in shares of its bound.
    pub worst: Deviation,
    pub numbers: usize,
    /// Whether an error of 1 % would have been noticed; `None` where the result is 0.
    pub notices: Option<bool>,
}

impl<'a> Expected<'a> {
    /// Asks the reference.
    pub fn of(asked: &'a Asked, batch: &Batch) -> Result<Self> {
        Ok(match asked {
            Asked::Loss(loss) => Self::Loss(loss, reference::evaluate_with_bounds(loss, batch)?.into()),
            Asked::Retrieval(retrieval) => Self::Measures(retrieval, reference::measure_with_bounds(retrieval, batch)?),
        })
    }

    /// Asks the kernels, and compares.
    pub fn compare(&self, context: &Context, batch: &Batch) -> Verdict {
        match self {
            Self::Loss(loss, expected) => judge(expected, context.evaluate(*loss, batch)),
            Self::Measures(retrieval, expected) => match context.measure(retrieval, batch) {
                Ok(actual) => {
                    let notices = expected.notices(&actual, SMALL_ERROR);
                    Verdict::compared(&expected.compare(&actual), measured(&actual), notices)
                }
                Err(error) => Verdict::Failed(error),
            },
        }
    }
}

impl Verdict {
    fn compared(comparison: &Comparison, numbers: usize, notices: Option<bool>) -> Self {
        Self::Compared(Compared { worst: comparison.worst().clone(), numbers, notices })
    }
}

/// What is to be said of the result of a loss.
fn judge(expected: &Expectation, result: Result<Evaluation>) -> Verdict {
    match result {
        Ok(actual) => {
            let notices = expected.notices(&actual, SMALL_ERROR);
            Verdict::compared(&expected.compare(&actual), evaluated(&actual), notices)
        }
        Err(Error::Overflow { .. }) if expected.may_overflow() => Verdict::Refused,
        Err(error) => Verdict::Failed(error),
    }
}

/// How many numbers a result has: the loss, six counts, two mean distances, and the tables.
fn evaluated(evaluation: &Evaluation) -> usize {
    const SINGLE: usize = 9;
    let tables = [&evaluation.gradient_references, &evaluation.gradient_beta, &evaluation.per_anchor];
    SINGLE + evaluation.gradient.len() + tables.into_iter().flatten().map(Vec::len).sum::<usize>()
}

/// How many numbers measures are: two counts, three measures, and Recall@k for every k.
fn measured(measures: &Measures) -> usize {
    const SINGLE: usize = 5;
    SINGLE + measures.recall.len()
}

#[cfg(test)]
mod tests {
    use wgpu_metric_learning::Triplet;

    use super::*;

    /// The expectation of a batch, and what the kernels make of it.
    fn example() -> (Expectation, Evaluation) {
        let embeddings = [0.0, 0.25, 0.125, 1.0];
        let batch = Batch::new(&embeddings, [4, 1], &[0, 0, 1, 1]).unwrap();
        let expected = reference::evaluate_with_bounds(Triplet::default(), &batch).unwrap();
        let actual = Context::headless().unwrap().evaluate(Triplet::default(), &batch).unwrap();
        (expected, actual)
    }

    #[test]
    fn a_wrong_expectation_disagrees_and_the_right_one_notices_an_error() {
        let (mut expected, actual) = example();
        let Verdict::Compared(right) = judge(&expected, Ok(actual.clone())) else { panic!("not compared") };
        assert!(right.worst.agrees());
        assert_eq!((right.notices, right.numbers), (Some(true), 9 + 4 + 4));
        expected.evaluation.gradient[2] *= 1.001;
        let Verdict::Compared(wrong) = judge(&expected, Ok(actual)) else { panic!("not compared") };
        assert!(!wrong.worst.agrees());
        assert_eq!((wrong.worst.quantity, wrong.worst.row), ("gradient", 2));
    }

    #[test]
    fn a_refusal_is_allowed_only_where_the_reference_says_so() {
        let (mut expected, _) = example();
        let overflow = || Err(Error::Overflow { what: "the loss" });
        assert!(matches!(judge(&expected, overflow()), Verdict::Failed(Error::Overflow { .. })));
        expected.evaluation.loss = 1e38;
        assert!(matches!(judge(&expected, overflow()), Verdict::Refused));
        assert!(matches!(judge(&expected, Err(Error::NotComputed)), Verdict::Failed(Error::NotComputed)));
    }
}
