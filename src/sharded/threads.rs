//! Ranks that are threads of one process.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::communicator::Communicator;
use crate::error::{Error, Result};

/// A rank of a group in one process: one a thread, each with an engine of its own.
///
/// ```
/// use wgpu_metric_learning::sharded::{Shard, Sharded, Threads};
/// use wgpu_metric_learning::{Cpu, Triplet};
///
/// let (embeddings, labels) = ([0.0, 0.5, 1.0, 0.2], [0, 0, 1, 1]);
/// // The first rank holds one row, the second the others.
/// let parts = [(&embeddings[..1], &labels[..1]), (&embeddings[1..], &labels[1..])];
/// let losses = std::thread::scope(|scope| {
///     let ranks = Threads::group(2).into_iter().zip(parts).map(|(rank, (rows, labels))| {
///         scope.spawn(move || {
///             let cpu = Cpu::default();
///             let shard = Shard::new(1, rows, labels);
///             Sharded::new(&rank).evaluate(Triplet::default(), &shard, |loss, batch| {
///                 cpu.evaluate(loss, batch).wait()
///             })
///         })
///     });
///     let ranks: Vec<_> = ranks.collect();
///     ranks.into_iter().map(|rank| rank.join().unwrap().unwrap().loss).collect::<Vec<_>>()
/// });
/// assert_eq!(losses[0], losses[1]);
/// ```
#[derive(Debug)]
pub struct Threads {
    rank: usize,
    /// Those of every rank; to itself nothing is sent.
    senders: Vec<Sender<Vec<u32>>>,
    receivers: Vec<Receiver<Vec<u32>>>,
    patience: Duration,
}

impl Threads {
    /// How long a rank waits for another one, where nothing else is asked for.
    pub const PATIENCE: Duration = Duration::from_secs(600);

    /// The ranks of a group of so many, in their order.
    pub fn group(ranks: usize) -> Vec<Self> {
        let make = |rank| Self {
            rank,
            senders: Vec::with_capacity(ranks),
            receivers: Vec::with_capacity(ranks),
            patience: Self::PATIENCE,
        };
        let mut group: Vec<_> = (0..ranks).map(make).collect();
        for from in 0..ranks {
            for to in 0..ranks {
                let (sender, receiver) = channel();
                group[from].senders.push(sender);
                group[to].receivers.push(receiver);
            }
        }
        group
    }

    /// The rank with another patience: how long it waits for the others. One that is dropped is
    /// noticed at once.
    #[must_use]
    pub fn with_patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    fn send(&self, to: usize, words: &[u32]) -> Result<()> {
        self.senders[to].send(words.to_vec()).map_err(|_| gone(to))
    }

    fn receive(&self, from: usize) -> Result<Vec<u32>> {
        self.receivers[from].recv_timeout(self.patience).map_err(|error| match error {
            RecvTimeoutError::Disconnected => gone(from),
            RecvTimeoutError::Timeout => Error::Ranks {
                problem: format!("rank {from} has not answered for {:?}", self.patience),
            },
        })
    }

    /// Sends every other rank its words, and receives those of each, in the order of the ranks.
    fn exchange<'a>(&self, words_for: impl Fn(usize) -> &'a [u32]) -> Result<Vec<u32>> {
        let others = || (0..self.ranks()).filter(|&other| other != self.rank);
        others().try_for_each(|to| self.send(to, words_for(to)))?;
        let mut all = Vec::new();
        for from in 0..self.ranks() {
            match from == self.rank {
                true => all.extend_from_slice(words_for(from)),
                false => all.extend(self.receive(from)?),
            }
        }
        Ok(all)
    }
}

fn gone(rank: usize) -> Error {
    Error::Ranks { problem: format!("rank {rank} is gone") }
}

impl Communicator for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.senders.len()
    }

    fn all_gather(&self, own: &[u32], _: &[usize]) -> Result<Vec<u32>> {
        self.exchange(|_| own)
    }

    fn all_to_all(&self, words: &[u32], counts: &[usize]) -> Result<Vec<u32>> {
        self.exchange(|to| {
            let start: usize = counts[..to].iter().sum();
            &words[start..start + counts[to]]
        })
    }
}
