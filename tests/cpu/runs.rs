//! What a run is told and tells: errors, progress, cancellation.

use std::ops::ControlFlow;
use std::time::Instant;

use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Batch, Contrastive, Cpu, Distance, Error, Loss, Mining, MultiMargin, NtXent, SupCon, Triplet,
    Weighted,
};

const ROWS: [f32; 8] = [0.0, 0.1, 0.9, 0.2, 0.1, 0.0, 1.0, 0.3];
const LABELS: [u32; 4] = [0, 1, 0, 1];

fn batch() -> Batch<'static> {
    Batch::new(&ROWS, [4, 2], &LABELS).expect("a valid batch")
}

#[test]
fn a_workspace_that_holds_no_row_is_refused() {
    let needs = |needed| Error::Workspace { needed, budget: 15, columns: 4 };
    let small = Cpu::default().with_workspace_bytes(15);
    let batch = batch();
    assert_eq!(small.evaluate(Triplet::default(), &batch).wait(), Err(needs(16)));
    assert_eq!(small.measure(&Retrieval::default(), &batch).wait(), Err(needs(16)));
    let enough = Cpu::default().with_workspace_bytes(16);
    assert!(enough.evaluate(Triplet::default(), &batch).wait().is_ok());
}

#[test]
fn what_the_loss_does_not_take_is_refused() {
    let (cpu, batch) = (Cpu::default(), batch());
    let error = cpu.evaluate(MultiMargin::default(), &batch).wait().unwrap_err();
    assert!(matches!(error, Error::Unsupported { of: "MultiMargin", .. }), "{error}");
    let loss = SupCon { temperature: 0.0, ..SupCon::default() };
    let error = cpu.evaluate(loss, &batch).wait().unwrap_err();
    assert!(matches!(error, Error::Parameter { parameter: "temperature", .. }), "{error}");
    let other = [1.0; 8];
    let other = Batch::new(&other, [4, 2], &LABELS).unwrap();
    let objective = [
        Weighted::new(1.0, Triplet::default(), batch),
        Weighted::new(1.0, Contrastive::default(), other),
    ];
    let error = cpu.evaluate_objective(&objective).wait().unwrap_err();
    assert_eq!(error, Error::Set { what: "embeddings" });
}

#[test]
fn what_is_beyond_f32_is_an_error() {
    let huge = ROWS.map(|x| x * 1e30);
    let batch = Batch::new(&huge, [4, 2], &LABELS).unwrap();
    let loss = Contrastive { distance: Distance::SquaredEuclidean, ..Contrastive::default() };
    let error = Cpu::default().evaluate(loss, &batch).wait().unwrap_err();
    assert!(matches!(error, Error::Overflow { .. }), "{error}");
}

/// Two rows a stripe: progress is told before each, from nothing to less than all.
#[test]
fn a_run_is_watched_and_broken_off() {
    // Of 4 columns 16 numbers are kept.
    let cpu = Cpu::default().with_workspace_bytes(2 * 4 * 16);
    let batch = batch();
    let mut heard = Vec::new();
    let watched = cpu.evaluate(Triplet::default(), &batch).watch(|progress| {
        heard.push((progress.done, progress.total));
        ControlFlow::Continue(())
    });
    assert_eq!(heard, [(0, 32), (16, 32)]);
    assert_eq!(watched, cpu.evaluate(Triplet::default(), &batch).wait());
    let mut left = 2;
    let broken = cpu.evaluate(Triplet::default(), &batch).watch(|_| {
        left -= 1;
        if left > 0 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    assert_eq!(broken, Err(Error::Cancelled));
}

#[test]
fn a_run_is_awaited() {
    let (cpu, batch) = (Cpu::default(), batch());
    let awaited = pollster::block_on(async { cpu.evaluate(Triplet::default(), &batch).await });
    assert_eq!(awaited, cpu.evaluate(Triplet::default(), &batch).wait());
}

/// The loops of the gradient cost as many operations as those of the distances. Where the compiler
/// leaves them one number at a time, they take some thirty times as long.
#[test]
fn no_loop_is_left_to_go_one_by_one() {
    let recipe = Recipe {
        n: 512,
        m: 1,
        d: 128,
        layout: Layout::Balanced(64),
        values: Values::Ordinary,
        extreme_labels: false,
    };
    let sample = Sample::new(recipe);
    let least = |loss: Loss| {
        let batch = sample.batches(&loss)[0];
        let time = |_| {
            let start = Instant::now();
            Cpu::default().evaluate(&loss, &batch).wait().expect("a result");
            start.elapsed()
        };
        (0..9).map(time).min().expect("some runs")
    };
    // Two pairs of an anchor pull, or all of them.
    let hard = least(Triplet { mining: Mining::Hard, ..Triplet::default() }.into());
    let all = least(NtXent::default().into());
    assert!(all < 7 * hard, "{all:?} with a whole gradient, {hard:?} without");
}
