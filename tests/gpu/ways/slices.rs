//! Slices of a gradient's summands, which plans for GPUs have where tiles are too few: within the
//! bounds, and the same to the bit in every tile, stripe and dispatch. On software adapters too, by
//! plans that are made as for a GPU.

use support::adapters::{Device, best_with, contexts, contexts_with};
use support::agreement::Tally;
use support::bits::bits;
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu::DeviceType;
use wgpu_metric_learning::tuning::{Tile, Tiles};
use wgpu_metric_learning::{
    Arithmetic, Batch, Contrastive, Loss, Mining, Mode, NtXent, Options, Reduction, Shape, Triplet,
};

/// Several slices of a stripe, and in one stripe several tiles as well. No multiple of anything.
const N: usize = 531;
const M: usize = 523;
const D: usize = 70;

fn sliced() -> Options {
    Options::default().with_planned_for(DeviceType::DiscreteGpu)
}

/// A workspace for so many rows of distances and coefficients.
fn cut(rows: u64) -> Options {
    sliced().with_workspace_bytes(8 * rows * N.next_multiple_of(4) as u64)
}

fn sample(values: Values) -> Sample {
    let layout = Layout::Balanced(40);
    Sample::new(Recipe { n: N, m: M, d: D, layout, values, extreme_labels: false })
}

/// A loss of every summation: with coefficients that are symmetric, with weights of positives and
/// negatives, with others, and of both ends of a pair, on unit rows.
fn losses() -> [Loss; 4] {
    let reduction = Reduction::MeanNonZero;
    [
        Contrastive { negative_margin: 2.0, ..Contrastive::default() }.into(),
        Contrastive { reduction, negative_margin: 2.0, ..Contrastive::default() }.into(),
        Triplet { mining: Mining::All, ..Triplet::default() }.into(),
        NtXent::default().into(),
    ]
}

/// Whether a plan adds up slices.
fn has_slices(device: &Device, loss: &Loss, shape: Shape) -> bool {
    let plan = device.context.plan(loss.clone(), shape).expect("a plan");
    plan.to_string().contains("slices")
}

/// In one stripe and in several, of which the last is short, in every mode.
#[test]
fn slices_agree() {
    let sample = sample(Values::Duplicates);
    for options in [sliced(), cut(96)] {
        let device = best_with(options.clone());
        let mut tally = Tally::on(vec![best_with(options)]);
        let mut modes = Vec::new();
        for loss in losses() {
            let batches = sample.batches(&loss);
            for batch in batches.iter().filter(|one| has_slices(&device, &loss, *one.shape())) {
                tally.hold(&loss, batch, "slices");
                modes.push(batch.shape().mode());
            }
        }
        assert!([Mode::Batch, Mode::Reference].iter().all(|mode| modes.contains(mode)));
        tally.conclude(0.05);
    }
}

#[test]
fn slices_agree_on_every_adapter() {
    let _alone = contexts();
    let mut tally = Tally::on(contexts_with(sliced()));
    let [loss, ..] = losses();
    tally.hold(&loss, &sample(Values::Ordinary).batches(&loss)[0], "slices");
    tally.conclude(0.0);
}

fn evaluate(device: &Device, loss: &Loss, batch: &Batch) -> impl PartialEq + use<> {
    bits(&device.context.evaluate(loss, batch).wait().expect("nothing fails"))
}

/// Whatever the tiles, the dispatches and, but for losses of both ends of a pair, the stripes.
#[test]
fn bits_are_those_of_the_shape() {
    let sample = sample(Values::Ordinary);
    let with = |options: Options, tile| best_with(options.with_tiles(Tiles::both(tile)));
    let split = |options: Options| options.with_operations_per_dispatch(1 << 20);
    let whole = [with(sliced(), Tile::Large), with(split(sliced()), Tile::Small)];
    let stripes = [with(cut(300), Tile::Wide), with(split(cut(96)), Tile::Small)];
    let [symmetric, _, other, both_ends] = losses();
    for (loss, devices) in
        [(&symmetric, &whole), (&other, &whole), (&other, &stripes), (&both_ends, &whole)]
    {
        let batch = &sample.batches(loss)[0];
        assert!(devices.iter().all(|device| has_slices(device, loss, *batch.shape())));
        let [one, other] = devices.each_ref().map(|device| evaluate(device, loss, batch));
        assert!(one == other, "{loss:?}");
    }
}

/// Where distances are expanded, or other losses read them, they are no room for slices; a software
/// adapter has no need of them, nor has a short sum.
#[test]
fn others_have_no_slices() {
    let shape = Shape::batch(N, D);
    let loss = &Loss::from(Contrastive::default());
    for (options, expected) in [
        (sliced(), true),
        (sliced().with_planned_for(DeviceType::IntegratedGpu), true),
        (sliced().with_planned_for(DeviceType::Cpu), false),
        (sliced().with_arithmetic(Arithmetic::Expanded), false),
    ] {
        let device = best_with(options.clone());
        assert_eq!(has_slices(&device, loss, shape), expected, "{options:?}");
        assert!(!has_slices(&device, loss, Shape::batch(200, D)), "{options:?}");
    }
}
