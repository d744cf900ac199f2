//! The program `wgpu-metric-learning`: evaluates losses and retrieval measures on files or on the
//! bundled digits, validates and times the adapters of this machine, lists them, and writes the
//! kernels.

mod cli;

fn main() -> std::process::ExitCode {
    cli::run()
}
