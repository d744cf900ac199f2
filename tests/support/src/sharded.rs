//! A batch cut into the shards of ranks, which are threads here.

use std::cell::Cell;
use std::thread;

use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, Threads};
use wgpu_metric_learning::{Batch, Evaluation, Loss, Mode, Result};

/// How many rows of a batch, of so many, each rank holds: a share of all that the weights say.
pub fn cut(rows: usize, weights: &[usize]) -> Vec<usize> {
    let all: usize = weights.iter().sum();
    let mut up_to = 0;
    let ends = weights.iter().map(|weight| {
        up_to += weight;
        rows * up_to / all
    });
    let mut start = 0;
    ends.map(|end| end - std::mem::replace(&mut start, end)).collect()
}

/// The shards of a batch, or of queries and references, of ranks of these weights.
pub fn shards<'a>(batch: &Batch<'a>, weights: &[usize]) -> Vec<Shard<'a>> {
    let shape = batch.shape();
    let d = shape.dimensions();
    let (mut row, mut column) = (0, 0);
    let cuts = cut(shape.queries(), weights).into_iter().zip(cut(shape.references(), weights));
    cuts.map(|(rows, columns)| {
        let [own, other] = [row..row + rows, column..column + columns];
        (row, column) = (own.end, other.end);
        let numbers = |rows: &std::ops::Range<usize>| rows.start * d..rows.end * d;
        let mut shard =
            Shard::new(d, &batch.embeddings()[numbers(&own)], &batch.labels()[own.clone()]);
        if shape.mode() == Mode::Reference {
            let references = &batch.references()[numbers(&other)];
            shard = shard.with_references(references, &batch.reference_labels()[other]);
        }
        if !shape.has_reference_gradient() && shape.mode() == Mode::Reference {
            shard = shard.with_fixed_references();
        }
        if shape.has_weights() {
            shard = shard.with_weights(&batch.weights()[own]);
        }
        shard = shard.with_beta(batch.beta());
        if let Some(scale) = batch.scale() {
            shard = shard.with_scale(scale);
        }
        batch.bias().map_or(shard, |bias| shard.with_bias(bias))
    })
    .collect()
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
