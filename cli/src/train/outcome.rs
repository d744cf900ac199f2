//! The rows held out, measured before and after.

use std::path::Path;

use serde::Serialize;
use wgpu_metric_learning::Engine;
use wgpu_metric_learning::measures::{Measures, Retrieval};

use super::rows::Rows;
use crate::place::Place;
use crate::table::{self, Column};
use crate::{Result, print_json, say, unless_nobody_reads};

/// Why there were no more steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ended {
    /// All that were asked for are made.
    Finished,
    /// The rows held out did not get better any more.
    Patience,
    /// Somebody has interrupted it.
    Interrupted,
}

/// The last line of a training.
#[derive(Serialize)]
pub(super) struct Outcome<'a> {
    /// How many steps the head that is kept has made.
    pub steps: u32,
    pub ended: Ended,
    pub inputs: MeasuresOf,
    pub outputs: MeasuresOf,
    pub out: Option<&'a Path>,
    #[serde(flatten)]
    pub place: Place,
}

/// What is told of rows.
#[derive(Clone, Copy, Serialize)]
pub(super) struct MeasuresOf {
    pub precision_at_1: f32,
    pub r_precision: f32,
    #[serde(rename = "mean_average_precision_at_r")]
    pub map_at_r: f32,
}

impl From<Measures> for MeasuresOf {
    fn from(measures: Measures) -> Self {
        Self {
            precision_at_1: measures.recall[0],
            r_precision: measures.r_precision,
            map_at_r: measures.mean_average_precision_at_r,
        }
    }
}

/// Measures rows of so many columns that have the labels of others.
pub(super) fn measure(
    engine: &Engine,
    rows: &Rows,
    values: &[f32],
    columns: usize,
) -> Result<MeasuresOf> {
    let retrieval = Retrieval { recall_at: vec![1], ..Default::default() };
    Ok(engine.measure(&retrieval, &rows.batch(values, columns)?).wait()?.into())
}

impl MeasuresOf {
    /// Their names, and their numbers of these and of others, as texts.
    pub(super) fn beside(&self, others: &Self) -> [[String; 3]; 3] {
        let of =
            |measures: &Self| [measures.precision_at_1, measures.r_precision, measures.map_at_r];
        let (own, others) = (of(self), of(others));
        let names = ["Precision@1", "R-Precision", "MAP@R"];
        let text = |number: f32| table::number(f64::from(number));
        [0, 1, 2].map(|at| [names[at].to_owned(), text(own[at]), text(others[at])])
    }
}

impl Outcome<'_> {
    pub(super) fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            return unless_nobody_reads(print_json(self));
        }
        let columns = [
            Column::Left("of the rows held out", 20),
            Column::Right("inputs", 10),
            Column::Right("outputs", 10),
        ];
        let measures = self.inputs.beside(&self.outputs).map(|texts| table::row(&columns, texts));
        let why = match self.ended {
            Ended::Finished => "",
            Ended::Patience => "; the rows held out got no better",
            Ended::Interrupted => "; the training was interrupted",
        };
        if self.ended != Ended::Finished {
            say(&format!("\nkept is the head after {} steps{why}", self.steps))?;
        }
        say(&format!("\n{}\n{}", table::titles(&columns), measures.join("\n")))
    }
}
