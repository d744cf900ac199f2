//! The program `wgpu-metric-learning`: evaluates losses and retrieval measures on files or on the bundled
//! digits, and lists the adapters.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
