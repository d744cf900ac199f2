//! A result as it is printed.

use serde_json::{Map, Value, json};
use wgpu_metric_learning::measures::{Measures, Retrieval};
use wgpu_metric_learning::{Batch, Evaluation, Loss, Mode, ObjectiveEvaluation, Shape, Weighted};

use super::evaluator::{Agreement, Evaluator, Outcome};
use super::table::{self, Column};
use super::{Result, objective, print};

/// What was asked, and the numbers that came back.
pub struct Report {
    title: String,
    asked: (&'static str, Value),
    quantities: Vec<(String, Value)>,
}

impl Report {
    /// Of a loss.
    pub fn of_loss(loss: &Loss, shape: &Shape, evaluation: &Evaluation<f64>) -> Self {
        Self {
            title: objective::describe(loss),
            asked: ("objective", objective::to_json(loss)),
            quantities: named(loss_quantities(shape, evaluation))
                .into_iter()
                .chain([("gradient_norm".into(), json!(norm(&evaluation.gradient)))])
                .collect(),
        }
    }

    /// Of a weighted sum of losses.
    pub fn of_sum(objective: &[Weighted<Batch>], evaluation: &ObjectiveEvaluation<f64>) -> Self {
        let losses = objective.iter().zip(&evaluation.losses).map(|(weighted, evaluation)| {
            let mut quantities = vec![
                ("weight", json!(weighted.weight)),
                ("objective", objective::to_json(&weighted.loss)),
            ];
            quantities.extend(loss_quantities(weighted.inputs.shape(), evaluation));
            Value::Object(named(quantities).into_iter().collect())
        });
        let gradient_norm = norm(&evaluation.gradients.concat());
        Self {
            title: format!("{}Their weighted sum", sum_table(objective, evaluation)),
            asked: ("losses", losses.collect()),
            quantities: named(vec![
                ("loss", json!(evaluation.loss)),
                ("gradient_norm", json!(gradient_norm)),
            ]),
        }
    }

    /// Of retrieval measures.
    pub fn of_measures(retrieval: &Retrieval, shape: &Shape, measures: &Measures<f64>) -> Self {
        let mut quantities = sizes(shape);
        quantities.extend([
            ("counted", json!(measures.counted)),
            ("precision_at_1", json!(measures.precision_at_1)),
        ]);
        let mut quantities = named(quantities);
        let recall = retrieval.recall_at.iter().zip(&measures.recall);
        quantities.extend(recall.map(|(k, recall)| (format!("recall_at_{k}"), json!(recall))));
        quantities.extend(named(vec![
            ("r_precision", json!(measures.r_precision)),
            ("mean_average_precision_at_r", json!(measures.mean_average_precision_at_r)),
        ]));
        let normalize = if retrieval.normalize { " normalize" } else { "" };
        Self {
            title: format!("Retrieval {:?}{normalize}", retrieval.distance),
            asked: ("retrieval", json!(retrieval)),
            quantities,
        }
    }

    /// Prints it, as one JSON object or for people.
    pub fn print<T>(
        &self,
        as_json: bool,
        evaluator: &Evaluator,
        outcome: &Outcome<T>,
    ) -> Result<()> {
        print(&if as_json {
            self.json(evaluator, outcome).to_string()
        } else {
            self.text(evaluator, outcome)
        })
    }

    /// As one JSON object.
    pub fn json<T>(&self, evaluator: &Evaluator, outcome: &Outcome<T>) -> Value {
        let mut object: Map<_, _> = self.quantities.iter().cloned().collect();
        object.insert(self.asked.0.into(), self.asked.1.clone());
        object.insert("backend".into(), evaluator.backend().into());
        object.insert("adapter".into(), evaluator.adapter().into());
        object.insert("elapsed_ms".into(), json!(outcome.elapsed.as_secs_f64() * 1e3));
        object.extend(named(check(&outcome.agreement)));
        object.into()
    }

    /// As lines of names and values.
    fn text<T>(&self, evaluator: &Evaluator, outcome: &Outcome<T>) -> String {
        let mut lines: Vec<(&str, String)> =
            self.quantities.iter().map(|(name, value)| (name.as_str(), readable(value))).collect();
        lines.push(("elapsed", table::milliseconds(outcome.elapsed)));
        let mut text =
            format!("{} on {}\n{}", self.title, evaluator.describe(), table::properties(&lines));
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
        text
    }
}

/// The losses of a sum, one a line.
fn sum_table(objective: &[Weighted<Batch>], evaluation: &ObjectiveEvaluation<f64>) -> String {
    let widest = objective
        .iter()
        .map(|weighted| objective::describe(&weighted.loss).len())
        .max()
        .unwrap_or_default();
    let columns = [
        Column::Right("weight", 8),
        Column::Left("objective", widest),
        Column::Right("terms", 11),
        Column::Right("loss", 12),
    ];
    let rows = objective.iter().zip(&evaluation.losses).map(|(weighted, evaluation)| {
        let loss = objective::describe(&weighted.loss);
        let numbers = [evaluation.terms.to_string(), table::number(evaluation.loss)];
        table::row(&columns, [weighted.weight.to_string(), loss].into_iter().chain(numbers))
    });
    let lines: Vec<_> = std::iter::once(table::titles(&columns)).chain(rows).collect();
    format!("{}\n\n", lines.join("\n"))
}

fn named(quantities: Vec<(&'static str, Value)>) -> Vec<(String, Value)> {
    quantities.into_iter().map(|(name, value)| (name.into(), value)).collect()
}

/// The sizes of the inputs.
pub fn sizes(shape: &Shape) -> Vec<(&'static str, Value)> {
    let mut sizes = vec![("n", json!(shape.queries())), ("d", json!(shape.dimensions()))];
    if shape.has_references() {
        sizes.push(("m", json!(shape.references())));
    }
    if shape.listed() > 0 {
        sizes.push(("listed", json!(shape.listed())));
    }
    sizes
}

fn loss_quantities(shape: &Shape, evaluation: &Evaluation<f64>) -> Vec<(&'static str, Value)> {
    let mut quantities = sizes(shape);
    quantities.extend([
        ("loss", json!(evaluation.loss)),
        ("terms", json!(evaluation.terms)),
        ("nonzero_terms", json!(evaluation.nonzero_terms)),
        ("nonzero_positive_terms", json!(evaluation.nonzero_positive_terms)),
        ("nonzero_negative_terms", json!(evaluation.nonzero_negative_terms)),
        ("positive_pairs", json!(evaluation.positive_pairs)),
        ("negative_pairs", json!(evaluation.negative_pairs)),
        ("mean_positive_distance", json!(evaluation.mean_positive_distance)),
        ("mean_negative_distance", json!(evaluation.mean_negative_distance)),
    ]);
    quantities
}

fn check(agreement: &Agreement) -> Vec<(&'static str, Value)> {
    let (quantity, share, agrees) = match agreement {
        Agreement::NotChecked => return vec![],
        Agreement::ReferenceItself => ("the reference itself", 0.0, true),
        Agreement::Compared(comparison) => {
            let worst = comparison.worst();
            (worst.quantity, worst.share, comparison.agrees())
        }
    };
    vec![
        ("check_agrees", json!(agrees)),
        ("check_quantity", json!(quantity)),
        ("check_share_of_bound", json!(share)),
    ]
}

fn readable(value: &Value) -> String {
    match value.as_f64() {
        Some(number) if value.is_f64() => table::number(number),
        _ => value.to_string(),
    }
}

/// The table of several results: one row each, printed as they come.
pub struct Summary {
    columns: [Column; 7],
}

impl Summary {
    /// A table for these objectives.
    pub fn new(objectives: &[(Loss, Mode)]) -> Self {
        let widest = objectives
            .iter()
            .map(|(loss, _)| objective::describe(loss).len())
            .max()
            .unwrap_or_default();
        let columns = [
            Column::Left("objective", widest),
            Column::Left("mode", 12),
            Column::Right("terms", 11),
            Column::Right("loss", 12),
            Column::Right("gradient norm", 13),
            Column::Right("time", 11),
            Column::Left("agreement with the reference", 0),
        ];
        Self { columns }
    }

    pub fn titles(&self) -> String {
        table::titles(&self.columns)
    }

    pub fn row(&self, loss: &Loss, mode: Mode, outcome: &Outcome<Evaluation<f64>>) -> String {
        let evaluation = &outcome.result;
        let texts = [
            objective::describe(loss),
            mode.name().into(),
            evaluation.terms.to_string(),
            table::number(evaluation.loss),
            table::number(norm(&evaluation.gradient)),
            table::milliseconds(outcome.elapsed),
            agreement(&outcome.agreement),
        ];
        table::row(&self.columns, texts)
    }
}

fn agreement(agreement: &Agreement) -> String {
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

fn norm(values: &[f64]) -> f64 {
    values.iter().map(|value| value * value).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wgpu_metric_learning::{Batch, Triplet, reference};

    use super::*;

    /// What is said of a result whose loss is off by a factor.
    fn outcome_off_by(factor: f64) -> Outcome<Evaluation<f64>> {
        let batch = Batch::new(&[0.0, 0.25, 0.125, 1.0], [4, 1], &[0, 0, 1, 1]).unwrap();
        let expectation = reference::evaluate_with_bounds(Triplet::default(), &batch).unwrap();
        let evaluation = expectation.evaluation.clone();
        let mut actual = evaluation.clone().map(|number| number as f32);
        actual.loss = (evaluation.loss * factor) as f32;
        let agreement = Agreement::Compared(expectation.compare(&actual));
        Outcome { result: evaluation, elapsed: Duration::ZERO, agreement }
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
        let [right, wrong] = [right, wrong].map(|outcome| {
            Map::from_iter(
                check(&outcome.agreement)
                    .into_iter()
                    .map(|(name, value)| (name.to_string(), value)),
            )
        });
        assert_eq!(right["check_agrees"], true);
        assert_eq!(
            [&wrong["check_agrees"], &wrong["check_quantity"]],
            [&json!(false), &json!("loss")]
        );
    }
}
