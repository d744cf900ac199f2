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
    Arithmetic, Batch, Clip, Contrastive, Distance, LiftedStructured, Loss, Mining, Mode,
    MultiMargin, NtXent, Options, ProxyAnchor, Reduction, Shape, SupCon, Triplet, Weighted,
    reference,
};

/// Several slices of a stripe, and in one stripe several tiles as well. No multiple of anything.
const N: usize = 611;
const M: usize = 603;
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

/// Losses of every summation: coefficients that are symmetric or not, with weights of positives and
/// negatives or without, on rows as they are and on unit rows, of both ends of a pair.
fn losses() -> Vec<Loss> {
    let distance = Distance::Euclidean;
    let reduction = Reduction::MeanNonZero;
    vec![
        Contrastive { negative_margin: 2.0, ..Contrastive::default() }.into(),
        Contrastive { reduction, negative_margin: 2.0, ..Contrastive::default() }.into(),
        Triplet { mining: Mining::All, ..Triplet::default() }.into(),
        LiftedStructured { distance: Distance::Manhattan, ..LiftedStructured::default() }.into(),
        NtXent::default().into(),
        NtXent { distance, ..NtXent::default() }.into(),
        SupCon { distance: Distance::InnerProduct, ..SupCon::default() }.into(),
        MultiMargin { distance, ..MultiMargin::default() }.into(),
        ProxyAnchor::default().into(),
        Clip::default().into(),
    ]
}

/// Whether a plan adds up slices.
fn has_slices(device: &Device, loss: &Loss, shape: Shape) -> bool {
    let plan = device.context.plan(loss.clone(), shape).expect("a plan");
    plan.to_string().contains("slices")
}

/// In one stripe and in several, of which the last is short.
#[test]
fn slices_agree() {
    let samples = [Values::Ordinary, Values::Duplicates].map(sample);
    for (options, sample) in [sliced(), cut(96)].into_iter().zip(&samples) {
        let device = best_with(options.clone());
        let mut tally = Tally::on(vec![best_with(options)]);
        let mut modes = Vec::new();
        for loss in losses() {
            for batch in sample.batches(&loss) {
                if has_slices(&device, &loss, *batch.shape()) {
                    tally.hold(&loss, &batch, "slices");
                    modes.push(batch.shape().mode());
                }
            }
        }
        assert!([Mode::Batch, Mode::Reference].iter().all(|mode| modes.contains(mode)));
        assert!(modes.len() >= 8, "{modes:?}");
        tally.conclude(0.05);
    }
}

#[test]
fn slices_agree_on_every_adapter() {
    let _alone = contexts();
    let sample = sample(Values::Ordinary);
    for options in [sliced(), cut(128)] {
        let mut tally = Tally::on(contexts_with(options));
        for loss in [
            Contrastive { negative_margin: 2.0, ..Contrastive::default() }.into(),
            Triplet { mining: Mining::All, ..Triplet::default() }.into(),
            NtXent::default().into(),
        ] {
            tally.hold(&loss, &sample.batches(&loss)[0], "slices");
        }
        tally.conclude(0.0);
    }
}

fn evaluate(device: &Device, loss: &Loss, batch: &Batch) -> impl PartialEq + use<> {
    bits(&device.context.evaluate(loss, batch).wait().expect("nothing fails"))
}

/// Whatever the tiles, the dispatches and, but for losses of both ends of a pair, the stripes.
#[test]
fn bits_are_those_of_the_shape() {
    let sample = sample(Values::Ordinary);
    let of_tile = |options: Options| {
        Tile::ALL.map(|tile| best_with(options.clone().with_tiles(Tiles::both(tile))))
    };
    let split = |options: Options| best_with(options.with_operations_per_dispatch(1 << 20));
    let ways = [sliced(), cut(96)].map(|options| {
        let all = of_tile(options.clone()).into_iter().chain([split(options)]);
        all.collect::<Vec<_>>()
    });
    let [one, other] = [cut(16), cut(300)].map(best_with);
    for loss in losses() {
        let has_both_ends = matches!(loss, Loss::NtXent(_) | Loss::SupCon(_));
        for batch in sample.batches(&loss) {
            for devices in &ways {
                let first = evaluate(&devices[0], &loss, &batch);
                let is_same = |device| evaluate(device, &loss, &batch) == first;
                assert!(devices.iter().all(is_same), "{loss:?} {:?}", batch.shape());
            }
            if !has_both_ends {
                let [one, other] = [&one, &other].map(|device| evaluate(device, &loss, &batch));
                assert!(one == other, "{loss:?} {:?} in stripes", batch.shape());
            }
        }
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

/// Losses that share their distances, and one that has them alone.
#[test]
fn objectives_agree() {
    let sample = sample(Values::Ordinary);
    let batch = sample.batches(&Contrastive::default().into())[0];
    let objective = [
        Weighted::new(1.0, Contrastive { negative_margin: 2.0, ..Default::default() }, batch),
        Weighted::new(0.5, Triplet { mining: Mining::All, ..Triplet::default() }, batch),
        Weighted::new(2.0, NtXent::default(), batch),
    ];
    let expected = reference::evaluate_objective_with_bounds(&objective).expect("a result");
    for options in [sliced(), cut(96)] {
        let device = best_with(options);
        let actual = device.context.evaluate_objective(&objective).wait().expect("a result");
        let comparison = expected.compare(&actual);
        assert!(comparison.agrees(), "{}\n{comparison}", device.name);
    }
}
