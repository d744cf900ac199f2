//! What cannot be cut, what is wrong with one rank, and ranks that answer no more.

use std::ops::Range;
use std::time::{Duration, Instant};

use support::sharded::{evaluate, in_ranks, shards};
use wgpu_metric_learning::sharded::{Communicator, Shard, Sharded, Threads, cut};
use wgpu_metric_learning::{
    Batch, Error, ErrorKind, Evaluation, LiftedStructured, Loss, Result, Triplet,
};

use super::on_cpu;

#[test]
fn a_cut_is_by_shares_and_says_what_it_cannot_cut() {
    assert_eq!(cut(12, &[3, 1, 0, 2]).unwrap(), [0..6, 6..8, 8..8, 8..12]);
    assert_eq!(cut(2, &[1, 1, 1]).unwrap(), [0..0, 0..1, 1..2]);
    assert_eq!(cut(usize::MAX, &[usize::MAX - 1, 1]).unwrap()[1].end, usize::MAX);
    for shares in [&[][..], &[0, 0], &[usize::MAX, 1]] {
        let error = cut(5, shares).unwrap_err().to_string();
        assert!(error.contains("a cut") && error.contains("shares"), "{error}");
    }
    let (rows, labels) = ([0.0, 1.0, 2.0], [0, 1, 0]);
    let batch = Batch::new(&rows, [3, 1], &labels).unwrap();
    let refused = |rows: Range<usize>, references: Range<usize>, name: &str| {
        let error = Shard::of(&batch, rows, references).unwrap_err();
        assert!(
            matches!(error, Error::Parameter { parameter, .. } if parameter == name),
            "{error}"
        );
    };
    refused(0..4, 0..4, "rows");
    refused(Range { start: 2, end: 1 }, 0..1, "rows");
    refused(0..1, 0..4, "references");
    refused(0..1, 1..3, "references");
    let prototypes = batch.with_prototypes(&rows, 3).unwrap();
    let error = Shard::of(&prototypes, 0..1, 0..1).unwrap_err();
    assert_eq!(error, Error::NotInMode { what: "shards", mode: "prototypes" });
}

/// The error of a rank that asks for something else than the first.
const OTHER: &str = "rank 1: what it asks for, the kinds of its inputs, or its class weights, beta, scale, bias or reference offset are not those of rank 0";

/// Every rank ends with this error.
fn all_end_with(found: Vec<Result<Evaluation>>, expected: &str, kind: ErrorKind) {
    for (rank, found) in found.into_iter().enumerate() {
        let error = found.expect_err("a fault");
        assert_eq!((error.to_string().as_str(), error.kind()), (expected, kind), "rank {rank}");
    }
}

#[test]
fn every_rank_learns_what_is_wrong_with_one() {
    let labels = [0, 1, 0];
    let good = Shard::new(2, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &labels);
    let loss = Loss::from(Triplet::default());
    let with = |second: Shard| evaluate(&loss, &[good, second, good], on_cpu);
    let numbers = [0.0, 1.0, 2.0, f32::NAN, 4.0, f32::NAN];
    all_end_with(
        with(Shard::new(2, &numbers, &labels)),
        "rank 1: embeddings is not finite at row 1, column 1",
        ErrorKind::Input,
    );
    all_end_with(
        with(Shard::new(2, &[0.0; 5], &labels)),
        "rank 1: embeddings has 5 values, its shape asks for 6",
        ErrorKind::Input,
    );
    all_end_with(
        with(Shard::new(1, &[0.0; 3], &labels)),
        "rank 1: its embeddings have 1 dimensions, those of rank 0 2",
        ErrorKind::Input,
    );
    all_end_with(with(good.with_weights(&[1.0; 3])), OTHER, ErrorKind::Input);
    all_end_with(with(good.with_class_weights(&[1.0; 2])), OTHER, ErrorKind::Input);
    all_end_with(with(good.with_beta(&[1.0])), OTHER, ErrorKind::Input);
    all_end_with(
        with(good.with_class_weights(&[1.0])),
        "rank 1: the label 1 of row 1 has no class weight: there are 1",
        ErrorKind::Input,
    );
    all_end_with(
        with(good.with_class_weights(&[1.0, -1.0])),
        "rank 1: class weights at row 1, column 0 is not any finite number from 0 on",
        ErrorKind::Input,
    );
    // A fault of an engine, in the middle.
    let failing = |rank, loss: &Loss, batch: &Batch| match rank {
        2 => Err(Error::DeviceLost { during: "a test" }),
        _ => on_cpu(rank, loss, batch),
    };
    let lost = "rank 2: the device was lost while a test";
    all_end_with(evaluate(&loss, &[good; 3], failing), lost, ErrorKind::Device);
    let lifted = Loss::from(LiftedStructured::default());
    all_end_with(evaluate(&lifted, &[good; 3], failing), lost, ErrorKind::Device);
    // A mode that the loss does not have is one of all.
    let referring = good.with_references(&[0.0; 2], &[0]);
    for found in evaluate(&lifted, &[referring; 2], on_cpu) {
        assert!(
            matches!(found, Err(Error::Unsupported { of: "LiftedStructured", .. })),
            "{found:?}"
        );
    }
    let none = Shard::new(2, &[], &[]);
    for found in evaluate(&loss, &[none; 2], on_cpu) {
        assert_eq!(found, Err(Error::Empty { what: "the number of embeddings" }));
    }
}

/// A reference offset is the same on every rank, leaves every row a place among the references, and is
/// of rows against references.
#[test]
fn offsets_that_ranks_cannot_have_are_refused() {
    let (references, labels) = ([0.0, 1.0, 2.0, 3.0, 4.0], [0, 1, 0, 1, 0]);
    let batch = Batch::new(&references[1..4], [3, 1], &labels[1..4]).unwrap();
    let batch = batch.with_references(&references, 5, &labels).unwrap();
    let loss = Loss::from(Triplet::default());
    let with = |batch: &Batch, offsets: [usize; 2]| {
        let shards = shards(batch, &[1, 1]).into_iter().zip(offsets);
        let shards: Vec<_> =
            shards.map(|(shard, offset)| shard.with_reference_offset(offset)).collect();
        evaluate(&loss, &shards, on_cpu)
    };
    assert!(with(&batch, [1, 1]).iter().all(Result::is_ok));
    all_end_with(with(&batch, [1, 0]), OTHER, ErrorKind::Input);
    for found in with(&batch, [3, 3]) {
        let error = found.unwrap_err().to_string();
        assert!(error.contains("reference_offset"), "{error}");
    }
    let alone = Batch::new(&references, [5, 1], &labels).unwrap();
    for found in with(&alone, [0, 0]) {
        assert_eq!(found, Err(Error::NotInMode { what: "reference offset", mode: "batch" }));
    }
}

#[test]
fn ranks_that_die_or_are_silent_keep_nobody_waiting() {
    let labels = [0, 1, 0];
    let shard = Shard::new(2, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &labels);
    let patience = Duration::from_millis(200);
    let start = Instant::now();
    for is_silent in [false, true] {
        let group = Threads::group(3).into_iter().map(|rank| rank.with_patience(patience));
        let found = in_ranks(group.collect(), |rank| {
            let engine = |loss: &Loss, batch: &Batch| on_cpu(0, loss, batch);
            if rank.rank() == 1 {
                if is_silent {
                    std::thread::sleep(3 * patience);
                }
                return None;
            }
            Some(Sharded::new(&rank).evaluate(Triplet::default(), &shard, engine))
        });
        for found in found.into_iter().flatten() {
            let error = found.expect_err("one rank is missing");
            assert!(matches!(error, Error::Ranks { .. }), "{error}");
            assert_eq!(error.kind(), ErrorKind::Runtime);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}
