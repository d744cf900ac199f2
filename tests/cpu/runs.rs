//! What a run is told and tells: errors, progress, cancellation.

use std::ops::ControlFlow;

use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Batch, Contrastive, Cpu, Distance, Error, MultiMargin, SupCon, Triplet, Weighted,
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
    assert_eq!(small.evaluate(Triplet::default(), &batch).wait(), Err(needs(32)));
    assert_eq!(small.measure(&Retrieval::default(), &batch).wait(), Err(needs(16)));
    let enough = Cpu::default().with_workspace_bytes(32);
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
    let cpu = Cpu::default().with_workspace_bytes(64);
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
