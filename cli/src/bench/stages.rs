//! How long each stage takes on the GPU, and which limit of the adapter it is held by.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use wgpu_metric_learning::profile::{Section, Stage, Timings};
use wgpu_metric_learning::{Binding, Context, Loss, Plan, Record, Triplet};

use super::limits::Limits;
use crate::Result;
use crate::table::in_milliseconds;

/// Recordings that are timed.
const RUNS: usize = 9;

/// Recordings in which every dispatch is timed by itself.
const DISPATCH_RUNS: usize = 3;

/// A stage of a recording.
pub(crate) struct StageTime {
    stage: Stage,
    median: Duration,
    dispatches: usize,
    longest: Option<Duration>,
    operations: u64,
    bytes: u64,
}

/// The stages of a recording in their order; none where the device has no timestamps.
pub(crate) fn measure(context: &Context, plan: &Plan, binding: &Binding) -> Result<Vec<StageTime>> {
    if !context.device().features().contains(wgpu::Features::TIMESTAMP_QUERY) {
        return Ok(Vec::new());
    }
    let sections = plan.sections(binding)?;
    let runs = timed(context, &sections, RUNS)?;
    let dispatches = dispatch_times(context, &sections)?;
    let of = |stage| {
        let own = || sections.iter().filter(move |section| section.stage() == stage);
        let sum = |run: &Vec<(Stage, Duration)>| {
            run.iter().filter(|(of, _)| *of == stage).map(|(_, time)| *time).sum()
        };
        let mut times: Vec<Duration> = runs.iter().map(sum).collect();
        times.sort();
        StageTime {
            stage,
            median: times[RUNS / 2],
            dispatches: own().map(|section| section.dispatches()).sum(),
            longest: dispatches.iter().filter(|(of, _)| *of == stage).map(|(_, time)| *time).max(),
            operations: own().map(|section| section.operations()).sum(),
            bytes: bytes_of(stage, plan),
        }
    };
    Ok(Stage::ALL.into_iter().map(of).filter(|stage| stage.dispatches > 0).collect())
}

/// How long each of so many runs of these sections took.
fn timed(
    context: &Context,
    sections: &[Section],
    runs: usize,
) -> Result<Vec<Vec<(Stage, Duration)>>> {
    let timings = Timings::new(context, sections)?;
    let run = |_| {
        let mut encoder =
            context.device().create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        timings.record(&mut encoder, sections)?;
        let mut pending = timings.read_back(&mut encoder)?;
        context.queue().submit([encoder.finish()]);
        Ok(pending.wait(context.options().timeout)?)
    };
    (0..runs).map(run).collect()
}

/// How long every dispatch takes by itself, at least; none where there are more than a set of
/// timestamps takes.
fn dispatch_times(context: &Context, sections: &[Section]) -> Result<Vec<(Stage, Duration)>> {
    let dispatches: Vec<_> = sections.iter().flat_map(Section::apart).collect();
    if 2 * dispatches.len() > wgpu::QUERY_SET_MAX_QUERIES as usize {
        return Ok(Vec::new());
    }
    let runs = timed(context, &dispatches, DISPATCH_RUNS)?;
    let least = |at: usize| runs.iter().map(|run| run[at]).min_by_key(|(_, time)| *time);
    Ok((0..dispatches.len()).filter_map(least).collect())
}

/// What a stage must read and write at least: the rows, the matrix of distances, that of
/// coefficients, and the gradients.
pub(super) fn bytes_of(stage: Stage, plan: &Plan) -> u64 {
    let shape = plan.shape();
    let [n, m, d] =
        [shape.queries(), shape.references(), shape.dimensions()].map(|count| count as u64);
    let second_set = if shape.has_references() { m } else { 0 };
    let (rows, matrix) = (4 * (n + second_set) * d, 4 * n * m);
    let coefficients = if is_of_chosen_pairs(plan.loss()) { 16 * n } else { matrix };
    match stage {
        Stage::Distance => rows + matrix,
        Stage::Terms => matrix + coefficients,
        Stage::Gradient => rows + coefficients + 4 * n * d,
        // Prepare and finish read and write every row once.
        _ => 2 * rows,
    }
}

/// Whether an anchor has coefficients for two pairs alone.
pub(super) fn is_of_chosen_pairs(loss: &Loss) -> bool {
    let Loss::Triplet(Triplet { mining, .. }) = loss else { return false };
    mining.is_one_per_anchor()
}

impl StageTime {
    pub(crate) fn median(&self) -> Duration {
        self.median
    }

    /// The limit that would let the stage take longest if it were kept exactly, and the part of the
    /// stage's time that this is.
    fn bound_by(&self, limits: &Limits) -> (&'static str, f64) {
        let least = [
            ("multiply-adds", self.operations as f64 / limits.operations_per_second),
            ("copies", self.bytes as f64 / limits.bytes_per_second),
            ("dispatches", self.dispatches as f64 * limits.dispatch.as_secs_f64()),
        ];
        let (name, seconds) = least
            .into_iter()
            .max_by(|one, other| one.1.total_cmp(&other.1))
            .unwrap_or(("none", 0.0));
        (name, seconds / self.median.as_secs_f64().max(1e-9))
    }

    pub(crate) fn text(&self, limits: &Limits) -> String {
        let (limit, share) = self.bound_by(limits);
        let milliseconds = self.median.as_secs_f64() * 1e3;
        let longest = self
            .longest
            .map(|time| format!(", longest dispatch {:.3} ms", time.as_secs_f64() * 1e3));
        let longest = longest.unwrap_or_default();
        format!(
            "{:<10} {milliseconds:>10.3} ms, {:>5.1} % of {limit}{longest}",
            self.stage.name(),
            100.0 * share
        )
    }
}

/// A stage as JSON.
#[derive(Serialize)]
pub(crate) struct Line {
    ms_median: f64,
    dispatches: usize,
    ms_longest_dispatch: Option<f64>,
    operations: u64,
    bytes: u64,
    bound_by: &'static str,
    share_of_limit: f64,
}

/// The stages by their names.
pub(crate) fn lines(stages: &[StageTime], limits: &Limits) -> BTreeMap<&'static str, Line> {
    let line = |stage: &StageTime| {
        let (bound_by, share_of_limit) = stage.bound_by(limits);
        Line {
            ms_median: in_milliseconds(stage.median),
            dispatches: stage.dispatches,
            ms_longest_dispatch: stage.longest.map(in_milliseconds),
            operations: stage.operations,
            bytes: stage.bytes,
            bound_by,
            share_of_limit,
        }
    };
    stages.iter().map(|stage| (stage.stage.name(), line(stage))).collect()
}
