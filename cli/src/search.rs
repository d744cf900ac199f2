//! `search`: the exact nearest rows of every query.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;
use serde::Serialize;
use wgpu_metric_learning::Distance;
use wgpu_metric_learning::search::{Neighbours, Search};

use super::arrays::{self, Written};
use super::digits::Digits;
use super::elements::Values;
use super::evaluator::{self, Evaluator};
use super::gpu::named;
use super::mapped::Floats;
use super::npy::Matrix;
use super::output::{self, Named};
use super::place::Place;
use super::{Error, Result, files, print, print_json, table};

#[derive(Args)]
pub(crate) struct Arguments {
    /// How many rows are found for every query.
    #[arg(long, value_name = "K", default_value_t = 10)]
    k: usize,

    /// The distance that ranks.
    #[arg(long, value_name = "D", ignore_case = true, default_value = "Euclidean", value_parser = named::<Distance>(Distance::ALL.map(Distance::name)))]
    distance: Distance,

    /// Divides every row by its norm first.
    #[arg(long)]
    normalize: bool,

    #[command(flatten)]
    computing: evaluator::Computing,

    /// Prints JSON objects, one a line.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    inputs: Inputs,

    #[command(flatten)]
    outputs: Outputs,
}

#[derive(Args)]
#[command(next_help_heading = files::INPUTS)]
struct Inputs {
    /// M x D numbers: the rows that are searched. Left out: the bundled digits.
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,

    /// N x D numbers: what is searched for. Left out: every row of the embeddings, which is no
    /// neighbour of itself.
    #[arg(long, value_name = "FILE", requires = "embeddings")]
    queries: Option<PathBuf>,

    /// Row i of the queries is the same as row i + ROWS of the embeddings, and is no neighbour of
    /// itself.
    #[arg(long, value_name = "ROWS", requires = "queries")]
    embeddings_offset: Option<usize>,
}

#[derive(Args)]
#[command(
    next_help_heading = "Outputs (.npy, .npz, .safetensors, .csv or .parquet, by their endings; \"-\" is .npy on the standard output)"
)]
struct Outputs {
    /// N x K integers: which rows of the embeddings are found, from 0 on, the nearest first; of
    /// rows at one distance the first is. Where no output is named, the rows are printed.
    #[arg(long, value_name = "FILE")]
    out_indices: Option<PathBuf>,

    /// N x K numbers: how far they are.
    #[arg(long, value_name = "FILE")]
    out_distances: Option<PathBuf>,
}

/// What was searched.
#[derive(Serialize)]
struct Summary<'a> {
    search: &'a Search,
    n: usize,
    m: usize,
    d: usize,
    #[serde(flatten)]
    place: Place,
    elapsed_ms: f64,
}

/// What one query has found.
#[derive(Serialize)]
struct Found<'a> {
    query: usize,
    indices: &'a [u32],
    distances: &'a [f32],
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { k, distance, normalize, inputs, outputs, .. } = arguments;
    outputs.check(inputs)?;
    let rows = inputs.rows()?;
    let queries = inputs.queries.as_deref().map(files::read_matrix).transpose()?;
    if let (Some(path), Some(queries)) = (&inputs.queries, &queries) {
        if queries.columns != rows.columns {
            let (found, expected) = (queries.columns, rows.columns);
            let problem = format!("its rows have {found} numbers, those searched {expected}");
            return Err(Error::file(path, problem));
        }
    }
    let own = queries.is_none().then_some(0);
    let queries = queries.as_ref().unwrap_or(&rows);
    let search = Search {
        k: *k,
        distance: *distance,
        normalize: *normalize,
        reference_offset: inputs.embeddings_offset.or(own),
    };
    let evaluator = Evaluator::open(&arguments.computing)?;
    let Some(engine) = evaluator.engine() else {
        return Err(Error::option("--backend", "the reference does not search"));
    };
    let start = Instant::now();
    let found = evaluator::run(|watch| {
        engine.search(&search, rows.columns, &queries.values, &rows.values).watch(watch)
    })?;
    let summary = Summary {
        search: &search,
        n: queries.rows,
        m: rows.rows,
        d: rows.columns,
        place: evaluator.place(),
        elapsed_ms: table::in_milliseconds(start.elapsed()),
    };
    outputs.write(&summary, &found)?;
    arguments.print(&summary, &found)?;
    Ok(ExitCode::SUCCESS)
}

impl Inputs {
    fn rows(&self) -> Result<Matrix<Floats>> {
        match &self.embeddings {
            Some(path) => files::read_matrix(path),
            None => {
                let digits = Digits::load()?;
                let batch = digits.rows()?;
                let (rows, columns) = (batch.shape().queries(), batch.shape().dimensions());
                let values = Floats::Read(batch.embeddings().to_vec());
                Ok(Matrix { values, rows, columns })
            }
        }
    }
}

impl Outputs {
    fn named(&self) -> Vec<Named<'_>> {
        let all = [("--out-indices", &self.out_indices), ("--out-distances", &self.out_distances)];
        files::named(all)
    }

    /// Refuses, before anything is read, files that could not be written.
    fn check(&self, inputs: &Inputs) -> Result<()> {
        let inputs = [("--embeddings", &inputs.embeddings), ("--queries", &inputs.queries)];
        output::check_arrays(&self.named(), &files::named(inputs))
    }

    fn write(&self, summary: &Summary, found: &Neighbours) -> Result<()> {
        let shape = vec![summary.n, summary.search.k];
        let write = |path: &Option<PathBuf>, name: &str, values: Values| match path {
            Some(path) => {
                let array = Written { name: name.into(), shape: shape.clone(), values };
                arrays::write(path, &[array]).map(drop)
            }
            None => Ok(()),
        };
        let indices = found.indices.iter().copied().map(i128::from).collect();
        write(&self.out_indices, "indices", Values::Integers(indices))?;
        write(&self.out_distances, "distances", Values::Floats(found.distances.clone()))
    }
}

impl Arguments {
    /// Prints what was searched where the rows are in files, and else the rows.
    fn print(&self, summary: &Summary, found: &Neighbours) -> Result<()> {
        let Summary { n, m, d, .. } = summary;
        let outputs = self.outputs.named();
        if outputs.iter().any(|output| output::is_standard(output.path)) {
            return Ok(());
        }
        if !outputs.is_empty() {
            let (k, distance) = (self.k, self.distance);
            return match self.json {
                true => print_json(summary),
                false => print(&format!(
                    "the {k} nearest of {m} rows of {d} numbers by {distance}, for {n} queries, in {:.1} ms",
                    summary.elapsed_ms
                )),
            };
        }
        let rows = found.indices.chunks(self.k).zip(found.distances.chunks(self.k));
        for (query, (indices, distances)) in rows.enumerate() {
            if self.json {
                print_json(&Found { query, indices, distances })?;
                continue;
            }
            let each = indices
                .iter()
                .zip(distances)
                .map(|(row, &distance)| format!("{row} ({})", table::number(distance.into())));
            print(&format!("{query}: {}", each.collect::<Vec<_>>().join(", ")))?;
        }
        Ok(())
    }
}
