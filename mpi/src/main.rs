//! The program for `mpirun`: evaluates losses, measures retrieval and trains a projection on rows
//! that its ranks hold together.

mod commands;
mod engine;
mod rows;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use engine::Backend;
use wgpu_metric_learning::Error;
use wgpu_metric_learning_mpi::Mpi;

#[derive(Parser)]
#[command(version, about = "Metric-learning losses over rows that many processes hold together.")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Evaluates a loss and its gradients; without one, every loss that takes a batch.
    Evaluate(Evaluate),
    /// Measures how well embeddings retrieve their own class.
    Measure(Rows),
    /// Fits a linear projection to embeddings with labels.
    Train(Train),
}

/// The rows, and how they are held.
#[derive(Args)]
struct Rows {
    /// The embeddings, a .npy file of f32 or f64; each rank reads its rows alone. The bundled digits
    /// where it is left out.
    #[arg(long, value_name = "NPY", requires = "labels")]
    embeddings: Option<PathBuf>,

    /// Their labels, a .npy file of integers.
    #[arg(long, value_name = "NPY", requires = "embeddings")]
    labels: Option<PathBuf>,

    /// What share of the rows each rank holds, as numbers such as 3,1,0,2; the same where it is left
    /// out.
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',')]
    cut: Vec<usize>,

    /// What computes.
    #[arg(long, value_enum, default_value = Backend::DEFAULT)]
    backend: Backend,

    /// How long a rank waits for the others, in seconds.
    #[arg(long, value_name = "S", default_value_t = Mpi::PATIENCE.as_secs())]
    patience: u64,

    /// Prints one JSON object a line.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Evaluate {
    /// The loss, a JSON object such as {"loss":"Triplet","mining":"Hard"}.
    #[arg(long, value_name = "OBJ")]
    objective: Option<String>,

    #[command(flatten)]
    rows: Rows,
}

#[derive(Args)]
struct Train {
    /// The loss, a JSON object.
    #[arg(long, value_name = "OBJ", default_value = r#"{"loss":"MultiSimilarity"}"#)]
    objective: String,

    /// Columns of the projection.
    #[arg(long, value_name = "D", default_value_t = 16)]
    dimensions: usize,

    /// Steps of Adam, each over all rows.
    #[arg(long, value_name = "N", default_value_t = 50)]
    steps: u32,

    /// Its learning rate.
    #[arg(long, value_name = "RATE", default_value_t = 0.01)]
    learning_rate: f32,

    /// What the first weights depend on.
    #[arg(long, value_name = "SEED", default_value_t = 0)]
    seed: u32,

    #[command(flatten)]
    rows: Rows,
}

impl Command {
    fn rows(&self) -> &Rows {
        match self {
            Self::Evaluate(evaluate) => &evaluate.rows,
            Self::Measure(rows) => rows,
            Self::Train(train) => &train.rows,
        }
    }
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let Some(universe) = mpi::initialize() else {
        eprintln!("error: MPI cannot be initialised");
        return ExitCode::FAILURE;
    };
    let ranks = Mpi::new(&universe).with_patience(Duration::from_secs(command.rows().patience));
    match commands::run(&command, &ranks) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => commands::end(&ranks, &error),
    }
}

/// The error of a rank that has read what cannot be used.
fn unusable(problem: String) -> Error {
    Error::Unsupported { of: "this rank", what: "what it was given".into(), reason: problem }
}
