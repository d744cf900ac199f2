//! A swarm whose force is the gradient of the contrastive loss: particles of one kind attract each
//! other, others keep a margin.

mod flock;
mod motion;
mod swarm;

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
#[command(about = "A swarm whose force is the gradient of the contrastive loss.")]
struct Arguments {
    #[command(flatten)]
    canvas: canvas::Arguments,

    #[command(flatten)]
    flock: flock::Arguments,
}

fn main() -> ExitCode {
    let Arguments { canvas, flock } = Arguments::parse();
    canvas::run(&canvas, |gpu| swarm::Swarm::new(gpu, &flock))
}
