//! A loss whose rows several engines of this machine share.

use std::thread;

use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, Threads, cut};
use wgpu_metric_learning::{Batch, Engine, Error, Evaluation, Loss, Mode, Result};

/// Whether ranks can share inputs of this mode.
pub(crate) fn take(mode: Mode) -> bool {
    matches!(mode, Mode::Batch | Mode::Reference)
}

/// The evaluation of all rows by engines that hold as many each.
pub(crate) fn evaluate(loss: &Loss, batch: &Batch, engines: &[Engine]) -> Result<Evaluation> {
    let mode = batch.shape().mode();
    if !take(mode) {
        return Err(Error::NotInMode { what: "--adapters", mode: mode.name() });
    }
    batch.check(loss)?;
    let shards = shards(batch, engines.len())?;
    let work = |(rank, engine): (Threads, &Engine)| {
        let evaluate = |loss: &Loss, batch: &Batch<'_>| engine.evaluate(loss, batch).wait();
        Sharded::new(&rank).evaluate(loss, &shards[rank.rank()], evaluate)
    };
    let work = &work;
    let found = thread::scope(|scope| {
        let ranks = Threads::group(engines.len()).into_iter().zip(engines);
        let ranks: Vec<_> = ranks.map(|rank| scope.spawn(move || work(rank))).collect();
        // A panic of a rank is one of the program.
        let ended = ranks
            .into_iter()
            .map(|rank| rank.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        ended.collect::<Result<Vec<_>>>()
    })?;
    Ok(joined(found))
}

/// The shards of so many ranks that hold as many rows each.
fn shards<'a>(batch: &Batch<'a>, ranks: usize) -> Result<Vec<Shard<'a>>> {
    let shares = vec![1; ranks];
    let [rows, references] = [batch.shape().queries(), batch.shape().references()];
    let parts = cut(rows, &shares)?.into_iter().zip(cut(references, &shares)?);
    parts.map(|(rows, references)| Shard::of(batch, rows, references)).collect()
}

/// One result of the rows of all ranks.
fn joined(ranks: Vec<Evaluation>) -> Evaluation {
    let mut ranks = ranks.into_iter();
    let mut all = ranks.next().unwrap_or_default();
    for rank in ranks {
        all.gradient.extend(rank.gradient);
        let tables = [
            (&mut all.gradient_references, rank.gradient_references),
            (&mut all.per_anchor, rank.per_anchor),
        ];
        for (all, rank) in tables {
            all.iter_mut().zip(rank).for_each(|(all, rank)| all.extend(rank));
        }
    }
    all
}
