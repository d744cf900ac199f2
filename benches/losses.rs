//! Time of one evaluation on the GPU, inputs and gradient staying there: record, submit, wait.
//!
//! `cargo bench --bench losses` on the best adapter; `WGPU_BACKEND` and `WGPU_ADAPTER_NAME` choose another. N and D from the
//! variables `N` (default 512) and `D` (default 128), 8 rows a class. Every loss is first checked against the reference.

use std::time::Duration;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use support::buffers::upload;
use wgpu_metric_learning::{
    Batch, Context, Contrastive, Form, Inputs, LiftedStructured, Loss, Margin, Mining, NtXent, Result, Sampling,
    SupCon, Triplet, Weighted, reference,
};

const CLASS_SIZE: usize = 8;

fn losses() -> Vec<(&'static str, Loss)> {
    let triplet = |mining| Triplet { mining, ..Default::default() };
    vec![
        ("contrastive", Contrastive::default().into()),
        ("triplet all", triplet(Mining::All).into()),
        ("triplet all soft", Triplet { soft: true, ..Default::default() }.into()),
        ("triplet hard", triplet(Mining::Hard).into()),
        ("triplet easy positive", triplet(Mining::EasyPositiveHardNegative).into()),
        ("triplet semi-hard", triplet(Mining::SemiHard).into()),
        ("lifted smooth", LiftedStructured::default().into()),
        ("lifted exact", LiftedStructured { form: Form::Exact, ..Default::default() }.into()),
        ("margin", Margin::default().into()),
        ("nt-xent", NtXent::default().into()),
        ("supervised contrastive", SupCon::default().into()),
        ("margin drawn", Margin { normalize: true, sampling: Sampling::DistanceWeighted, ..Default::default() }.into()),
    ]
}

fn size(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Rows of norm 1, spread evenly enough for a benchmark.
fn unit_rows(n: usize, d: usize) -> Vec<f32> {
    let mut state = 1_u64;
    let mut coordinate = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let mut rows: Vec<f32> = (0..n * d).map(|_| coordinate()).collect();
    for row in rows.chunks_mut(d) {
        let norm = row.iter().map(|x| x * x).sum::<f32>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
    rows
}

fn bench_loss(criterion: &mut Criterion, context: &Context, name: &str, loss: &Loss, batch: &Batch) -> Result<()> {
    let comparison = reference::evaluate_with_bounds(loss, batch)?.compare(&context.evaluate(loss, batch)?);
    assert!(comparison.agrees(), "{name} disagrees with the reference:\n{comparison}");

    let device = context.device();
    let embeddings = input(context, bytemuck::cast_slice(batch.embeddings()));
    let labels = input(context, bytemuck::cast_slice(batch.labels()));
    let plan = context.plan(loss, *batch.shape())?;
    let inputs = plan.bind(&Inputs::new(&embeddings, &labels))?;
    let id = BenchmarkId::new(name, format!("{}x{}", batch.shape().queries(), batch.shape().dimensions()));
    criterion.bench_with_input(id, &plan, |bencher, plan| {
        bencher.iter(|| {
            let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
            plan.record(&mut encoder, &inputs).expect("a binding of this plan");
            context.queue().submit([encoder.finish()]);
            device.poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
        });
    });
    Ok(())
}

/// Two losses in one objective, which share their distances, and the same two one after the other: the difference is what
/// sharing saves.
fn bench_objective(criterion: &mut Criterion, context: &Context, batch: &Batch) -> Result<()> {
    let (device, queue) = (context.device(), context.queue());
    let embeddings = input(context, bytemuck::cast_slice(batch.embeddings()));
    let labels = input(context, bytemuck::cast_slice(batch.labels()));
    let inputs = Inputs::new(&embeddings, &labels);
    let losses: [Loss; 2] = [Contrastive::default().into(), Triplet::default().into()];
    let objective = losses.clone().map(|loss| Weighted::new(1.0, loss, *batch.shape()));
    let shared = context.plan_objective(&objective)?;
    let shared_binding = shared.bind(std::slice::from_ref(&inputs))?;
    let plans = losses.map(|loss| context.plan(loss, *batch.shape()).expect("a plan"));
    let bindings = plans.each_ref().map(|plan| plan.bind(&inputs).expect("valid inputs"));
    let run = |record: &dyn Fn(&mut wgpu::CommandEncoder)| {
        let mut encoder = device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        record(&mut encoder);
        queue.submit([encoder.finish()]);
        device.poll(wgpu::PollType::wait_indefinitely()).expect("the device answers");
    };
    let size = format!("{}x{}", batch.shape().queries(), batch.shape().dimensions());
    criterion.bench_function(&format!("objective of contrastive and triplet all/{size}"), |bencher| {
        bencher.iter(|| run(&|encoder| shared.record(encoder, &shared_binding).expect("its own binding")));
    });
    criterion.bench_function(&format!("contrastive, then triplet all/{size}"), |bencher| {
        bencher.iter(|| {
            run(&|encoder| {
                for (plan, binding) in plans.iter().zip(&bindings) {
                    plan.record(encoder, binding).expect("its own binding");
                }
            });
        });
    });
    Ok(())
}

/// A buffer that kernels read.
fn input(context: &Context, bytes: &[u8]) -> wgpu::Buffer {
    upload(context, bytes, wgpu::BufferUsages::STORAGE)
}

fn bench_losses(criterion: &mut Criterion) {
    let context = Context::headless().expect("an adapter");
    println!("on {:?}", context.device().adapter_info());
    let (n, d) = (size("N", 512), size("D", 128));
    let embeddings = unit_rows(n, d);
    let labels: Vec<u32> = (0..n).map(|row| (row % n.div_ceil(CLASS_SIZE)) as u32).collect();
    let batch = Batch::new(&embeddings, [n, d], &labels).expect("a valid batch");
    for (name, loss) in losses() {
        bench_loss(criterion, &context, name, &loss, &batch).expect("the loss runs");
    }
    bench_objective(criterion, &context, &batch).expect("the objective runs");
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10).warm_up_time(Duration::from_secs(1)).measurement_time(Duration::from_secs(3));
    targets = bench_losses
}
criterion_main!(benches);
