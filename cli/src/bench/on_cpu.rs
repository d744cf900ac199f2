//! How long losses take on the CPU engine: loss and gradients, from host to host.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde::Serialize;
use wgpu_metric_learning::{Cpu, Loss};

use super::subject::{Inputs, Subject};
use super::timing::MOST_RUNS;
use super::{Arguments, Point};
use crate::evaluator::{self, CPU};
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
    adapter: &'static str,
    backend: &'static str,
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
    points: &[Point],
) -> Result<ExitCode> {
    let cpu = arguments.gpu.cpu();
    if !arguments.json {
        print(&format!("{CPU}, {} threads\n\n{}", threads(), table::titles(&COLUMNS)))?;
    }
    for subject in subjects {
        for point in points {
            let inputs = point.inputs()?;
            let (times, value) = time(&cpu, subject, &inputs, arguments.seconds)?;
            let [median, least] = [times[times.len() / 2], times[0]].map(in_milliseconds);
            if arguments.json {
                print_json(&Line {
                    implementation: "ours-cpu",
                    adapter: CPU,
                    backend: "cpu",
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
                continue;
            }
            let sizes = [inputs.n, inputs.d].map(|size| size.to_string());
            let cells = [subject.name.clone()].into_iter().chain(sizes);
            let cells = cells.chain([median, least].map(|time| format!("{time:.3}")));
            print(&table::row(&COLUMNS, cells))?;
        }
    }
    Ok(ExitCode::SUCCESS)
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
