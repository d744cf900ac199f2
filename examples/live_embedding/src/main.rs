//! Trains an embedding of handwritten digits before your eyes.

mod arguments;
mod studio;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(about = "Trains an embedding of handwritten digits before your eyes.")]
struct Arguments {
    #[command(flatten)]
    canvas: canvas::Arguments,

    #[command(flatten)]
    training: arguments::Training,
}

fn main() -> ExitCode {
    let Arguments { canvas, training } = Arguments::parse();
    canvas::run(&canvas, |gpu| studio::Studio::new(gpu, &training))
}
