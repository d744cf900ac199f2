//! The findings as JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use wgpu_metric_learning::reference::Deviation;

use super::findings::{Finding, Findings, Problem};
use crate::place::Place;
use crate::sizes::Sizes;

/// The findings as JSON, and of what and in what time.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    #[serde(flatten)]
    place: Place,
    cases: usize,
    compared: usize,
    numbers: usize,
    unsure_numbers: usize,
    refused: usize,
    one_percent_noticed: usize,
    zero_results: usize,
    largest_error: Option<CaseLine<'a>>,
    faults_injected: usize,
    faults_survived: usize,
    fault_problems: &'a [String],
    failures: Vec<CaseLine<'a>>,
    check_agrees: bool,
    elapsed_ms: f64,
}

/// A case, and what was found of it.
#[derive(Serialize)]
struct CaseLine<'a> {
    /// The objective, the retrieval or the verification, by its key.
    #[serde(flatten)]
    asked: BTreeMap<&'static str, Value>,
    mode: &'static str,
    input_kind: &'a str,
    #[serde(flatten)]
    sizes: Sizes,
    #[serde(flatten)]
    details: Details<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Details<'a> {
    Beyond {
        check_quantity: &'static str,
        check_share_of_bound: f64,
        row: usize,
        column: usize,
        expected: f64,
        actual: f64,
        bound: f64,
    },
    Error {
        error: &'a str,
    },
}

impl<'a> Details<'a> {
    fn of(problem: &'a Problem) -> Self {
        match problem {
            Problem::Beyond(worst) => Self::beyond(worst),
            Problem::Error(error) => Self::Error { error },
        }
    }

    fn beyond(worst: &Deviation) -> Self {
        let &Deviation { quantity, share, row, column, expected, actual, bound } = worst;
        Self::Beyond {
            check_quantity: quantity,
            check_share_of_bound: share,
            row,
            column,
            expected,
            actual,
            bound,
        }
    }
}

impl<'a> CaseLine<'a> {
    fn of<T>(finding: &'a Finding<T>, details: Details<'a>) -> Self {
        Self {
            asked: BTreeMap::from([finding.asked.json()]),
            mode: finding.shape.mode().name(),
            input_kind: &finding.inputs,
            sizes: Sizes::of(&finding.shape),
            details,
        }
    }
}

impl<'a> Line<'a> {
    /// `place` is what was validated.
    pub(crate) fn of(place: Place, findings: &'a Findings, elapsed: Duration) -> Self {
        let failure =
            |failure: &'a Finding<Problem>| CaseLine::of(failure, Details::of(&failure.what));
        Self {
            place,
            cases: findings.cases,
            compared: findings.compared(),
            numbers: findings.numbers,
            unsure_numbers: findings.unsure,
            refused: findings.refused,
            one_percent_noticed: findings.noticing,
            zero_results: findings.zero,
            largest_error: findings
                .largest
                .as_ref()
                .map(|largest| CaseLine::of(largest, Details::beyond(&largest.what))),
            faults_injected: findings.faults.injected,
            faults_survived: findings.faults.survived(),
            fault_problems: &findings.faults.problems,
            failures: findings.failures.iter().map(failure).collect(),
            check_agrees: findings.agree(),
            elapsed_ms: 1e3 * elapsed.as_secs_f64(),
        }
    }
}
