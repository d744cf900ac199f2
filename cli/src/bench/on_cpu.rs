//! How long losses take on the CPU engine: loss and gradients, from host to host.

use std::time::{Duration, Instant};

use serde::Serialize;
use wgpu_metric_learning::{Cpu, Loss};

use super::report::{Point, Report};
use super::subject::{Inputs, Subject};
use super::timing::MOST_RUNS;
use super::{Arguments, Point as Asked};
use crate::evaluator::{self, CPU};
use crate::place::Place;
use crate::progress::Progress;
use crate::table::{self, Column, in_milliseconds};
use crate::{Result, print, print_json};

const COLUMNS: [Column; 5] = [
    Column::Left("loss", 14),
    Column::Right("N", 6),
    Column::Right("D", 5),
    Column::Right("median ms", 10),
    Column::Right("least ms", 10),
];

/// A point as JSON.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "impl")]
    implementation: &'static str,
    #[serde(flatten)]
    place: Place,
    threads: usize,
    loss: &'a str,
    objective: &'a Loss,
    n: usize,
    d: usize,
    ms_median: f64,
    ms_min: f64,
    runs: usize,
    value: f32,
}

/// Times every subject at every point.
pub(super) fn run(
    arguments: &Arguments,
    subjects: &[Subject],
    points: &[Asked],
) -> Result<Report<'static>> {
    let cpu = arguments.gpu.cpu();
    let mut report = Report {
        on: format!("{CPU}, {} threads", threads()),
        limits: Vec::new(),
        columns: &COLUMNS,
        milliseconds: "median ms",
        points: Vec::new(),
    };
    if !arguments.json {
        print(&format!("{}\n\n{}", report.on, table::titles(&COLUMNS)))?;
    }
    for subject in subjects {
        for point in points {
            let inputs = point.inputs()?;
            let (times, value) = time(&cpu, subject, &inputs, arguments.seconds)?;
            let [median, least] = [times[times.len() / 2], times[0]].map(in_milliseconds);
            if arguments.json {
                print_json(&Line {
                    implementation: "ours-cpu",
                    place: Place::without_adapter("cpu"),
                    threads: threads(),
                    loss: &subject.name,
                    objective: &subject.loss,
                    n: inputs.n,
                    d: inputs.d,
                    ms_median: median,
                    ms_min: least,
                    runs: times.len(),
                    value,
                })?;
            }
            let sizes = [inputs.n, inputs.d].map(|size| size.to_string());
            let cells = [subject.name.clone()].into_iter().chain(sizes);
            let cells = cells.chain([median, least].map(|time| format!("{time:.3}")));
            let cells: Vec<_> = cells.collect();
            if !arguments.json {
                print(&table::row(&COLUMNS, cells.iter().cloned()))?;
            }
            report.points.push(Point {
                loss: subject.name.clone(),
                n: inputs.n,
                d: inputs.d,
                milliseconds: median,
                cells,
                stages: Vec::new(),
            });
        }
    }
    Ok(report)
}

fn threads() -> usize {
    rayon::current_num_threads()
}

/// The times in ascending order, after a first evaluation whose loss comes along.
fn time(
    cpu: &Cpu,
    subject: &Subject,
    inputs: &Inputs,
    time: Duration,
) -> Result<(Vec<Duration>, f32)> {
    let batch = inputs.batch(&subject.loss)?;
    let first = evaluator::run(|watch| cpu.evaluate(&subject.loss, &batch).watch(watch))?;
    let _progress = Progress::unknown(format!("timing {}", subject.name));
    let mut times = Vec::new();
    let start = Instant::now();
    while times.is_empty() || (start.elapsed() < time && times.len() < MOST_RUNS) {
        let begun = Instant::now();
        cpu.evaluate(&subject.loss, &batch).wait()?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok((times, first.loss))
}
