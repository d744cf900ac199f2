//! Scored pairs: lists of several rows of the list, and targets that only their order matters of.

use support::adapters::{Device, one_by_one};
use support::agreement::Tally;
use support::bits::bits;
use support::sample::Random;
use wgpu_metric_learning::{Batch, CoSent, Cpu, Distance, Error, Evaluation};

const D: usize = 3;

/// Row-aligned pairs.
struct Pairs {
    embeddings: Vec<f32>,
    references: Vec<f32>,
    count: usize,
}

impl Pairs {
    fn new(count: usize) -> Self {
        let mut rows = Random(11).numbers(2 * count * D, 1.0);
        let references = rows.split_off(count * D);
        Self { embeddings: rows, references, count }
    }

    fn with<'a>(&'a self, targets: &'a [f32]) -> Batch<'a> {
        let shape = [self.count, D];
        Batch::scored_pair_rows(&self.embeddings, &self.references, shape, targets)
            .expect("valid pairs")
    }
}

fn run(device: &Device, loss: &CoSent, batch: &Batch) -> Evaluation {
    let evaluation = device.context.evaluate(loss, batch).wait();
    evaluation.unwrap_or_else(|error| panic!("{}: {error}", device.name))
}

/// Groups of equal targets that begin and end within a row of the list, span several, or are all
/// of it; the last row of the list is full, or has one pair.
#[test]
fn groups_of_equal_targets_may_be_anywhere() {
    let mut tally = Tally::new();
    let marks: [fn(usize) -> f32; 5] = [
        |at| (at * 7919 % 2500) as f32,
        |at| if at == 1500 { 1.0 } else { 0.0 },
        |at| (at * 31 % 3) as f32,
        |at| -f32::from(u8::from(at > 1000)),
        |_| 4.0,
    ];
    for (turn, mark) in marks.into_iter().enumerate() {
        let count = 2048 + turn % 2;
        let targets: Vec<f32> = (0..count).map(mark).collect();
        let distance = Distance::ALL[turn];
        let loss = CoSent { distance, scale: 3.0, ..Default::default() }.into();
        tally.hold(&loss, &Pairs::new(count).with(&targets), "groups");
    }
    tally.conclude(0.5);
}

#[test]
fn only_the_order_of_targets_counts() {
    let pairs = Pairs::new(1100);
    let ranks: Vec<f32> = Random(5).numbers(1100, 6.0).into_iter().map(f32::round).collect();
    let marks: Vec<Vec<f32>> = vec![
        // 0 is -0 in half of them.
        ranks.iter().map(|&rank| if rank > 0.0 { rank } else { 0.5 * rank }).collect(),
        ranks.iter().map(|rank| rank * (f32::MAX / 8.0)).collect(),
        ranks.iter().map(|rank| rank * f32::from_bits(1)).collect(),
        ranks.iter().map(|rank| 7.0 + rank / 1024.0).collect(),
    ];
    let loss = CoSent::default();
    for device in one_by_one() {
        let one = run(&device, &loss, &pairs.with(&ranks));
        assert_eq!(one.terms, 1);
        for marks in &marks {
            let other = run(&device, &loss, &pairs.with(marks));
            assert_eq!(bits(&one), bits(&other), "{}", device.name);
        }
    }
}

/// More rows of the list than a workgroup has invocations, beside the engine of the CPU, which sorts
/// as well but computes in f64.
#[test]
fn a_list_of_many_rows() {
    const COUNT: usize = 66_000;
    let pairs = Pairs::new(COUNT);
    let targets: Vec<f32> = Random(6).numbers(COUNT, 500.0).into_iter().map(f32::round).collect();
    let batch = pairs.with(&targets);
    let loss = CoSent { distance: Distance::SquaredEuclidean, scale: 2.0, ..Default::default() };
    let on_cpu = |batch| Cpu::default().evaluate(&loss, batch).wait().expect("a result");
    let expected = on_cpu(&batch);
    let largest = expected.gradient.iter().fold(0.0_f32, |largest, slope| largest.max(slope.abs()));
    // The reference would compare each pair with all others. What a kernel might miss is a row of
    // the list, which is far more than f32 may be off.
    let agrees = |actual: &Evaluation| {
        let pairs = actual.gradient.iter().zip(&expected.gradient);
        (actual.loss - expected.loss).abs() < 1e-5 * expected.loss
            && pairs
                .into_iter()
                .all(|(actual, expected)| (actual - expected).abs() < 1e-4 * largest)
    };
    let missed = COUNT - 1024;
    let without_a_row = Batch::scored_pair_rows(
        &pairs.embeddings[..missed * D],
        &pairs.references[..missed * D],
        [missed, D],
        &targets[..missed],
    );
    assert!(!agrees(&on_cpu(&without_a_row.expect("valid pairs"))), "a row of the list is missed");
    for device in one_by_one() {
        assert!(agrees(&run(&device, &loss, &batch)), "{}", device.name);
    }
}

/// Where comparisons are beyond exp, in either direction, and beyond f32.
#[test]
fn any_scale_is_finite_or_refused() {
    let pairs = Pairs::new(40);
    let targets: Vec<f32> = (0..40).map(|at| (at % 9) as f32).collect();
    let batch = pairs.with(&targets);
    let mut tally = Tally::new();
    for scale in [1e-30, 1e-3, 1e4, 1e20] {
        tally.hold(&CoSent { scale, ..Default::default() }.into(), &batch, "scales");
    }
    tally.conclude(1.0);
    let distance = Distance::SquaredEuclidean;
    let steepest = CoSent { distance, scale: f32::MAX, ..Default::default() };
    for device in one_by_one() {
        let error = device.context.evaluate(&steepest, &batch).wait().expect_err("no f32");
        assert!(matches!(error, Error::Overflow { .. }), "{}: {error}", device.name);
    }
}
