//! One batch held by many ranks: GPUs of a process, or processes on many machines.
//!
//! The loss of a batch is as good as the batch is large, so batches are gathered from all GPUs that
//! train together. [`Sharded`] evaluates such a batch as if one machine held it: rank r holds some of
//! its rows, a [`Shard`], and gets the loss and the counts of the whole batch, and the gradient of
//! its own rows. No row meets itself, which is seen by its place and not by its distance; gradients
//! of gathered rows go back to the rank that holds them, and nothing is divided by the number of
//! ranks. So the sum of what the ranks have is what one machine has.
//!
//! # What travels
//!
//! | step | call | what |
//! |---|---|---|
//! | 1 | all-gather | sizes, and whether every rank's inputs are in order |
//! | 2 | all-gather | rows and labels: those of the references, of a batch its own |
//! | 3 | all-gather | the sums of the loss, counts and distances of every rank |
//! | 4 | all-to-all | the gradient of the gathered rows, each to the rank that holds it: a reduce-scatter whose sums are taken in the order of the ranks |
//!
//! Step 4 is left out where references are [fixed](Shard::with_fixed_references), and of a batch
//! without weights where a pair pulls at both its ends alike, so that a gradient is twice its half:
//! [`Contrastive`](crate::Contrastive), [`SigLip`](crate::SigLip) without thresholds, and
//! [`Margin`](crate::Margin) with one beta.
//!
//! Of most losses an anchor needs its own row of distances alone, and every rank sees to its anchors.
//! Two need more ([`Loss::needs_all_rows`](crate::Loss::needs_all_rows)):
//!
//! - Of [`Clip`](crate::Clip), whose terms are of two sides, a rank sees to its rows against all
//!   references and to its references against all rows, both of which travel in steps 2 and 4. With
//!   weights or a reference offset every rank evaluates the whole batch: steps 3 and 4 have nothing to
//!   add, and the work is not shared, only the rows.
//! - A pair of [`LiftedStructured`](crate::LiftedStructured) needs what the negatives of both its rows
//!   come to. A rank sees to whole classes, those that begin among its rows where the rows of all stand
//!   by classes: it is as much work as it has rows, unless a class is larger than that.
//!
//! # What is the same
//!
//! - Counts are those of one machine, and so are per-anchor losses on the CPU, to the bit, for every
//!   cut; those of [`Contrastive`](crate::Contrastive) with `MeanNonZero` or `MeanWithin`, which take
//!   two evaluations, are within the bounds.
//! - With `Sum`, and on the CPU, the bits of one machine are those of gradients to which step 4 adds
//!   nothing, for every cut: of queries against references, and of a batch where step 4 is left out.
//! - Loss and gradients are within the [bounds of the reference](mod@crate::reference), whatever the
//!   cut and whichever devices the ranks have. The same cut on the same devices has the same bits,
//!   whatever arrives first.
//! - One rank alone, and every loss that is evaluated whole, has the bits of one machine.
//! - Between equals the lowest row of all goes first, as on one machine. Of negatives that are equally
//!   near, [`Form::Exact`](crate::Form::Exact) takes one of the class that has the first row of all; it
//!   is the lowest row where the rows of every class stand together.
//!
//! Ranks reach each other by a [`Communicator`]: [`Threads`] of one process, MPI in the package
//! `wgpu-metric-learning-mpi`, or one of your own.

mod classes;
mod communicator;
mod cut;
mod evaluate;
mod measure;
mod own;
mod shard;
mod sides;
mod sums;
mod threads;

pub use communicator::Communicator;
pub use cut::cut;
pub use shard::Shard;
pub use threads::Threads;

use crate::error::Result;
use communicator::{agree, halves, whole};

/// Evaluates what a group of ranks holds together.
#[derive(Clone, Copy, Debug)]
pub struct Sharded<'c, C> {
    communicator: &'c C,
}

impl<'c, C: Communicator> Sharded<'c, C> {
    /// What this rank is in its group.
    pub fn new(communicator: &'c C) -> Self {
        Self { communicator }
    }

    /// What this rank has found, where all ranks have found something: none goes on alone.
    ///
    /// # Errors
    ///
    /// [`Error::OfRank`](crate::Error::OfRank) with the error of the first rank that has one, the same in every rank, and
    /// [`Error::Ranks`](crate::Error::Ranks) where one does not answer.
    pub fn agree<T>(&self, own: Result<T>) -> Result<T> {
        let state = own.as_ref().map(|_| Vec::new()).map_err(Clone::clone);
        agree(self.communicator, state, 0)?;
        own
    }

    /// All-reduce: the sums of these numbers over all ranks, which have as many, taken in the order of
    /// the ranks.
    ///
    /// # Errors
    ///
    /// [`Error::Ranks`](crate::Error::Ranks).
    pub fn total(&self, numbers: &[f64]) -> Result<Vec<f64>> {
        let words: Vec<_> = numbers.iter().flat_map(|number| halves(number.to_bits())).collect();
        let counts = vec![words.len(); self.communicator.ranks()];
        let all = self.communicator.all_gather(&words, &counts)?;
        let mut sums = vec![0.0; numbers.len()];
        for (at, halves) in all.chunks_exact(2).enumerate() {
            sums[at % numbers.len()] += f64::from_bits(whole(halves));
        }
        Ok(sums)
    }
}
