//! One case: what the reference expects, and what an engine makes of it.

use wgpu_metric_learning::measures::{Measures, Retrieval, Verification, Verified};
use wgpu_metric_learning::reference::{
    self, Comparison, Deviation, Expectation, MeasuresExpectation, ObjectiveExpectation,
    VerificationExpectation,
};
use wgpu_metric_learning::{
    Arithmetic, Batch, Engine, Error, Evaluation, Loss, ObjectiveEvaluation, Result, Weighted,
};

use super::cases::Asked;

/// An error of 1 %, to see whether it would be noticed.
const SMALL_ERROR: f32 = 0.01;

/// What the reference expects.
pub(crate) enum Expected<'a> {
    Loss(&'a Loss, Box<Expectation>),
    Objective(Vec<Weighted<Batch<'a>>>, Box<ObjectiveExpectation>),
    Measures(&'a Retrieval, Box<MeasuresExpectation>),
    Verified(&'a Verification, Box<VerificationExpectation>),
    /// Distances are beyond f32.
    Beyond(&'a Verification),
}

/// What came of a case.
#[derive(Debug)]
pub(crate) enum Verdict {
    Compared(Compared),
    /// The kernels found the result beyond f32, where the reference says that it may be.
    Refused,
    Failed(Error),
}

/// A result beside the expected one.
#[derive(Clone, Debug)]
pub(crate) struct Compared {
    /// The number that is farthest off, in shares of its bound; where all agree, of those that are
    /// no counts.
    pub worst: Deviation,
    pub numbers: usize,
    /// How many of the numbers have a bound above half of themselves, which says nothing of them.
    pub unsure: usize,
    /// Whether an error of 1 % would have been noticed; `None` where the result is 0.
    pub notices: Option<bool>,
}

impl<'a> Expected<'a> {
    /// Asks the reference what kernels of this arithmetic may find.
    pub(crate) fn of(asked: &'a Asked, batch: &Batch<'a>, arithmetic: Arithmetic) -> Result<Self> {
        Ok(match asked {
            Asked::Loss(loss) => {
                let expected = reference::evaluate_with_bounds_in(arithmetic, loss, batch)?;
                Self::Loss(loss, expected.into())
            }
            Asked::Objective(losses) => {
                let objective: Vec<_> = losses
                    .iter()
                    .map(|(weight, loss)| Weighted::new(*weight, loss, *batch))
                    .collect();
                let expected =
                    reference::evaluate_objective_with_bounds_in(arithmetic, &objective)?;
                Self::Objective(objective, expected.into())
            }
            Asked::Retrieval(retrieval) => {
                Self::Measures(retrieval, reference::measure_with_bounds(retrieval, batch)?.into())
            }
            Asked::Verification(verification) => {
                match reference::verify_with_bounds(verification, batch) {
                    Err(Error::Overflow { .. }) => Self::Beyond(verification),
                    expected => Self::Verified(verification, expected?.into()),
                }
            }
        })
    }

    /// Asks the engine, and compares.
    #[cfg(not(target_arch = "wasm32"))]
    pub(super) fn compare(&self, engine: &Engine, batch: &Batch<'_>) -> Verdict {
        match self {
            Self::Loss(loss, expected) => {
                judge_loss(expected, engine.evaluate(*loss, batch).wait())
            }
            Self::Objective(objective, expected) => {
                judge_objective(expected, engine.evaluate_objective(objective).wait())
            }
            Self::Measures(retrieval, expected) => {
                judge_measures(expected, engine.measure(retrieval, batch).wait())
            }
            Self::Verified(verification, expected) => {
                judge_verified(expected, engine.verify(verification, batch).wait())
            }
            Self::Beyond(verification) => judge_beyond(engine.verify(verification, batch).wait()),
        }
    }

    /// Asks the engine, and compares: in a browser nothing may wait.
    #[cfg(target_arch = "wasm32")]
    pub(super) async fn compare(&self, engine: &Engine, batch: &Batch<'_>) -> Verdict {
        match self {
            Self::Loss(loss, expected) => judge_loss(expected, engine.evaluate(*loss, batch).await),
            Self::Objective(objective, expected) => {
                judge_objective(expected, engine.evaluate_objective(objective).await)
            }
            Self::Measures(retrieval, expected) => {
                judge_measures(expected, engine.measure(retrieval, batch).await)
            }
            Self::Verified(verification, expected) => {
                judge_verified(expected, engine.verify(verification, batch).await)
            }
            Self::Beyond(verification) => judge_beyond(engine.verify(verification, batch).await),
        }
    }
}

fn judge_loss(expected: &Expectation, result: Result<Evaluation>) -> Verdict {
    judge(result, expected.may_overflow(), |actual| {
        (expected.compare(actual), evaluated(actual), expected.notices(actual, SMALL_ERROR))
    })
}

fn judge_objective(
    expected: &ObjectiveExpectation,
    result: Result<ObjectiveEvaluation>,
) -> Verdict {
    judge(result, expected.may_overflow(), |actual| {
        (expected.compare(actual), summed(actual), expected.notices(actual, SMALL_ERROR))
    })
}

fn judge_measures(expected: &MeasuresExpectation, result: Result<Measures>) -> Verdict {
    judge(result, false, |actual| {
        (expected.compare(actual), measured(actual), expected.notices(actual, SMALL_ERROR))
    })
}

fn judge_verified(expected: &VerificationExpectation, result: Result<Verified>) -> Verdict {
    judge(result, false, |actual| {
        let mut off = actual.clone();
        off.auc *= 1.0 + f64::from(SMALL_ERROR);
        let notices = (actual.auc > 0.0).then(|| !expected.compare(&off).agrees());
        (expected.compare(actual), verified(actual), notices)
    })
}

/// Of distances that are beyond f32 there is no result.
fn judge_beyond(result: Result<Verified>) -> Verdict {
    match result {
        Ok(_) => Verdict::Failed(Error::Overflow { what: "the distance of a pair" }),
        Err(Error::Overflow { .. }) => Verdict::Refused,
        Err(error) => Verdict::Failed(error),
    }
}

/// What is to be said of a result, given its comparison, how many numbers it has, and whether an
/// error would be noticed.
fn judge<T>(
    result: Result<T>,
    may_overflow: bool,
    compare: impl FnOnce(&T) -> (Comparison, usize, Option<bool>),
) -> Verdict {
    match result {
        Ok(actual) => {
            let (comparison, numbers, notices) = compare(&actual);
            let unsure = comparison.unsure();
            let worst = worst(&comparison).clone();
            Verdict::Compared(Compared { worst, numbers, unsure, notices })
        }
        Err(Error::Overflow { .. }) if may_overflow => Verdict::Refused,
        Err(error) => Verdict::Failed(error),
    }
}

/// The deviation that is farthest off. Where results agree, counts are left out: there rounding may
/// have decided about whole terms.
fn worst(comparison: &Comparison) -> &Deviation {
    let is_count = |deviation: &&Deviation| {
        ["terms", "pairs"].iter().any(|end| deviation.quantity.ends_with(end))
    };
    let measured = comparison.deviations().iter().filter(|deviation| !is_count(deviation));
    let farthest = measured.max_by(|one, other| one.share.total_cmp(&other.share));
    farthest.filter(|_| comparison.agrees()).unwrap_or_else(|| comparison.worst())
}

/// How many numbers a result has: the loss, six counts, two mean distances, the derivatives by a
/// scale and a bias, and the tables.
fn evaluated(evaluation: &Evaluation) -> usize {
    const SINGLE: usize = 9;
    let tables =
        [&evaluation.gradient_references, &evaluation.gradient_beta, &evaluation.per_anchor];
    SINGLE
        + usize::from(evaluation.gradient_scale.is_some())
        + usize::from(evaluation.gradient_bias.is_some())
        + evaluation.gradient.len()
        + tables.into_iter().flatten().map(Vec::len).sum::<usize>()
}

/// How many numbers an objective has: its loss, its gradients, and those of every loss.
fn summed(evaluation: &ObjectiveEvaluation) -> usize {
    1 + evaluation.gradients.iter().map(Vec::len).sum::<usize>()
        + evaluation.losses.iter().map(evaluated).sum::<usize>()
}

/// How many numbers measures are: two counts, five measures, and those that have a k.
fn measured(measures: &Measures) -> usize {
    const SINGLE: usize = 7;
    let Measures { recall, precision, ndcg, .. } = measures;
    SINGLE + recall.len() + precision.len() + ndcg.len()
}

/// How many numbers a verification has: two counts, two measures with their thresholds, the AUC, and
/// the rates with theirs.
fn verified(verified: &Verified) -> usize {
    const SINGLE: usize = 7;
    SINGLE + verified.tpr.len() + verified.tpr_threshold.len()
}

#[cfg(test)]
mod tests {
    use wgpu_metric_learning::Triplet;

    use super::*;

    #[test]
    fn a_refusal_is_allowed_only_where_the_reference_says_so() {
        let batch = Batch::new(&[0.0, 0.25, 0.125, 1.0], [4, 1], &[0, 0, 1, 1]).unwrap();
        let mut expected = reference::evaluate_with_bounds(Triplet::default(), &batch).unwrap();
        let judged = |error, expected: &Expectation| {
            judge(Err::<Evaluation, _>(error), expected.may_overflow(), |_| {
                unreachable!("there is no result")
            })
        };
        let overflow = || Error::Overflow { what: "the loss" };
        assert!(matches!(judged(overflow(), &expected), Verdict::Failed(Error::Overflow { .. })));
        expected.evaluation.loss = 1e38;
        assert!(matches!(judged(overflow(), &expected), Verdict::Refused));
        assert!(matches!(
            judged(Error::NotComputed, &expected),
            Verdict::Failed(Error::NotComputed)
        ));

        let sum = |weight| {
            let weighted = Weighted::new(weight, Triplet::default(), batch);
            reference::evaluate_objective_with_bounds(&[weighted]).unwrap().may_overflow()
        };
        assert_eq!([1.0, 1e38].map(sum), [false, true]);
    }
}
