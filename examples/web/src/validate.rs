//! The kernels of the visitor's GPU, held against the reference case after case.

#[path = "../../../cli/src/validate/cases.rs"]
mod cases;
#[path = "../../../cli/src/validate/comparison.rs"]
mod comparison;
#[path = "../../../cli/src/validate/contexts.rs"]
mod contexts;
#[path = "../../../cli/src/validate/findings.rs"]
mod findings;
#[path = "../../../cli/src/validate/inputs.rs"]
mod inputs;
#[path = "../../../cli/src/validate/line.rs"]
mod line;
#[path = "../../../cli/src/validate/settings.rs"]
mod settings;

use std::vec::IntoIter;

use serde::Serialize;
use wasm_bindgen::JsError;
use wasm_bindgen::prelude::wasm_bindgen;
use web_time::Instant;
use wgpu_metric_learning::{Adapter, Arithmetic, Engine, Error, Mode, Options};

use cases::Case;
use comparison::{Expected, Verdict};
use contexts::{of_each_size, turn};
use findings::{Finding, Findings};
use line::Line;

use crate::place::Place;

/// A validation that goes on case by case.
#[wasm_bindgen]
pub struct Validation {
    engines: Vec<Engine>,
    cases: IntoIter<Case>,
    findings: Findings,
    start: Instant,
}

/// How far it has come.
#[derive(Serialize)]
struct Progress {
    done: usize,
    total: usize,
    numbers: usize,
    failures: usize,
    largest_share: Option<f64>,
}

#[wasm_bindgen]
impl Validation {
    /// Opens the adapter, and chooses `all` cases, the `quick` selection, or every so many-th of
    /// that.
    pub async fn open(selection: &str) -> Result<Self, JsError> {
        let cases = match selection {
            "all" => cases::all(),
            "quick" => cases::quick(),
            every => {
                let quick = cases::quick().into_iter();
                quick
                    .step_by(every.parse().map_err(|_| JsError::new("no such selection"))?)
                    .collect()
            }
        };
        let context = Adapter::find_async(None).await?.open_async(Options::default()).await?;
        let cases = soonest_first(cases);
        let engines = of_each_size(&context)?.into_iter().map(Engine::Gpu).collect();
        Ok(Self {
            engines,
            cases: cases.into_iter(),
            findings: Findings::default(),
            start: Instant::now(),
        })
    }

    /// Compares the next case; tells as JSON how far it has come, or nothing where all are done or
    /// the device is lost.
    pub async fn next(&mut self) -> Result<Option<String>, JsError> {
        let Some(case) = self.cases.next() else { return Ok(None) };
        let (asked, inputs) = case.make()?;
        let batch = inputs.batch()?;
        let expected = Expected::of(&asked, &batch, Arithmetic::Exact)?;
        let engine = &self.engines[turn(self.findings.cases) % self.engines.len()];
        let verdict = expected.compare(engine, &batch).await;
        if matches!(verdict, Verdict::Failed(Error::DeviceLost { .. })) {
            self.cases = Vec::new().into_iter();
        }
        let (asked, inputs, shape) = (asked.clone(), case.describe_inputs(), *batch.shape());
        self.findings.add(Finding { what: verdict, asked, shape, inputs });
        Ok(Some(serde_json::to_string(&self.progress())?))
    }

    fn progress(&self) -> Progress {
        let Findings { cases, numbers, failures, largest, .. } = &self.findings;
        Progress {
            done: *cases,
            total: cases + self.cases.len(),
            numbers: *numbers,
            failures: failures.len(),
            largest_share: largest.as_ref().map(|largest| largest.what.share),
        }
    }

    /// What was found, in the form of `validate --json`, on this adapter in this browser.
    pub fn report(&self, adapter: &str, browser: &str) -> Result<String, JsError> {
        let place = Place {
            adapter: Some(adapter.into()),
            api: Some("webgpu"),
            driver_info: Some(browser.into()),
            ..Place::without_adapter("gpu")
        };
        Ok(serde_json::to_string(&Line::of(place, &self.findings, self.start.elapsed()))?)
    }
}

/// A case without distances of pairs comes first: its kernels are few and short, and a browser
/// compiles those of a case before there is any result.
fn soonest_first(mut cases: Vec<Case>) -> Vec<Case> {
    // The words for the inputs of a case begin with its mode.
    let is_of = |case: &Case, mode: Mode| case.describe_inputs().starts_with(mode.name());
    let is_soon = |case: &Case| is_of(case, Mode::Scores) || is_of(case, Mode::Pointwise);
    if let Some(soonest) = cases.iter().position(is_soon) {
        cases[..=soonest].rotate_right(1);
    }
    cases
}
