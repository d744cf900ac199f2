//! Time of one evaluation on the GPU, inputs and gradient staying there: every loss in every mode,
//! and two losses as one objective. Each is first checked against the reference.
//!
//! `cargo bench --bench losses`, with `-- Triplet` for those whose name has it; see [`Setup::new`]
//! for adapter and sizes.

mod common;

use std::cell::LazyCell;

use common::{GpuTime, Recording, Setup, check, losses};
use criterion::Criterion;
use wgpu_metric_learning::profile::Stage;
use wgpu_metric_learning::{
    Batch, Contrastive, Loss, ObjectivePlan, Result, Triplet, Weighted, reference,
};

fn main() {
    let setup = Setup::new();
    let mut criterion = setup.criterion();
    for (name, loss) in losses() {
        for batch in setup.batches(&loss) {
            let name = format!("{name}/{}", batch.shape().mode().name());
            let recording = LazyCell::new(|| setup.checked(&loss, &batch).expect("the loss runs"));
            setup.bench(&mut criterion, &name, &Stage::ALL, &recording);
        }
    }
    bench_objective(&setup, &mut criterion);
    criterion.final_summary();
}

/// Two losses in one objective, which share their distances, and the same two one by one: the
/// difference between the first and the sum of the others is what sharing saves.
fn bench_objective(setup: &Setup, criterion: &mut Criterion<GpuTime>) {
    let losses: [Loss; 2] = [Contrastive::default().into(), Triplet::default().into()];
    let batch = setup.batches(&losses[0])[0];
    let recording = LazyCell::new(|| objective(setup, losses, batch).expect("the objective runs"));
    setup.bench(criterion, "objective of Contrastive and Triplet", &Stage::ALL, &recording);
}

fn objective(
    setup: &Setup,
    losses: [Loss; 2],
    batch: Batch<'_>,
) -> Result<Recording<ObjectivePlan>> {
    let objective = losses.map(|loss| Weighted::new(1.0, loss, batch));
    let plan = setup.context.plan_objective(&objective.each_ref().map(Weighted::shape))?;
    let binding = setup.with_inputs(&batch, |inputs| plan.bind(std::slice::from_ref(inputs)))?;
    let recording = Recording::new(plan, binding)?;
    let actual = recording.result(ObjectivePlan::read_back)?;
    check(
        "the objective",
        &reference::evaluate_objective_with_bounds(&objective)?.compare(&actual),
    );
    Ok(recording)
}
