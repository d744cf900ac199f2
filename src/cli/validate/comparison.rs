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
    /// The number that is farthest off, in shares of its bound; where all agree, of those that are no counts.
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
        Self::Compared(Compared { worst: worst(comparison).clone(), numbers, notices })
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

/// Of results that agree the count that is farthest off says nothing: rounding decides about whole terms.
fn worst(comparison: &Comparison) -> &Deviation {
    let is_count = |deviation: &&Deviation| ["terms", "pairs"].iter().any(|end| deviation.quantity.ends_with(end));
    let measured = comparison.deviations().iter().filter(|deviation| !is_count(deviation));
    let farthest = measured.max_by(|one, other| one.share.total_cmp(&other.share));
    farthest.filter(|_| comparison.agrees()).unwrap_or_else(|| comparison.worst())
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

    #[test]
    fn a_refusal_is_allowed_only_where_the_reference_says_so() {
        let batch = Batch::new(&[0.0, 0.25, 0.125, 1.0], [4, 1], &[0, 0, 1, 1]).unwrap();
        let mut expected = reference::evaluate_with_bounds(Triplet::default(), &batch).unwrap();
        let overflow = || Err(Error::Overflow { what: "the loss" });
        assert!(matches!(judge(&expected, overflow()), Verdict::Failed(Error::Overflow { .. })));
        expected.evaluation.loss = 1e38;
        assert!(matches!(judge(&expected, overflow()), Verdict::Refused));
        assert!(matches!(judge(&expected, Err(Error::NotComputed)), Verdict::Failed(Error::NotComputed)));
    }
}
