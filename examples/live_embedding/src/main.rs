//! Trains an embedding of handwritten digits before your eyes: every frame records one step and
//! draws the points straight from the buffer of the embeddings.

mod curve;
mod digits;
mod extent;
mod objective;
mod studio;
mod training;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Trains an embedding of handwritten digits before your eyes.")]
struct Arguments {
    #[command(flatten)]
    canvas: canvas::Arguments,

    #[command(flatten)]
    training: training::Arguments,
}

fn main() -> ExitCode {
    let Arguments { canvas, training } = Arguments::parse();
    canvas::run(&canvas, |gpu| studio::Studio::new(gpu, &training))
}
