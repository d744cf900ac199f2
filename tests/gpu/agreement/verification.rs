//! The kernels of verification against the reference and the engine of the CPU, on every adapter.

use support::adapters::{Device, best_with, contexts_with, one_by_one};
use support::goldens::verification;
use support::ranking::batches;
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu::BufferUsages;
use wgpu_metric_learning::measures::{Verification, Verified};
use wgpu_metric_learning::profile::{ListedKernel, Stage};
use wgpu_metric_learning::{
    Batch, Count, Cpu, Distance, Error, Input, InputSet, Inputs, Options, Record, Shape, reference,
};

#[test]
fn every_golden_comes_out() {
    for case in verification::cases() {
        let batch = case.batch();
        let expected = reference::verify_with_bounds(&case.verification, &batch).unwrap();
        for device in one_by_one() {
            let Device { name, context } = &*device;
            let found = context.verify(&case.verification, &batch).wait();
            let found = found.unwrap_or_else(|error| panic!("{} {error}", case.name));
            let comparison = expected.compare(&found);
            assert!(comparison.agrees(), "{name} {}\n{comparison}", case.name);
        }
    }
}

/// N rows of D multiples of 1 / 8, of which many pairs are at the same distances, which no
/// arithmetic rounds, in `classes` classes.
fn rows<const N: usize, const D: usize>(classes: usize) -> (Vec<f32>, Vec<u32>) {
    let number = |at: usize| (at * 2_654_435_761 % 4_093 % 9) as f32 / 8.0;
    let label = |row: usize| (row * row % classes) as u32;
    ((0..N * D).map(number).collect(), (0..N).map(label).collect())
}

/// More thresholds than are looked for at once, in no order.
fn many_rates(distance: Distance) -> Verification {
    let tpr_at_fpr = vec![0.1, 1.0, 0.0, 0.5, 0.01, 0.001, 0.9, 0.1, 0.25, 0.75];
    Verification { distance, tpr_at_fpr, ..Default::default() }
}

/// Counts in whole numbers leave nothing to round: all but the square roots is the same to the bit.
#[track_caller]
fn same(found: &Verified, expected: &Verified, note: &str) {
    let thresholds = |of: &Verified| {
        let singles = [Some(of.eer_threshold), of.accuracy_threshold];
        singles.into_iter().chain(of.tpr_threshold.clone()).collect::<Vec<_>>()
    };
    let mut with_thresholds = expected.clone();
    with_thresholds.eer_threshold = found.eer_threshold;
    with_thresholds.accuracy_threshold = found.accuracy_threshold;
    with_thresholds.tpr_threshold.clone_from(&found.tpr_threshold);
    assert_eq!(*found, with_thresholds, "{note}");
    for (found, expected) in thresholds(found).into_iter().zip(thresholds(expected)) {
        let is_near = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() <= 1e-6 * expected.abs(),
            (found, expected) => found == expected,
        };
        assert!(is_near, "{note}: {found:?}, expected {expected:?}");
    }
}

const EXACT: [Distance; 4] =
    [Distance::Euclidean, Distance::SquaredEuclidean, Distance::Manhattan, Distance::InnerProduct];

#[test]
fn counts_are_those_of_the_engine_in_every_mode_and_workspace() {
    const N: usize = 150;
    let (embeddings, labels) = rows::<N, 3>(3);
    let batch = Batch::new(&embeddings, [N, 3], &labels).unwrap();
    let references = batch.with_references(&embeddings[..300], 100, &labels[..100]).unwrap();
    let pairs: Vec<_> =
        (0..N as u32).flat_map(|i| (i + 1..N as u32).map(move |j| [i, j])).collect();
    let is_same = |&[i, j]: &[u32; 2]| u32::from(labels[i as usize] == labels[j as usize]);
    let all_same: Vec<_> = pairs.iter().map(is_same).collect();
    let list = Batch::pair_indices(&embeddings, [N, 3], &pairs, &all_same).unwrap();
    // The second one cuts the matrix, and sorts the same pairs in several pieces.
    let [whole, cut] = [32 << 20, 40_000]
        .map(|bytes| contexts_with(Options::default().with_workspace_bytes(bytes)));
    for distance in EXACT {
        let verification = many_rates(distance);
        for (batch, note) in [(batch, "batch"), (references, "references"), (list, "list")] {
            let expected = Cpu::default().verify(&verification, &batch).wait().unwrap();
            assert!(expected.auc > 0.1 && expected.auc < 0.9, "{expected:?}");
            for Device { name, context } in whole.iter().chain(&cut) {
                let found = context.verify(&verification, &batch).wait().unwrap();
                let pieces = context.options().workspace_bytes;
                same(&found, &expected, &format!("{name}: {distance} of a {note} in {pieces}"));
            }
        }
    }
}

#[test]
fn every_distance_with_ordinary_and_hard_values_is_within_its_bounds() {
    let ordinary = Distance::ALL.map(|distance| (Values::Ordinary, distance));
    let hard = [
        (Values::Duplicates, Distance::Euclidean),
        (Values::ZeroRows, Distance::Cosine),
        (Values::Scaled(1e-25), Distance::Euclidean),
    ];
    let mut seen = 0;
    for (values, distance) in ordinary.into_iter().chain(hard) {
        let layout = Layout::Balanced(5);
        let sample =
            Sample::new(Recipe { n: 40, m: 33, d: 19, layout, values, extreme_labels: false });
        let verification =
            Verification { normalize: values == Values::Ordinary, ..many_rates(distance) };
        for batch in batches(&sample) {
            let expected = reference::verify_with_bounds(&verification, &batch).unwrap();
            seen += usize::from(expected.unsure() < 4);
            for device in one_by_one() {
                let Device { name, context } = &*device;
                let found = context.verify(&verification, &batch).wait().unwrap();
                let comparison = expected.compare(&found);
                assert!(comparison.agrees(), "{name} {distance} of {values:?}\n{comparison}");
            }
        }
    }
    assert!(seen > 9, "only {seen} comparisons see something");
}

/// Pieces of more keys than a few steps of the bisection tell apart, with many of them alike.
#[test]
fn many_pairs_that_are_the_same_find_their_places() {
    const N: usize = 1100;
    let (embeddings, labels) = rows::<N, 2>(4);
    let batch = Batch::new(&embeddings, [N, 2], &labels).unwrap();
    let verification = many_rates(Distance::SquaredEuclidean);
    let expected = Cpu::default().verify(&verification, &batch).wait().unwrap();
    assert!(expected.same_pairs > 1 << 17, "{}", expected.same_pairs);
    for device in one_by_one() {
        let found = device.context.verify(&verification, &batch).wait().unwrap();
        same(&found, &expected, &device.name);
    }
}

/// A context with buffers of the inputs of a batch, and a plan bound to them.
fn uploaded(device: &Device, batch: &Batch) -> InputSet<wgpu::Buffer> {
    batch
        .bytes()
        .try_map(|_, bytes| {
            let buffer = device.context.device().create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes.len() as u64,
                usage: BufferUsages::STORAGE | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            device.context.queue().write_buffer(&buffer, 0, bytes);
            Ok::<_, Error>(buffer)
        })
        .unwrap()
}

#[test]
fn a_plan_is_bound_once_and_recorded_often_with_other_numbers_of_rows() {
    const N: usize = 70;
    let (embeddings, labels) = rows::<N, 3>(4);
    let verification = many_rates(Distance::SquaredEuclidean);
    let batch = Batch::new(&embeddings, [N, 3], &labels).unwrap();
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let plan = context.plan_verification(&verification, *batch.shape(), u64::MAX).unwrap();
        assert_eq!(plan.same_pairs(), (N * (N - 1) / 2) as u64);
        let buffers = uploaded(&device, &batch);
        let count = context.device().create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: 4,
            usage: BufferUsages::STORAGE | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let inputs = Inputs::of(&buffers).with_count(Count::Rows, count.slice(..));
        let binding = plan.bind(&inputs).unwrap();
        let read = |record: bool| {
            let mut encoder = context.device().create_command_encoder(&Default::default());
            if record {
                plan.record(&mut encoder, &binding).unwrap();
            }
            let mut pending = plan.read_back(&mut encoder).unwrap();
            context.queue().submit([encoder.finish()]);
            pending.wait(context.options().timeout)
        };
        assert_eq!(read(false), Err(Error::NotComputed), "{name}");
        for rows in [N, 33, 64, N] {
            context.queue().write_buffer(&count, 0, &(rows as u32).to_ne_bytes());
            let shorter = Batch::new(&embeddings[..rows * 3], [rows, 3], &labels[..rows]).unwrap();
            let expected = Cpu::default().verify(&verification, &shorter).wait().unwrap();
            same(&read(true).unwrap(), &expected, &format!("{name}: {rows} rows"));
        }
        context.queue().write_buffer(&count, 0, &71_u32.to_ne_bytes());
        assert!(matches!(read(true), Err(Error::BeyondPlan { what: "rows", .. })), "{name}");
        context.queue().write_buffer(&count, 0, &(N as u32).to_ne_bytes());
        let raw = buffers.get(Input::Embeddings).unwrap();
        context.queue().write_buffer(raw, 4 * 7, &f32::NAN.to_ne_bytes());
        let fault = Error::NotFinite { what: "embeddings", row: 2, column: 1 };
        assert_eq!(read(true), Err(fault), "{name}");
        context.queue().write_buffer(raw, 4 * 7, &embeddings[7].to_ne_bytes());
        let expected = Cpu::default().verify(&verification, &batch).wait().unwrap();
        same(&read(true).unwrap(), &expected, &format!("{name}: a fault stays with its recording"));
    }
}

/// How often a recording goes over the distances, where no stripe holds them all: four times, and once
/// more for every piece of the same pairs beyond the third. On the best adapter: the host cuts.
#[test]
fn a_plan_sweeps_as_often_as_is_said() {
    const N: usize = 200;
    let (embeddings, labels) = rows::<N, 3>(4);
    let batch = Batch::new(&embeddings, [N, 3], &labels).unwrap();
    // Some 37 rows of the matrix; of the same pairs no fewer than this are sorted at once.
    let device = best_with(Options::default().with_workspace_bytes(30_000));
    const PIECE: u64 = 1024;
    let sweeps = |same_pairs: u64| {
        let context = &device.context;
        let shape = *batch.shape();
        let plan = context.plan_verification(&Verification::default(), shape, same_pairs).unwrap();
        let binding = plan.bind(&Inputs::of(&uploaded(&device, &batch))).unwrap();
        let kernels: Vec<_> = plan.listing(&binding).unwrap().kernels().collect();
        let dispatches = |is_one: &dyn Fn(&ListedKernel) -> bool| {
            let of = kernels.iter().filter(|one| is_one(one));
            of.map(|kernel| kernel.workgroups.len()).sum::<usize>()
        };
        let stripes = dispatches(&|one| one.kernel == "verification/numbers");
        let distances = dispatches(&|one| one.stage == Stage::Distance);
        assert!(stripes > 3 && distances % stripes == 0, "{distances} on {stripes} stripes");
        distances / stripes
    };
    let found = [1, 3 * PIECE, 3 * PIECE + 1, 4 * PIECE + 1, 6 * PIECE].map(sweeps);
    assert_eq!(found, [4, 4, 5, 6, 7]);
}

/// The room that a pair takes which is the same.
#[test]
fn a_plan_takes_as_much_memory_as_is_said() {
    let device = best_with(Options::default());
    let bytes = |same_pairs| {
        let shape = Shape::batch(200, 3);
        let plan = device.context.plan_verification(&Verification::default(), shape, same_pairs);
        plan.unwrap().memory_bytes() as f64
    };
    let of_pair = (bytes(15_000) - bytes(5_000)) / 10_000.0;
    assert!((33.0..=34.0).contains(&of_pair), "{of_pair} bytes a pair");
}

#[test]
fn what_cannot_be_verified_is_named() {
    let device = best_with(Options::default());
    let context = &device.context;
    let embeddings = [0.0, 1.0, 2.0];
    let usual = Verification::default;
    let refused = |verification: &Verification, batch: &Batch| {
        let error = context.verify(verification, batch).wait().unwrap_err();
        assert_eq!(error, Cpu::default().verify(verification, batch).wait().unwrap_err());
        assert_eq!(error, reference::verify(verification, batch).unwrap_err());
        error
    };
    let of = |labels| Batch::new(&embeddings, [3, 1], labels).unwrap();
    let same = refused(&usual(), &of(&[1, 2, 3]));
    assert!(matches!(same, Error::Missing { what: "a pair that is the same", .. }), "{same}");
    let different = refused(&usual(), &of(&[1, 1, 1]));
    assert!(different.to_string().starts_with("a pair that is different is missing"));
    refused(&Verification { tpr_at_fpr: vec![1.5], ..usual() }, &of(&[1, 1, 2]));
    refused(&usual(), &Batch::scores(&embeddings, [1, 3], &[0]).unwrap());
    let far = [0.0, 1.0, 3e38];
    let squares = Verification { distance: Distance::SquaredEuclidean, ..usual() };
    let far = refused(&squares, &Batch::new(&far, [3, 1], &[1, 1, 2]).unwrap());
    assert!(matches!(far, Error::Overflow { .. }), "{far}");

    let batch = of(&[1, 1, 1]);
    let plan = context.plan_verification(&usual(), *batch.shape(), 2).unwrap();
    let buffers = uploaded(&device, &batch);
    let binding = plan.bind(&Inputs::of(&buffers)).unwrap();
    let mut encoder = context.device().create_command_encoder(&Default::default());
    plan.record(&mut encoder, &binding).unwrap();
    let mut pending = plan.read_back(&mut encoder).unwrap();
    context.queue().submit([encoder.finish()]);
    let beyond = Error::BeyondPlan { what: "pairs that are the same", count: 3, limit: 2 };
    assert_eq!(pending.wait(context.options().timeout), Err(beyond));

    let huge = Shape::reference(1 << 20, 1 << 20, 1);
    let refused = context.plan_verification(&usual(), huge, u64::MAX);
    let refused = refused.unwrap_err();
    assert!(matches!(refused, Error::TooLong { .. } | Error::DeviceLimit { .. }), "{refused}");
}
