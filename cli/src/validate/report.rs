//! The findings as they are printed.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use wgpu_metric_learning::reference::Deviation;

use super::findings::{Finding, Findings, Problem};
use crate::evaluator::CPU;
use crate::gpu::Gpu;
use crate::report::Sizes;
use crate::{Error, Result, table};

/// What was validated.
pub(super) enum Place {
    Gpu(Box<Gpu>),
    Cpu,
}

impl Place {
    fn describe(&self) -> String {
        match self {
            Self::Gpu(gpu) => gpu.describe(),
            Self::Cpu => CPU.into(),
        }
    }

    /// The name of what computes, its backend, its driver and what is known of that.
    fn names(&self) -> [&str; 4] {
        match self {
            Self::Gpu(gpu) => {
                let info = gpu.adapter.info();
                [&info.name, info.backend.to_str(), &info.driver, &info.driver_info]
            }
            Self::Cpu => [CPU, "cpu", "", ""],
        }
    }
}

/// The findings, of what, and in what time.
pub(super) struct Report<'a> {
    pub place: &'a Place,
    pub findings: &'a Findings,
    pub elapsed: std::time::Duration,
}

/// How many failures are listed for people; JSON has them all.
const LISTED: usize = 20;

/// The report as JSON.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    adapter: String,
    backend: &'a str,
    driver: &'a str,
    driver_info: &'a str,
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
    /// The objective or the retrieval, by its key.
    #[serde(flatten)]
    asked: BTreeMap<&'static str, Value>,
    mode: &'static str,
    inputs: &'a str,
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
            inputs: &finding.inputs,
            sizes: Sizes::of(&finding.shape),
            details,
        }
    }
}

impl<'a> Report<'a> {
    /// The report as one JSON object.
    pub(super) fn line(&self) -> Line<'a> {
        let [_, backend, driver, driver_info] = self.place.names();
        let findings = self.findings;
        let failure =
            |failure: &'a Finding<Problem>| CaseLine::of(failure, Details::of(&failure.what));
        Line {
            adapter: self.place.describe(),
            backend,
            driver,
            driver_info,
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
            elapsed_ms: table::in_milliseconds(self.elapsed),
        }
    }

    /// The report as lines of names and values, after the failures.
    pub(super) fn text(&self) -> Result<String> {
        let [name, backend, driver, driver_info] = self.place.names();
        let Findings { cases, numbers, unsure, refused, noticing, zero, .. } = self.findings;
        let Findings { largest, failures, faults, .. } = self.findings;
        let mut properties = vec![
            ("adapter", name.to_string()),
            ("backend", backend.to_string()),
            ("driver", format!("{driver} {driver_info}").trim().to_string()),
            ("cases", cases.to_string()),
            ("numbers compared", numbers.to_string()),
            ("  says nothing", format!("of {unsure}, whose bound is above half of them")),
            ("refused, beyond f32", refused.to_string()),
            (
                "1 % error noticed",
                format!("in {noticing} of {} results; {zero} are 0", self.findings.compared()),
            ),
        ];
        if let Some(largest) = largest {
            properties.push(("largest error", describe(&largest.what)));
            properties.push(("  of", case(largest)?));
        }
        properties.push(("failures", failures.len().to_string()));
        properties.push((
            "faults injected",
            format!("{}, {} survived", faults.injected, faults.survived()),
        ));
        properties.push(("elapsed", format!("{:.1} s", self.elapsed.as_secs_f64())));
        let listed = failures.iter().take(LISTED).map(failure_text).collect::<Result<String>>()?;
        let problems =
            faults.problems.iter().map(|problem| format!("FAULT NOT SURVIVED: {problem}\n"));
        let verdict = match failures.len() {
            0 if !self.findings.agree() => "Faults were not survived.".to_string(),
            0 => "Every result is within its bounds.".to_string(),
            failed => format!("{failed} of {cases} cases FAILED."),
        };
        let problems = problems.collect::<String>();
        Ok(format!("{listed}{problems}{}\n{verdict}", table::properties(&properties)))
    }
}

fn failure_text(failure: &Finding<Problem>) -> Result<String> {
    let problem = match &failure.what {
        Problem::Beyond(worst) => describe(worst),
        Problem::Error(error) => error.clone(),
    };
    Ok(format!("FAILED: {}\n  {problem}\n", case(failure)?))
}

fn describe(worst: &Deviation) -> String {
    let Deviation { quantity, share, row, column, expected, actual, bound } = worst;
    format!(
        "{share:.3} of its bound: {quantity} [{row}, {column}] is {actual:e}, expected {expected:e} within {bound:.1e}"
    )
}

fn case<T>(finding: &Finding<T>) -> Result<String> {
    let sizes = table::entries(&Sizes::of(&finding.shape)).map_err(Error::output)?;
    let sizes = sizes.into_iter().map(|(name, value)| format!(", {name} {value}"));
    let (_, settings) = finding.asked.json();
    Ok(format!("{settings}, {}{}", finding.inputs, sizes.collect::<String>()))
}
