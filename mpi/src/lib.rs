//! Ranks of [`wgpu_metric_learning::sharded`] that are processes of MPI, on one machine or on many.
//!
//! ```no_run
//! use wgpu_metric_learning::sharded::{Shard, Sharded};
//! use wgpu_metric_learning::{Cpu, Triplet};
//! use wgpu_metric_learning_mpi::Mpi;
//!
//! # fn main() -> wgpu_metric_learning::Result<()> {
//! let universe = mpi::initialize().expect("MPI, for the first time in this process");
//! let ranks = Mpi::new(&universe);
//! // The rows of this rank.
//! let (embeddings, labels) = ([0.0, 0.5, 1.0], [0, 0, 1]);
//! let cpu = Cpu::default();
//! let evaluation = Sharded::new(&ranks).evaluate(
//!     Triplet::default(),
//!     &Shard::new(1, &embeddings, &labels),
//!     |loss, batch| cpu.evaluate(loss, batch).wait(),
//! )?;
//! println!("{}", evaluation.loss);
//! # Ok(())
//! # }
//! ```
//!
//! With an engine of the GPU it is the same: [`Cpu`](wgpu_metric_learning::Cpu) and its evaluation
//! become a context and that of it.

#![warn(missing_debug_implementations, unused_qualifications)]

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use mpi::Count;
use mpi::collective::CommunicatorCollectives;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::{Communicator as _, SimpleCommunicator};
use wgpu_metric_learning::sharded::Communicator;
use wgpu_metric_learning::{Error, Result};

/// The processes that `mpirun` has started.
pub struct Mpi {
    world: SimpleCommunicator,
    patience: Duration,
}

impl std::fmt::Debug for Mpi {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rank, ranks) = (self.rank(), self.ranks());
        f.debug_struct("Mpi").field("rank", &rank).field("ranks", &ranks).finish()
    }
}

impl Mpi {
    /// How long a rank waits for the others, where nothing else is asked for.
    pub const PATIENCE: Duration = Duration::from_secs(600);

    /// All processes.
    pub fn new(universe: &Universe) -> Self {
        Self { world: universe.world(), patience: Self::PATIENCE }
    }

    /// The rank with another patience: how long it waits until all others come to the same call. A
    /// process that ends is noticed by `mpirun`, which then ends all. Once all have come, what they
    /// send has as long again; who waits for it cannot be woken, and its process ends with exit code
    /// 3.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Ends all processes with this exit code: what is left where the ranks are not together any
    /// more, and MPI would wait for all of them.
    pub fn abort(&self, code: i32) -> ! {
        self.world.abort(code)
    }

    /// Waits until all ranks are here: what follows then takes as long as the words need.
    fn meet(&self) -> Result<()> {
        let start = Instant::now();
        let mut request = self.world.immediate_barrier();
        loop {
            match request.test() {
                Ok(_) => return Ok(()),
                Err(unfinished) => request = unfinished,
            }
            if start.elapsed() > self.patience {
                // MPI knows no way to take it back.
                std::mem::forget(request);
                return Err(silent(self.patience));
            }
            if start.elapsed() > Duration::from_millis(2) {
                std::thread::sleep(Duration::from_micros(200));
            }
        }
    }
}

/// Does what nothing can wake up, while another thread watches over it: after this time it ends the
/// process, which `mpirun` notices, and ends the others.
fn watched<T>(patience: Duration, work: impl FnOnce() -> T) -> T {
    let (done, ended) = channel::<()>();
    std::thread::spawn(move || {
        if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            eprintln!("error: {}", silent(patience));
            std::process::exit(3);
        }
    });
    let found = work();
    drop(done);
    found
}

fn silent(patience: Duration) -> Error {
    Error::Ranks { problem: format!("not all ranks have answered for {patience:?}") }
}

/// Counts and where they begin, as MPI has them.
fn places(counts: impl Iterator<Item = usize>) -> Result<(Vec<Count>, Vec<Count>, usize)> {
    let mut begin = 0_usize;
    let (mut found, mut begins) = (Vec::new(), Vec::new());
    for count in counts {
        let places = Count::try_from(count).ok().zip(Count::try_from(begin).ok());
        let (count, at) = places.ok_or_else(|| Error::Ranks {
            problem: format!("{} words are more than the 2^31 - 1 that MPI counts", begin + count),
        })?;
        found.push(count);
        begins.push(at);
        begin += count as usize;
    }
    Ok((found, begins, begin))
}

impl Communicator for Mpi {
    fn rank(&self) -> usize {
        self.world.rank() as usize
    }

    fn ranks(&self) -> usize {
        self.world.size() as usize
    }

    fn all_gather(&self, own: &[u32], counts: &[usize]) -> Result<Vec<u32>> {
        let (counts, begins, all) = places(counts.iter().copied())?;
        self.meet()?;
        let mut words = vec![0; all];
        let mut received = PartitionMut::new(&mut words[..], counts, begins);
        watched(self.patience, || self.world.all_gather_varcount_into(own, &mut received));
        Ok(words)
    }

    fn all_to_all(&self, words: &[u32], counts: &[usize]) -> Result<Vec<u32>> {
        let (sent, sent_begins, _) = places(counts.iter().copied())?;
        let own = counts[self.rank()];
        let (found, begins, all) = places(std::iter::repeat_n(own, self.ranks()))?;
        self.meet()?;
        let mut received_words = vec![0; all];
        let sent = Partition::new(words, sent, sent_begins);
        let mut received = PartitionMut::new(&mut received_words[..], found, begins);
        watched(self.patience, || self.world.all_to_all_varcount_into(&sent, &mut received));
        Ok(received_words)
    }
}
