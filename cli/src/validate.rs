//! `validate`: the kernels of an adapter, or the CPU engine, held against the reference, on many
//! cases.

mod cases;
mod comparison;
mod contexts;
mod faults;
mod findings;
mod inputs;
mod line;
mod report;
mod settings;

use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use rayon::prelude::*;
use wgpu_metric_learning::{Arithmetic, Batch, Cpu, Engine, Error as LibraryError};

use cases::Case;
use comparison::{Expected, Verdict};
use contexts::{of_each_size, turn};
use findings::{Faults, Finding, Findings};
use report::Report;

use super::gpu::{self, Backend, Gpu};
use super::place::Place;
use super::progress::Progress;
use super::{Error, Result, print, print_json, verdict};

#[derive(Args)]
pub(crate) struct Arguments {
    /// Runs a fixed selection of the cases that is spread over all of them.
    #[arg(long)]
    quick: bool,

    /// Runs only cases with this text in what is asked, as JSON, or in the words for their inputs;
    /// or the "injected faults".
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,

    /// What is validated.
    #[arg(long, value_enum, default_value_t = Backend::Gpu)]
    backend: Backend,

    #[command(flatten)]
    gpu: gpu::Arguments,

    /// Prints the report as one JSON object.
    #[arg(long)]
    json: bool,
}

/// What is validated beside the cases, as `--only` chooses it.
const FAULTS: &str = "injected faults";

impl Arguments {
    fn injects_faults(&self) -> bool {
        self.only.as_deref().is_none_or(|text| FAULTS.contains(text))
    }
}

/// The reference works on so many cases at a time, on all processors.
const AT_A_TIME: usize = 64;

/// Validates an adapter or the CPU engine; a result that is not as the reference says makes the exit code 1.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let start = Instant::now();
    let cases = chosen(arguments)?;
    let (place, findings) = match arguments.backend {
        Backend::Gpu => {
            let gpu = Gpu::open(&arguments.gpu)?;
            let contexts = of_each_size(&gpu.context)?;
            let engine =
                |turn: usize, _: &Batch| Engine::Gpu(contexts[turn % contexts.len()].clone());
            let mut findings = hold(&cases, gpu.arithmetic(), engine)?;
            if arguments.injects_faults() {
                findings.faults = Faults::inject(&gpu.context)?;
            }
            (gpu.place(), findings)
        }
        Backend::Cpu => {
            arguments.gpu.refuse("cpu", true)?;
            (Place::without_adapter("cpu"), {
                let engine = |turn, batch: &Batch| Engine::Cpu(of_stripes(turn, batch));
                hold(&cases, Arithmetic::Exact, engine)?
            })
        }
    };
    let report = Report { place, findings: &findings, elapsed: start.elapsed() };
    match arguments.json {
        true => print_json(&report.line())?,
        false => print(&report.text()?)?,
    }
    Ok(verdict(findings.agree()))
}

/// Whether the text is part of what is asked, as JSON, or of the inputs in words.
fn has(case: &Case, text: &str) -> bool {
    let (key, settings) = case.asked.json();
    format!("{key} {settings} {}", case.describe_inputs()).contains(text)
}

fn chosen(arguments: &Arguments) -> Result<Vec<Case>> {
    let mut cases = if arguments.quick { cases::quick() } else { cases::all() };
    if let Some(text) = &arguments.only {
        cases.retain(|case| has(case, text));
        if cases.is_empty() && !arguments.injects_faults() {
            return Err(Error::option("--only", format!("no case has {text:?} in it")));
        }
    }
    Ok(cases)
}

/// Compares case after case, until all are done or the device is lost, with the engine of each turn.
fn hold(
    cases: &[Case],
    arithmetic: Arithmetic,
    engine: impl Fn(usize, &Batch) -> Engine,
) -> Result<Findings> {
    let mut findings = Findings::default();
    let progress = Progress::of(cases.len() as u64, "validating");
    for some in cases.chunks(AT_A_TIME) {
        let made: Vec<_> = some.par_iter().map(Case::make).collect::<Result<_, _>>()?;
        let batches: Vec<_> =
            made.iter().map(|(_, inputs)| inputs.batch()).collect::<Result<_, _>>()?;
        let expected: Vec<_> = made
            .par_iter()
            .zip(&batches)
            .map(|((asked, _), batch)| Expected::of(asked, batch, arithmetic))
            .collect::<Result<_, _>>()?;
        for (((case, (asked, _)), batch), expected) in
            some.iter().zip(&made).zip(&batches).zip(&expected)
        {
            let verdict = expected.compare(&engine(turn(findings.cases), batch), batch);
            let is_lost = matches!(verdict, Verdict::Failed(LibraryError::DeviceLost { .. }));
            let (asked, inputs) = (asked.clone(), case.describe_inputs());
            findings.add(Finding { what: verdict, asked, shape: *batch.shape(), inputs });
            progress.set(findings.cases as u64);
            if is_lost {
                return Ok(findings);
            }
        }
    }
    Ok(findings)
}

/// The CPU engine with the whole matrix in one stripe, or cut into three or four.
fn of_stripes(turn: usize, batch: &Batch) -> Cpu {
    let (rows, columns) = (batch.shape().queries(), batch.shape().references());
    match turn % 2 {
        0 => Cpu::default(),
        _ => Cpu::default().with_workspace_bytes(8 * columns as u64 * rows.div_ceil(3) as u64),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use wgpu_metric_learning::{Batch, Triplet, reference};

    use super::cases::Asked;
    use super::*;

    /// What is found of one case, and what is reported, where a number of the gradient is expected
    /// to be `factor` times what it is.
    fn found(factor: f64) -> (Findings, String, serde_json::Value) {
        let gpu = Gpu::open(&gpu::Arguments::default()).unwrap();
        let batch = Batch::new(&[0.0, 0.25, 0.125, 1.0], [4, 1], &[0, 0, 1, 1]).unwrap();
        let loss = Triplet::default().into();
        let mut expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
        expected.evaluation.gradient[2] *= factor;
        let verdict = Expected::Loss(&loss, expected.into())
            .compare(&Engine::Gpu(gpu.context.clone()), &batch);
        let mut findings = Findings::default();
        let (asked, inputs) = (Asked::Loss(loss.clone()), "four rows".into());
        findings.add(Finding { what: verdict, asked, shape: *batch.shape(), inputs });
        let report = Report { place: gpu.place(), findings: &findings, elapsed: Duration::ZERO };
        let (text, json) = (report.text().unwrap(), serde_json::to_value(report.line()).unwrap());
        (findings, text, json)
    }

    #[test]
    fn a_result_within_its_bounds_is_a_success() {
        let (findings, text, json) = found(1.0);
        assert_eq!(verdict(findings.agree()), ExitCode::SUCCESS);
        assert_eq!(
            [findings.cases, findings.numbers, findings.noticing, findings.zero],
            [1, 9 + 4 + 4, 1, 0]
        );
        assert!(text.ends_with("Every result is within its bounds."), "{text}");
        assert_eq!(
            [&json["check_agrees"], &json["failures"]],
            [&serde_json::json!(true), &serde_json::json!([])]
        );
        assert!(json["largest_error"]["check_share_of_bound"].as_f64().unwrap() <= 1.0, "{json}");
    }

    #[test]
    fn a_result_beyond_its_bound_is_listed_and_is_a_failure() {
        let (findings, text, json) = found(1.001);
        assert_eq!(verdict(findings.agree()), ExitCode::from(1));
        assert!(
            text.starts_with("FAILED: {\"distance\":\"Euclidean\",\"loss\":\"Triplet\","),
            "{text}"
        );
        assert!(
            text.contains("four rows, n 4, d 1\n")
                && text.contains("of its bound: gradient [2, 0] is "),
            "{text}"
        );
        assert!(text.ends_with("1 of 1 cases FAILED."), "{text}");
        let failure = &json["failures"][0];
        assert_eq!(
            [&failure["check_quantity"], &failure["objective"]["loss"]],
            ["gradient", "Triplet"],
            "{json}"
        );
        assert_eq!([&failure["row"], &failure["n"], &failure["d"]], [2, 4, 1], "{json}");
        assert!(
            failure["check_share_of_bound"].as_f64().unwrap() > 1.0
                && json["check_agrees"] == false,
            "{json}"
        );
    }
}
