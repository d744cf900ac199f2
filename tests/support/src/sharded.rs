//! A batch cut into the shards of ranks, which are threads here.

use std::cell::Cell;
use std::thread;

use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, Threads, cut};
use wgpu_metric_learning::{Batch, Evaluation, Loss, Result};

/// The shards of a batch, or of queries and references, of ranks with these shares.
pub fn shards<'a>(batch: &Batch<'a>, shares: &[usize]) -> Vec<Shard<'a>> {
    let part = |rows| cut(rows, shares).expect("a cut");
    let [rows, references] = [batch.shape().queries(), batch.shape().references()].map(part);
    let parts = rows.into_iter().zip(references);
    parts.map(|(rows, columns)| Shard::of(batch, rows, columns).expect("a shard")).collect()
}

/// What every rank of a group comes to, each in a thread.
pub fn in_ranks<T: Send>(group: Vec<Threads>, work: impl Fn(Threads) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let ranks: Vec<_> = group.into_iter().map(|rank| scope.spawn(move || work(rank))).collect();
        ranks.into_iter().map(|rank| rank.join().expect("a rank that ends")).collect()
    })
}

/// What every rank finds of its shard, by the engine of its number.
pub fn evaluate(
    loss: &Loss,
    shards: &[Shard],
    engine: impl Fn(usize, &Loss, &Batch) -> Result<Evaluation> + Sync,
) -> Vec<Result<Evaluation>> {
    in_ranks(Threads::group(shards.len()), |rank| {
        let at = rank.rank();
        Sharded::new(&rank).evaluate(loss, &shards[at], |loss, batch| engine(at, loss, batch))
    })
}

/// The evaluation of all rows: what is the same in every rank, and the rows of all.
pub fn assembled(ranks: Vec<Evaluation>) -> Evaluation {
    let without_rows = |mut one: Evaluation| {
        one.gradient.clear();
        one.gradient_references = None;
        one.per_anchor = None;
        one
    };
    let table = |of: fn(&Evaluation) -> Option<&Vec<f32>>| -> Option<Vec<f32>> {
        let tables: Option<Vec<_>> = ranks.iter().map(of).collect();
        tables.map(|tables| tables.into_iter().flatten().copied().collect())
    };
    let gradient = table(|one| Some(&one.gradient)).expect("a gradient");
    let gradient_references = table(|one| one.gradient_references.as_ref());
    let per_anchor = table(|one| one.per_anchor.as_ref());
    let mut all = ranks.into_iter().map(without_rows);
    let mut found = all.next().expect("a rank");
    for (rank, other) in (1..).zip(all) {
        assert_eq!(other, found, "rank {rank} and rank 0");
    }
    (found.gradient, found.gradient_references, found.per_anchor) =
        (gradient, gradient_references, per_anchor);
    found
}

/// A rank that counts the words that it receives from others.
pub struct Counted {
    pub rank: Threads,
    pub received: Cell<usize>,
}

impl Communicator for Counted {
    fn rank(&self) -> usize {
        self.rank.rank()
    }

    fn ranks(&self) -> usize {
        self.rank.ranks()
    }

    fn all_gather(&self, own: &[u32], counts: &[usize]) -> Result<Vec<u32>> {
        let all = self.rank.all_gather(own, counts)?;
        assert_eq!(all.len(), counts.iter().sum::<usize>(), "words of an all-gather");
        self.received.set(self.received.get() + all.len() - own.len());
        Ok(all)
    }

    fn all_to_all(&self, words: &[u32], counts: &[usize]) -> Result<Vec<u32>> {
        let all = self.rank.all_to_all(words, counts)?;
        let own = counts[self.rank()];
        assert_eq!(all.len(), self.ranks() * own, "words of an all-to-all");
        self.received.set(self.received.get() + all.len() - own);
        Ok(all)
    }
}
