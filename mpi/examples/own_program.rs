//! A program of one's own on many ranks: each makes its rows, all evaluate them together, and each
//! walks its rows down the gradient.
//!
//! ```sh
//! mpirun -n 3 target/release/examples/own_program
//! ```

use mpi::environment::Universe;
use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded};
use wgpu_metric_learning::{Cpu, NtXent, Result};
use wgpu_metric_learning_mpi::Mpi;

const DIMENSIONS: usize = 8;
const CLASSES: u32 = 5;

/// Numbers that stand for what an encoder makes of this rank's part of the data: the ranks hold
/// 20, 30, 40, ... rows.
fn rows(rank: usize) -> (Vec<f32>, Vec<u32>) {
    let count = 20 + 10 * rank;
    let number = |at: usize| ((at * 7_919 + rank * 104_729) % 1_009) as f32 / 1_009.0 - 0.5;
    let embeddings = (0..count * DIMENSIONS).map(number).collect();
    (embeddings, (0..count as u32).map(|row| row % CLASSES).collect())
}

fn descend(universe: &Universe) -> Result<()> {
    let ranks = Mpi::new(universe);
    let together = Sharded::new(&ranks);
    // On a machine with GPUs: Adapter::all() and one of them for each rank.
    let cpu = Cpu::default();
    let (mut embeddings, labels) = rows(ranks.rank());
    for step in 0..20 {
        let shard = Shard::new(DIMENSIONS, &embeddings, &labels);
        let found = together
            .evaluate(NtXent::default(), &shard, |loss, batch| cpu.evaluate(loss, batch).wait())?;
        // The loss is that of all rows, the gradient that of those which this rank holds: nothing is
        // to be gathered, scaled or divided any more.
        embeddings.iter_mut().zip(&found.gradient).for_each(|(x, slope)| *x -= 5.0 * slope);
        let squares = found.gradient.iter().map(|&slope| f64::from(slope).powi(2)).sum();
        let norm = together.total(&[squares])?[0].sqrt();
        if ranks.rank() == 0 {
            println!("step {step:>2}: loss {:.6}, gradient norm {norm:.6}", found.loss);
        }
    }
    Ok(())
}

fn main() {
    let universe = mpi::initialize().expect("MPI, for the first time in this process");
    if let Err(error) = descend(&universe) {
        // Every rank has the same error, or those that are left end all.
        eprintln!("error: {error}");
        Mpi::new(&universe).abort(1);
    }
}
