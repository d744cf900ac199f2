//! What travels between ranks, and which work each has.

use std::cell::Cell;

use support::sample::{Layout, Sample, Values};
use support::sharded::{Counted, in_ranks, shards};
use wgpu_metric_learning::sharded::{Communicator, Sharded, Threads};
use wgpu_metric_learning::{Clip, Contrastive, LiftedStructured, Loss, Triplet};

use super::{on_cpu, small};

/// What a rank receives beside sizes and sums: the rows and labels that it does not hold, and from
/// every other rank a gradient for those that it does.
#[test]
fn what_travels_is_counted() {
    const D: usize = 19;
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    let cases: [(Loss, usize); 3] = [
        (Triplet::default().into(), D),
        (Contrastive::default().into(), 0),
        (LiftedStructured::default().into(), D),
    ];
    for (loss, gradient) in cases {
        let batch = &sample.batches(&loss)[0];
        for ranks in 2..=4 {
            let shards = shards(batch, &vec![1; ranks]);
            let words = in_ranks(Threads::group(ranks), |rank| {
                let at = rank.rank();
                let rank = Counted { rank, received: Cell::new(0) };
                Sharded::new(&rank)
                    .evaluate(&loss, &shards[at], |loss, batch| on_cpu(at, loss, batch))
                    .unwrap();
                rank.received.get()
            });
            let others = ranks - 1;
            // Its faults and sizes, its sums, and whether it goes on.
            let small = others * (7 + 2 + 18 + 2);
            for (rank, words) in words.into_iter().enumerate() {
                let own = 40 * (rank + 1) / ranks - 40 * rank / ranks;
                let expected = (40 - own) * (D + 1) + others * own * gradient + small;
                assert_eq!(words, expected, "{loss:?}: rank {rank} of {ranks}");
            }
        }
    }
}

/// Every row meets all references in the rank that holds it, and every reference all rows: no pair is
/// seen by all ranks.
#[test]
fn ranks_share_the_work_of_two_towers() {
    const D: usize = 19;
    let loss = Loss::from(Clip::default());
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    let batch = &sample.batches(&loss)[0];
    let [n, m] = [batch.shape().queries(), batch.shape().references()];
    for ranks in 2..=4 {
        let shards = shards(batch, &vec![1; ranks]);
        let found = in_ranks(Threads::group(ranks), |rank| {
            let at = rank.rank();
            let (pairs, rank) = (Cell::new(0), Counted { rank, received: Cell::new(0) });
            Sharded::new(&rank)
                .evaluate(&loss, &shards[at], |loss, batch| {
                    let shape = batch.shape();
                    pairs.set(pairs.get() + shape.queries() * shape.references());
                    on_cpu(at, loss, batch)
                })
                .unwrap();
            (pairs.get(), rank.received.get())
        });
        let pairs: usize = found.iter().map(|(pairs, _)| pairs).sum();
        assert_eq!(pairs, 2 * n * m, "{ranks} ranks");
        let others = ranks - 1;
        // Faults and sizes, the sums of both sides, and whether it goes on.
        let small = others * (7 + 2 + 2 * 20 + 2);
        for (rank, (_, words)) in found.into_iter().enumerate() {
            let [rows, references] =
                [n, m].map(|all| all * (rank + 1) / ranks - all * rank / ranks);
            let gathered = (n - rows + m - references) * (D + 1);
            let of_gradients = others * (rows + references) * D;
            assert_eq!(words, gathered + of_gradients + small, "rank {rank} of {ranks}");
        }
    }
}
