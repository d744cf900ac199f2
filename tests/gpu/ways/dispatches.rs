//! Dispatches that are split: the same bits in however many, and none that costs more than it may
//! where it can be split.

use support::adapters::{best_with, contexts, contexts_with, one_by_one};
use support::bits::bits;
use support::losses::{losses, pointwise, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::profile::Stage;
use wgpu_metric_learning::{
    Batch, Context, Contrastive, Distance, Inputs, Loss, Mining, Options, Record, Reduction, Shape,
    Triplet,
};

/// Three tiles of rows, two of dimensions, and stripes of 128 rows.
const N: usize = 150;
const D: usize = 70;
const STRIPE: u64 = 128 * 8 * (N as u64).next_multiple_of(4);

fn options(operations_per_dispatch: u64) -> Options {
    Options::default()
        .with_operations_per_dispatch(operations_per_dispatch)
        .with_workspace_bytes(STRIPE)
}

fn sample() -> Sample {
    Sample::new(Recipe {
        n: N,
        m: N,
        d: D,
        layout: Layout::Balanced(4),
        values: Values::Ordinary,
        extreme_labels: false,
    })
}

/// Every loss in every mode, those over pairs each with a distance.
fn for_every_batch(sample: &Sample, mut work: impl FnMut(&Loss, &Batch)) {
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let (distance, normalize) = (Distance::ALL[kind % Distance::ALL.len()], kind % 3 == 0);
        let loss = &losses(distance, normalize, reach(distance, normalize, D, 1.0))[kind];
        sample.batches(loss).iter().for_each(|batch| work(loss, batch));
    }
    for loss in &pointwise(Reduction::Mean, 1.0) {
        sample.batches(loss).iter().for_each(|batch| work(loss, batch));
    }
}

/// On the best adapter, since the host splits.
#[test]
fn splitting_does_not_change_a_bit() {
    let sample = sample();
    let [whole, split] = [u64::MAX, 1].map(|bound| best_with(options(bound)));
    for_every_batch(&sample, |loss, batch| {
        let [one, other] = [&whole, &split]
            .map(|device| device.context.evaluate(loss, batch).wait().expect("nothing fails"));
        assert_eq!(bits(&one), bits(&other), "{loss:?} {:?}", batch.shape());
    });
    let batch = sample.batches(&Contrastive::default().into())[1];
    let [one, other] =
        [&whole, &split].map(|device| device.context.measure(&Retrieval::default(), &batch).wait());
    assert!(one.is_ok() && one == other, "{one:?} {other:?}");
}

/// The dispatches of each stage of a plan.
fn stages(
    context: &Context,
    loss: impl Into<Loss>,
    [n, d]: [usize; 2],
) -> [usize; Stage::ALL.len()] {
    let usage = wgpu::BufferUsages::STORAGE;
    let buffer = |size| {
        let descriptor =
            wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false };
        context.device().create_buffer(&descriptor)
    };
    let [embeddings, labels] = [n * d, n].map(|count| buffer(count as u64 * 4));
    let plan = context.plan(loss, Shape::batch(n, d)).expect("a plan");
    let binding = plan.bind(&Inputs::new(&embeddings, &labels)).expect("valid inputs");
    let sections = plan.sections(&binding).expect("its own binding");
    let of = |stage| {
        sections
            .iter()
            .filter(|section| section.stage() == stage)
            .map(|section| section.dispatches())
            .sum()
    };
    Stage::ALL.map(of)
}

/// The dispatches of a plan.
fn dispatches(context: &Context, loss: impl Into<Loss>, shape: [usize; 2]) -> usize {
    stages(context, loss, shape).iter().sum()
}

/// Prepare, distance, terms, totals and gradient; status and withdraw.
#[test]
fn a_small_batch_is_not_split() {
    for device in one_by_one() {
        for n in [1, 64, 1024] {
            assert_eq!(
                dispatches(&device.context, Contrastive::default(), [n, 128]),
                7,
                "{}: {n}",
                device.name
            );
        }
    }
}

#[test]
fn what_is_long_is_split() {
    let soft = Triplet { mining: Mining::All, soft: true, ..Triplet::default() };
    let _alone = contexts();
    for device in contexts_with(Options::default().with_workspace_bytes(1 << 30)) {
        // Twice 6 thousand million operations, and soft triplets of 34 thousand million.
        let contrastive = dispatches(&device.context, Contrastive::default(), [4096, 100]);
        assert_eq!(contrastive, 5 + 8 + 8, "{}", device.name);
        let soft = dispatches(&device.context, soft.clone(), [1024, 2]);
        assert!((48..80).contains(&soft), "{}: {soft}", device.name);
    }
}

/// Rows of which each costs barriers, however short it is.
#[test]
fn preparing_and_finishing_many_rows_is_split() {
    for device in one_by_one() {
        let [prepare, .., finish, _] =
            stages(&device.context, Contrastive::default(), [100_000, 2]);
        // Five parts of each, the totals, status and withdraw.
        assert_eq!([prepare, finish], [5, 8], "{}", device.name);
    }
}
