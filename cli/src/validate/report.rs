//! The findings as they are printed.

use serde_json::{Map, Value, json};
use wgpu_metric_learning::reference::Deviation;

use super::findings::{Finding, Findings, Problem};
use crate::gpu::Gpu;
use crate::{report, table};

/// The findings, on which adapter, and in what time.
pub struct Report<'a> {
    pub gpu: &'a Gpu,
    pub findings: &'a Findings,
    pub elapsed: std::time::Duration,
}

/// So many failures are listed for people; JSON has them all.
const LISTED: usize = 20;

impl Report<'_> {
    /// As one JSON object.
    pub fn json(&self) -> Value {
        let info = self.gpu.adapter.info();
        let Findings { cases, numbers, refused, noticing, zero, faults, .. } = self.findings;
        json!({
            "adapter": self.gpu.describe(),
            "backend": info.backend.to_string(),
            "driver": info.driver,
            "driver_info": info.driver_info,
            "cases": cases,
            "compared": self.findings.compared(),
            "numbers": numbers,
            "refused": refused,
            "one_percent_noticed": noticing,
            "zero_results": zero,
            "largest_error": self.findings.largest.as_ref().map(|largest| object(largest, deviation(&largest.what))),
            "faults_injected": faults.injected,
            "faults_survived": faults.survived(),
            "fault_problems": faults.problems,
            "failures": self.findings.failures.iter().map(failure).collect::<Vec<_>>(),
            "check_agrees": self.findings.agree(),
            "elapsed_ms": self.elapsed.as_secs_f64() * 1e3,
        })
    }

    /// As lines of names and values, after the failures.
    pub fn text(&self) -> String {
        let info = self.gpu.adapter.info();
        let Findings { cases, numbers, refused, noticing, zero, largest, failures, faults } =
            self.findings;
        let mut properties = vec![
            ("adapter", info.name.clone()),
            ("backend", info.backend.to_string()),
            ("driver", format!("{} {}", info.driver, info.driver_info).trim().to_string()),
            ("cases", cases.to_string()),
            ("numbers compared", numbers.to_string()),
            ("refused, beyond f32", refused.to_string()),
            (
                "1 % error noticed",
                format!("in {noticing} of {} results; {zero} are 0", self.findings.compared()),
            ),
        ];
        if let Some(largest) = largest {
            properties.push(("largest error", describe(&largest.what)));
            properties.push(("  of", case(largest)));
        }
        properties.push(("failures", failures.len().to_string()));
        properties.push((
            "faults injected",
            format!("{}, {} survived", faults.injected, faults.survived()),
        ));
        properties.push(("elapsed", format!("{:.1} s", self.elapsed.as_secs_f64())));
        let listed =
            failures.iter().take(LISTED).map(|failure| format!("{}\n", failure_text(failure)));
        let problems =
            faults.problems.iter().map(|problem| format!("FAULT NOT SURVIVED: {problem}\n"));
        let verdict = match failures.len() {
            0 if !self.findings.agree() => "Faults were not survived.".to_string(),
            0 => "Every result is within its bounds.".to_string(),
            failed => format!("{failed} of {cases} cases FAILED."),
        };
        format!(
            "{}{}\n{verdict}",
            listed.chain(problems).collect::<String>(),
            table::properties(&properties)
        )
    }
}

fn failure(failure: &Finding<Problem>) -> Value {
    match &failure.what {
        Problem::Beyond(worst) => object(failure, deviation(worst)),
        Problem::Error(error) => object(failure, vec![("error", json!(error))]),
    }
}

fn failure_text(failure: &Finding<Problem>) -> String {
    let problem = match &failure.what {
        Problem::Beyond(worst) => describe(worst),
        Problem::Error(error) => error.clone(),
    };
    format!("FAILED: {}\n  {problem}", case(failure))
}

fn object<T>(finding: &Finding<T>, details: Vec<(&'static str, Value)>) -> Value {
    let mode = ("mode", json!(finding.shape.mode().name()));
    let about = [finding.asked.json(), mode, ("inputs", json!(finding.inputs))].into_iter();
    let all = about.chain(report::sizes(&finding.shape)).chain(details);
    all.map(|(name, value)| (name.to_string(), value)).collect::<Map<_, _>>().into()
}

fn deviation(worst: &Deviation) -> Vec<(&'static str, Value)> {
    let Deviation { quantity, share, row, column, expected, actual, bound } = worst;
    vec![
        ("check_quantity", json!(quantity)),
        ("check_share_of_bound", json!(share)),
        ("row", json!(row)),
        ("column", json!(column)),
        ("expected", json!(expected)),
        ("actual", json!(actual)),
        ("bound", json!(bound)),
    ]
}

fn describe(worst: &Deviation) -> String {
    let Deviation { quantity, share, row, column, expected, actual, bound } = worst;
    format!(
        "{share:.3} of its bound: {quantity} [{row}, {column}] is {actual:e}, expected {expected:e} within {bound:.1e}"
    )
}

fn case<T>(finding: &Finding<T>) -> String {
    let sizes =
        report::sizes(&finding.shape).into_iter().map(|(name, value)| format!(", {name} {value}"));
    let (_, settings) = finding.asked.json();
    format!("{settings}, {}{}", finding.inputs, sizes.collect::<String>())
}
