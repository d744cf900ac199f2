//! The findings as they are printed.

use wgpu_metric_learning::reference::Deviation;

use super::findings::{Finding, Findings, Problem};
use super::line::Line;
use crate::place::Place;
use crate::sizes::Sizes;
use crate::{Error, Result, table};

/// The findings, of what, and in what time.
pub(super) struct Report<'a> {
    pub place: Place,
    pub findings: &'a Findings,
    pub elapsed: std::time::Duration,
}

/// How many failures are listed for people; JSON has them all.
const LISTED: usize = 20;

impl<'a> Report<'a> {
    /// The report as one JSON object.
    pub(super) fn line(&self) -> Line<'a> {
        Line::of(self.place.clone(), self.findings, self.elapsed)
    }

    /// The report as lines of names and values, after the failures.
    pub(super) fn text(&self) -> Result<String> {
        let Findings { cases, numbers, unsure, refused, noticing, zero, .. } = self.findings;
        let Findings { largest, failures, faults, .. } = self.findings;
        let mut properties = self.place.properties();
        properties.extend([
            ("cases", cases.to_string()),
            ("numbers compared", numbers.to_string()),
            ("  says nothing", format!("of {unsure}, whose bound is above half of them")),
            ("refused, beyond f32", refused.to_string()),
            (
                "1 % error noticed",
                format!("in {noticing} of {} results; {zero} are 0", self.findings.compared()),
            ),
        ]);
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
