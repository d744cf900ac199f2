//! `LiftedStructured`, of which every rank sees to whole classes.

use std::collections::HashSet;
use std::sync::Mutex;

use support::sample::{Layout, Sample, Values};
use support::sharded::{evaluate, shards};
use wgpu_metric_learning::{Batch, Distance, Form, LiftedStructured, Loss, Reduction, Thresholds};

use super::results::hold;
use super::{on_cpu, small};

/// Both forms, with terms that are 0, and with those within thresholds.
fn variants() -> Vec<Loss> {
    let thresholds = Thresholds { low: None, high: Some(2.0) };
    let reductions = [Reduction::MeanNonZero, Reduction::MeanWithin(thresholds)];
    let of = |form| {
        reductions.map(|reduction| {
            let distance = Distance::SquaredEuclidean;
            let margin = -3.0;
            LiftedStructured { distance, normalize: true, reduction, form, margin }.into()
        })
    };
    [Form::Smooth, Form::Exact].map(of).concat()
}

#[test]
fn classes_that_many_ranks_hold_are_those_of_one_machine() {
    for layout in [Layout::Balanced(5), Layout::Giant, Layout::Distinct, Layout::Balanced(1)] {
        let sample = Sample::new(small(layout, Values::Duplicates));
        for loss in variants() {
            let batches = [sample.batches(&loss), sample.weighted_batches(&loss)].concat();
            batches.iter().for_each(|batch| hold(&loss, batch));
        }
    }
}

/// Classes one after the other, of which one begins in one rank and ends in another.
#[test]
fn classes_are_not_cut() {
    let rows: Vec<_> = (0..24 * 3).map(|at| (at * at % 17) as f32 / 8.0).collect();
    let labels: Vec<_> = (0..24).map(|row| row / 7).collect();
    let batch = Batch::new(&rows, [24, 3], &labels).unwrap();
    variants().iter().for_each(|loss| hold(loss, &batch));
}

/// No pair is seen by two ranks, and no class is in two.
#[test]
fn ranks_share_the_classes() {
    let sample = Sample::new(small(Layout::Balanced(5), Values::Ordinary));
    let loss = Loss::from(LiftedStructured::default());
    let batch = &sample.batches(&loss)[0];
    let rows = batch.shape().queries();
    for ranks in 2..=4 {
        let seen = Mutex::new((0, Vec::new()));
        let found = evaluate(&loss, &shards(batch, &vec![1; ranks]), |rank, loss, batch| {
            let labels: HashSet<_> = batch.labels().iter().copied().collect();
            let mut seen = seen.lock().unwrap();
            seen.0 += batch.shape().queries() * batch.shape().references();
            seen.1.extend(labels);
            drop(seen);
            on_cpu(rank, loss, batch)
        });
        assert!(found.iter().all(Result::is_ok), "{ranks} ranks");
        let (pairs, labels) = seen.into_inner().unwrap();
        assert_eq!(pairs, rows * rows, "{ranks} ranks");
        let all: HashSet<_> = batch.labels().iter().copied().collect();
        assert_eq!(
            [labels.len(), labels.into_iter().collect::<HashSet<_>>().len()],
            [all.len(); 2]
        );
    }
}
