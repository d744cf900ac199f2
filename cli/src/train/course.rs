//! The steps of a training one after the other: what is told of them, and what ends them.

use std::time::Instant;

use serde::Serialize;
use serde_json::Value;
use wgpu_metric_learning::training::Schedule;
use wgpu_metric_learning::{Error as LibraryError, ObjectiveEvaluation, Trainer};

use super::outcome::{Ended, MeasuresOf};
use super::{Arguments, Decay, Steps, checkpoint};
use crate::progress::Progress;
use crate::table::{self, Column};
use crate::{Error, Result, interrupt, is_quiet, note, print_json, say, unless_nobody_reads};

/// The head that is kept.
pub(super) struct Kept {
    pub parameters: Vec<f32>,
    /// The steps that it has made.
    pub steps: u32,
    /// Every step of the training since it began or was resumed, where a report is to show them.
    pub course: Vec<Told>,
    pub ended: Ended,
}

/// The head that is best for the rows held out, by what they have said so far.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Best {
    pub parameters: Vec<f32>,
    pub steps: u32,
    pub map_at_r: f32,
    /// How many measurements since have not been better.
    pub worse: u32,
}

/// A training with what goes along.
pub(super) struct Course<'a> {
    pub arguments: &'a Arguments,
    pub trainer: Trainer,
    /// Which training it is, for a checkpoint.
    pub description: &'a Value,
    /// Measures the rows held out, as a head of these parameters makes them.
    pub measure: &'a dyn Fn(Vec<f32>) -> Result<MeasuresOf>,
    /// Where the training is ended by the rows held out.
    pub best: Option<Best>,
}

impl Course<'_> {
    /// Makes the steps that are left after so many, and says how it goes.
    pub(super) fn run(mut self, made: u32) -> Result<Kept> {
        let Steps { steps, warm_up, learning_rate, .. } = self.arguments.steps;
        let cosine_over = (self.arguments.steps.decay == Decay::Cosine).then_some(steps as usize);
        let schedule = Schedule { warm_up, cosine_over };
        let progress = Progress::of(steps.into(), "training");
        if !is_quiet() && !self.arguments.json {
            say(&table::titles(self.columns()))?;
        }
        if self.arguments.steps.patience.is_some() && self.best.is_none() {
            self.best = Some(self.now(made, self.measure_now()?)?);
        }
        let start = Instant::now();
        let mut course = Vec::new();
        let mut last = made;
        let mut ended = Ended::Finished;
        while last < steps && ended == Ended::Finished {
            self.trainer.set_learning_rate(learning_rate * schedule.factor(last as usize))?;
            let evaluation = self.trainer.step().map_err(|error| advised(error, last))?;
            last += 1;
            let is_due = self.arguments.steps.validates_after(last);
            let measured = is_due.then(|| self.measure_now()).transpose()?;
            if last < steps {
                ended = self.ending(last, measured)?;
            }
            let seconds = start.elapsed().as_secs_f64();
            let told = Told {
                map_at_r: measured.map(|of| of.map_at_r),
                seconds_left: seconds / f64::from(last - made) * f64::from(steps - last),
                ..Told::new(last, &evaluation, seconds)
            };
            progress.set(last.into());
            progress.say(|| told.in_short());
            let is_told = (last - 1).is_multiple_of(steps.div_ceil(LINES)) || last == steps;
            if is_told || is_due || ended != Ended::Finished {
                self.save()?;
                self.tell(&told)?;
            }
            if self.arguments.pictures.are_given() {
                course.push(told);
            }
        }
        drop(progress);
        let (parameters, steps) = match self.best {
            Some(Best { parameters, steps, .. }) => (parameters, steps),
            None => (self.trainer.parameters()?, last),
        };
        Ok(Kept { parameters, steps, course, ended })
    }

    /// Whether there are no more steps after so many, and why; takes the head of now where the rows
    /// held out say that it is better.
    fn ending(&mut self, made: u32, measured: Option<MeasuresOf>) -> Result<Ended> {
        let patience = self.arguments.steps.patience.unwrap_or(u32::MAX);
        let mut is_enough = false;
        if let (Some(best), Some(measured)) = (&mut self.best, measured) {
            best.worse += 1;
            is_enough = best.worse >= patience;
            if measured.map_at_r > best.map_at_r {
                self.best = Some(self.now(made, measured)?);
                is_enough = false;
            }
        }
        Ok(match (interrupt::is_asked(), is_enough) {
            (true, _) => Ended::Interrupted,
            (false, true) => Ended::Patience,
            (false, false) => Ended::Finished,
        })
    }

    /// The head of now as the best one.
    fn now(&self, steps: u32, measured: MeasuresOf) -> Result<Best> {
        let (parameters, map_at_r) = (self.trainer.parameters()?, measured.map_at_r);
        Ok(Best { parameters, steps, map_at_r, worse: 0 })
    }

    /// The columns of the lines that tell how it goes.
    fn columns(&self) -> &'static [Column] {
        if self.arguments.steps.validates() { &COLUMNS } else { &COLUMNS[..COLUMNS.len() - 1] }
    }

    fn measure_now(&self) -> Result<MeasuresOf> {
        (self.measure)(self.trainer.parameters()?)
    }

    /// Writes where the training stands, where a file is named for it.
    fn save(&self) -> Result<()> {
        let Some(path) = &self.arguments.steps.checkpoint else { return Ok(()) };
        let checkpoint = self.trainer.checkpoint()?;
        checkpoint::write(path, &checkpoint, self.best.as_ref(), self.description)
    }

    fn tell(&self, told: &Told) -> Result<()> {
        match (is_quiet(), self.arguments.json) {
            (true, _) => Ok(()),
            (false, true) => unless_nobody_reads(print_json(told)),
            (false, false) => say(&table::row(self.columns(), told.texts())),
        }
    }
}

/// How many lines tell how it goes.
const LINES: u32 = 10;

const COLUMNS: [Column; 6] = [
    Column::Right("step", 6),
    Column::Right("loss", 12),
    Column::Right("non-zero terms", 14),
    Column::Right("seconds", 8),
    Column::Right("left", 8),
    Column::Right("MAP@R", 10),
];

/// A line of the training.
#[derive(Serialize)]
pub(super) struct Told {
    /// Which step it was, from 1 on.
    pub step: u32,
    #[serde(rename = "value")]
    pub loss: f32,
    /// Of all losses together.
    terms: u64,
    nonzero_terms: u64,
    seconds: f64,
    /// How long the steps that are left would take, at the rate of those before.
    seconds_left: f64,
    /// Of the rows held out, where they were measured after the step.
    #[serde(rename = "mean_average_precision_at_r", skip_serializing_if = "Option::is_none")]
    pub map_at_r: Option<f32>,
}

impl Told {
    fn new(step: u32, evaluation: &ObjectiveEvaluation, seconds: f64) -> Self {
        let ObjectiveEvaluation { loss, losses, .. } = evaluation;
        Self {
            step,
            loss: *loss,
            terms: losses.iter().map(|loss| loss.terms).sum(),
            nonzero_terms: losses.iter().map(|loss| loss.nonzero_terms).sum(),
            seconds,
            seconds_left: 0.0,
            map_at_r: None,
        }
    }

    /// The share of the terms that are not 0.
    pub(super) fn active(&self) -> f64 {
        self.nonzero_terms as f64 / self.terms.max(1) as f64
    }

    /// How it goes, beside a bar.
    fn in_short(&self) -> String {
        let (loss, active) = (f64::from(self.loss), 100.0 * self.active());
        format!("training, loss {}, {active:.0} % of the terms active", table::number(loss))
    }

    fn texts(&self) -> [String; 6] {
        [
            self.step.to_string(),
            table::number(f64::from(self.loss)),
            format!("{} of {}", self.nonzero_terms, self.terms),
            format!("{:.1}", self.seconds),
            format!("{:.1}", self.seconds_left),
            self.map_at_r.map(|measured| table::number(f64::from(measured))).unwrap_or_default(),
        ]
    }
}

/// What a user can do about numbers that grew too large, in the step after so many.
fn advised(error: LibraryError, made: u32) -> Error {
    match error {
        LibraryError::NotFinite { .. }
        | LibraryError::Overflow { .. }
        | LibraryError::StepsLeftOut { .. } => {
            let problem = format!(
                "in step {}: {error}. The head has grown beyond f32: take a smaller learning rate, \
                 or inputs of about the size of 1",
                made + 1
            );
            Error::option("--learning-rate", problem)
        }
        error => error.into(),
    }
}

/// Says so where the head makes the same point of all rows.
pub(super) fn tell_of_collapse(projected: &[f32], columns: usize) {
    let first = &projected[..columns];
    let apart = |row: &[f32]| row.iter().zip(first).any(|(x, y)| (x - y).abs() > 1e-6 * y.abs());
    if projected.len() > columns && !projected.chunks_exact(columns).any(apart) {
        note(
            "the head makes the same of all rows: it has collapsed. Take a smaller learning rate, or another loss or margin",
        );
    }
}
