//! A result as it is printed.

mod measures;
mod verification;

use serde::Serialize;
use wgpu_metric_learning::measures::{Measures, Retrieval, Verification, Verified};
use wgpu_metric_learning::{Batch, Evaluation, Loss, ObjectiveEvaluation, Shape, Weighted};

use super::evaluator::{Agreement, Evaluator, Outcome};
use super::place::Place;
use super::sizes::Sizes;
use super::table::{self, Column};
use super::{Error, Result, descriptions, print, print_json};
pub(crate) use measures::{Details, MeasureNumbers};
use verification::VerificationQuantities;

/// What was asked, and the numbers that came back.
pub(crate) struct Report<'a> {
    title: String,
    asked: Asked<'a>,
    quantities: Quantities,
    details: Details,
}

/// What was asked, by the name that it has in JSON.
#[derive(Clone, Serialize)]
#[serde(rename_all = "snake_case")]
enum Asked<'a> {
    Objective(&'a Loss),
    Losses(Vec<LossReport<'a>>),
    Retrieval(&'a Retrieval),
    Verification(&'a Verification),
}

#[derive(Clone, Serialize)]
#[serde(untagged)]
enum Quantities {
    Loss {
        #[serde(flatten)]
        loss: LossQuantities,
        gradient_norm: f64,
    },
    Sum {
        value: f64,
        gradient_norm: f64,
    },
    Measures(MeasureQuantities),
    Verification(VerificationQuantities),
}

/// One loss of a sum.
#[derive(Clone, Serialize)]
struct LossReport<'a> {
    weight: f32,
    objective: &'a Loss,
    #[serde(flatten)]
    quantities: LossQuantities,
}

#[derive(Clone, Serialize)]
struct LossQuantities {
    #[serde(flatten)]
    sizes: Sizes,
    /// Of the loss: `loss` is its name.
    value: f64,
    terms: u64,
    nonzero_terms: u64,
    nonzero_positive_terms: u64,
    nonzero_negative_terms: u64,
    positive_pairs: u64,
    negative_pairs: u64,
    mean_positive_distance: f64,
    mean_negative_distance: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient_scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gradient_bias: Option<f64>,
}

impl LossQuantities {
    fn of(shape: &Shape, evaluation: &Evaluation<f64>) -> Self {
        Self {
            sizes: Sizes::of(shape),
            value: evaluation.loss,
            terms: evaluation.terms,
            nonzero_terms: evaluation.nonzero_terms,
            nonzero_positive_terms: evaluation.nonzero_positive_terms,
            nonzero_negative_terms: evaluation.nonzero_negative_terms,
            positive_pairs: evaluation.positive_pairs,
            negative_pairs: evaluation.negative_pairs,
            mean_positive_distance: evaluation.mean_positive_distance,
            mean_negative_distance: evaluation.mean_negative_distance,
            gradient_scale: evaluation.gradient_scale,
            gradient_bias: evaluation.gradient_bias,
        }
    }
}

#[derive(Clone, Serialize)]
struct MeasureQuantities {
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(flatten)]
    numbers: MeasureNumbers,
}

/// What the comparison with the reference says.
#[derive(Serialize)]
struct Check {
    check_agrees: bool,
    check_quantity: &'static str,
    check_share_of_bound: f64,
}

impl Check {
    fn of(agreement: &Agreement) -> Option<Self> {
        let (check_quantity, check_share_of_bound, check_agrees) = match agreement {
            Agreement::NotChecked => return None,
            Agreement::ReferenceItself => ("the reference itself", 0.0, true),
            Agreement::Compared(comparison) => {
                let worst = comparison.worst();
                (worst.quantity, worst.share, comparison.agrees())
            }
        };
        Some(Self { check_agrees, check_quantity, check_share_of_bound })
    }
}

/// A line of a report: all that is said of a result.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    #[serde(flatten)]
    asked: Asked<'a>,
    #[serde(flatten)]
    quantities: Quantities,
    #[serde(flatten)]
    details: Details,
    #[serde(flatten)]
    place: Place,
    /// How long its pipelines took to compile, where they were not kept from before.
    compile_ms: Option<f64>,
    /// How long it took to run.
    elapsed_ms: f64,
    #[serde(flatten)]
    check: Option<Check>,
}

impl<'a> Report<'a> {
    /// The report of a loss.
    pub(crate) fn of_loss(loss: &'a Loss, shape: &Shape, evaluation: &Evaluation<f64>) -> Self {
        Self {
            title: descriptions::describe(loss),
            asked: Asked::Objective(loss),
            quantities: Quantities::Loss {
                loss: LossQuantities::of(shape, evaluation),
                gradient_norm: norm(&evaluation.gradient),
            },
            details: Details::default(),
        }
    }

    /// The report of a weighted sum of losses.
    pub(crate) fn of_sum(
        objective: &'a [Weighted<Batch>],
        evaluation: &ObjectiveEvaluation<f64>,
    ) -> Self {
        let losses =
            objective.iter().zip(&evaluation.losses).map(|(weighted, evaluation)| LossReport {
                weight: weighted.weight,
                objective: &weighted.loss,
                quantities: LossQuantities::of(weighted.inputs.shape(), evaluation),
            });
        Self {
            title: format!("{}Their weighted sum", sum_table(objective, evaluation)),
            asked: Asked::Losses(losses.collect()),
            quantities: Quantities::Sum {
                value: evaluation.loss,
                gradient_norm: norm(&evaluation.gradients.concat()),
            },
            details: Details::default(),
        }
    }

    /// The report of retrieval measures.
    pub(crate) fn of_measures(
        retrieval: &'a Retrieval,
        shape: &Shape,
        measures: &Measures<f64>,
    ) -> Self {
        let normalize = if retrieval.normalize { " normalize" } else { "" };
        Self {
            title: format!("Retrieval {}{normalize}", retrieval.distance),
            asked: Asked::Retrieval(retrieval),
            quantities: Quantities::Measures(MeasureQuantities {
                sizes: Sizes::of(shape),
                numbers: MeasureNumbers::of(retrieval, measures),
            }),
            details: Details::default(),
        }
    }

    /// The report of measures of verification.
    pub(crate) fn of_verification(
        verification: &'a Verification,
        shape: &Shape,
        verified: &Verified,
    ) -> Self {
        let normalize = if verification.normalize { " normalize" } else { "" };
        Self {
            title: format!("Verification {}{normalize}", verification.distance),
            asked: Asked::Verification(verification),
            quantities: Quantities::Verification(VerificationQuantities::of(
                verification,
                shape,
                verified,
            )),
            details: Details::default(),
        }
    }

    /// The report with what is said beside its numbers.
    pub(crate) fn with_details(self, details: Details) -> Self {
        Self { details, ..self }
    }

    /// Prints it, as one JSON object or for people.
    pub(crate) fn print<T>(
        &self,
        as_json: bool,
        evaluator: &Evaluator,
        outcome: &Outcome<T>,
    ) -> Result<()> {
        match as_json {
            true => print_json(&self.line(evaluator, outcome)),
            false => print(&self.text(evaluator, outcome)?),
        }
    }

    /// The report as one JSON object.
    pub(crate) fn line<T>(&self, evaluator: &Evaluator, outcome: &Outcome<T>) -> Line<'a> {
        Line {
            asked: self.asked.clone(),
            quantities: self.quantities.clone(),
            details: self.details.clone(),
            place: evaluator.place(),
            compile_ms: outcome.compiled.map(table::in_milliseconds),
            elapsed_ms: table::in_milliseconds(outcome.elapsed),
            check: Check::of(&outcome.agreement),
        }
    }

    /// The report as lines of names and values.
    fn text<T>(&self, evaluator: &Evaluator, outcome: &Outcome<T>) -> Result<String> {
        let mut lines = table::entries(&self.quantities).map_err(Error::output)?;
        let compiled =
            outcome.compiled.map(|time| ("compiled in".into(), table::milliseconds(time)));
        lines.extend(compiled);
        lines.push(("elapsed".into(), table::milliseconds(outcome.elapsed)));
        let mut text =
            format!("{} on {}\n{}", self.title, evaluator.describe(), table::properties(&lines));
        text += &self.details.text()?;
        match &outcome.agreement {
            Agreement::NotChecked => {}
            Agreement::ReferenceItself => text += "\nThis is the reference itself.",
            Agreement::Compared(comparison) => {
                let agreement = agreement(&outcome.agreement);
                text += &format!(
                    "\n\nBeside the reference:\n{comparison}The largest error: {agreement}"
                );
            }
        }
        Ok(text)
    }
}

/// The losses of a sum, one a line.
fn sum_table(objective: &[Weighted<Batch>], evaluation: &ObjectiveEvaluation<f64>) -> String {
    let widest = objective
        .iter()
        .map(|weighted| descriptions::describe(&weighted.loss).len())
        .max()
        .unwrap_or_default();
    let columns = [
        Column::Right("weight", 8),
        Column::Left("objective", widest),
        Column::Right("terms", 11),
        Column::Right("loss", 12),
    ];
    let rows = objective.iter().zip(&evaluation.losses).map(|(weighted, evaluation)| {
        let loss = descriptions::describe(&weighted.loss);
        let numbers = [evaluation.terms.to_string(), table::number(evaluation.loss)];
        table::row(&columns, [weighted.weight.to_string(), loss].into_iter().chain(numbers))
    });
    let lines: Vec<_> = std::iter::once(table::titles(&columns)).chain(rows).collect();
    format!("{}\n\n", lines.join("\n"))
}

/// The agreement with the reference in words.
pub(crate) fn agreement(agreement: &Agreement) -> String {
    match agreement {
        Agreement::NotChecked => "not checked".into(),
        Agreement::ReferenceItself => "the reference itself".into(),
        Agreement::Compared(comparison) => {
            let worst = comparison.worst();
            let verdict = if comparison.agrees() { "" } else { ": DISAGREES" };
            format!("{:.3} of its bound ({}){verdict}", worst.share, worst.quantity)
        }
    }
}

/// The Euclidean norm.
pub(crate) fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wgpu_metric_learning::{Batch, Mode, Triplet, reference};

    use super::*;
    use crate::summary::Summary;

    /// What is said of a result whose loss is off by a factor.
    fn outcome_off_by(factor: f64) -> Outcome<Evaluation<f64>> {
        let batch = Batch::new(&[0.0, 0.25, 0.125, 1.0], [4, 1], &[0, 0, 1, 1]).unwrap();
        let expectation = reference::evaluate_with_bounds(Triplet::default(), &batch).unwrap();
        let evaluation = expectation.evaluation.clone();
        let mut actual = evaluation.clone().map(|number| number as f32);
        actual.loss = (evaluation.loss * factor) as f32;
        let agreement = Agreement::Compared(expectation.compare(&actual));
        Outcome { result: evaluation, compiled: None, elapsed: Duration::ZERO, agreement }
    }

    #[test]
    fn a_result_beyond_its_bound_is_said_to_disagree() {
        let (right, wrong) = (outcome_off_by(1.0), outcome_off_by(1.001));
        assert!(right.agreement.violation().is_none());
        assert!(wrong.agreement.violation().is_some());
        let verdict = |outcome: &Outcome<_>| {
            Summary::new(&[]).row(&Triplet::default().into(), Mode::Batch, outcome)
        };
        assert!(!verdict(&right).contains("DISAGREES"), "{}", verdict(&right));
        assert!(verdict(&wrong).ends_with("(loss): DISAGREES"), "{}", verdict(&wrong));
        let [right, wrong] = [right, wrong].map(|outcome| Check::of(&outcome.agreement).unwrap());
        assert!(right.check_agrees);
        assert_eq!((wrong.check_agrees, wrong.check_quantity), (false, "loss"));
    }
}
