//! A loss whose rows several engines of this machine share.

use std::ops::Range;
use std::thread;

use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, Threads};
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
    if batch.shape().reference_offset().is_some() {
        let reason = "ranks leave a row's own pair out in a batch alone".into();
        return Err(Error::Unsupported {
            of: "--adapters",
            what: "a reference offset".into(),
            reason,
        });
    }
    batch.check(loss)?;
    let weights = row_weights(batch);
    let work = |(rank, engine): (Threads, &Engine)| {
        let shard = shard_of(batch, weights.as_deref(), rank.rank(), rank.ranks());
        let evaluate = |loss: &Loss, batch: &Batch<'_>| engine.evaluate(loss, batch).wait();
        Sharded::new(&rank).evaluate(loss, &shard, evaluate)
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

/// The weight of every row, where there are any.
fn row_weights(batch: &Batch) -> Option<Vec<f32>> {
    let (shape, weights) = (batch.shape(), batch.weights());
    let of_classes = || batch.labels().iter().map(|&label| weights[label as usize]).collect();
    shape.has_weights().then(|| match shape.class_weights() {
        0 => weights.to_vec(),
        _ => of_classes(),
    })
}

fn shard_of<'a>(
    batch: &Batch<'a>,
    weights: Option<&'a [f32]>,
    rank: usize,
    ranks: usize,
) -> Shard<'a> {
    let shape = batch.shape();
    let d = shape.dimensions();
    let part = |rows: usize| rows * rank / ranks..rows * (rank + 1) / ranks;
    let numbers = |rows: &Range<usize>| rows.start * d..rows.end * d;
    let [rows, columns] = [shape.queries(), shape.references()].map(part);
    let embeddings = &batch.embeddings()[numbers(&rows)];
    let mut shard =
        Shard::new(d, embeddings, &batch.labels()[rows.clone()]).with_beta(batch.beta());
    if shape.mode() == Mode::Reference {
        let references = &batch.references()[numbers(&columns)];
        shard = shard.with_references(references, &batch.reference_labels()[columns]);
    }
    if shape.mode() == Mode::Reference && !shape.has_reference_gradient() {
        shard = shard.with_fixed_references();
    }
    if let Some(weights) = weights {
        shard = shard.with_weights(&weights[rows]);
    }
    if let Some(scale) = batch.scale() {
        shard = shard.with_scale(scale);
    }
    batch.bias().map_or(shard, |bias| shard.with_bias(bias))
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
