//! The kernels of the retrieval measures against the reference, on every adapter.

use support::adapters::{Device, contexts, contexts_with, one_by_one};
use support::goldens;
use support::ranking::{
    assert_near, batches, by_distance_and_column, by_distance_and_last_column, counted,
    every_measure, farthest_first, numbers,
};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::measures::Retrieval;
use wgpu_metric_learning::{
    Batch, Cpu, Distance, Error, Inputs, Margin, Mode, Options, Record, Shape, reference,
};

/// N and D: edges of the tiles of 64 and of the workgroups of 256, and few rows.
const SIZES: [[usize; 2]; 11] = [
    [1, 1],
    [2, 3],
    [3, 1],
    [16, 5],
    [63, 64],
    [64, 4],
    [65, 67],
    [129, 3],
    [255, 2],
    [256, 9],
    [257, 6],
];

/// M for each of them in turn.
const REFERENCES: [usize; 6] = [1, 64, 3, 257, 130, 17];

fn recipe(layout: Layout, values: Values) -> Recipe {
    Recipe { n: 40, m: 33, d: 19, layout, values, extreme_labels: false }
}

/// Holds what every device finds against the reference. Whether its bounds are wider than the
/// rounding of a mean.
#[track_caller]
fn hold(retrieval: &Retrieval, batch: &Batch, note: &str) -> bool {
    let expected = reference::measure_with_bounds(retrieval, batch).expect("a valid batch");
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let actual = context
            .measure(retrieval, batch)
            .wait()
            .unwrap_or_else(|error| panic!("{name} {note}: {error}"));
        let comparison = expected.compare(&actual);
        assert!(
            comparison.agrees(),
            "{name} {note} {:?} {retrieval:?}\n{comparison}",
            batch.shape()
        );
    }
    let bounds = &expected.bounds;
    bounds.r_precision.max(bounds.mean_average_precision_at_r) > 1e-5
}

#[test]
fn sizes_around_every_edge_in_every_layout() {
    let (mut cases, mut doubtful) = (0, 0);
    for (turn, [n, d]) in SIZES.into_iter().enumerate() {
        for (kind, layout) in Layout::ALL.into_iter().enumerate() {
            let m = REFERENCES[(turn + kind) % REFERENCES.len()];
            let extreme_labels = kind % 2 == 0;
            let sample =
                Sample::new(Recipe { n, m, d, layout, values: Values::Ordinary, extreme_labels });
            let retrieval = Retrieval {
                distance: Distance::ALL[(turn + kind) % Distance::ALL.len()],
                normalize: turn % 2 == 0,
                recall_at: vec![1, 2, 5, 64, n, n + m],
                precision_at: vec![3, n, n + m],
                ndcg_at: vec![1, 7, n + m],
            };
            for batch in batches(&sample) {
                doubtful += usize::from(hold(&retrieval, &batch, "size"));
                cases += 1;
            }
        }
    }
    // In one dimension unit rows are all 1 or -1, and all tie.
    assert!(doubtful * 4 < cases, "{doubtful} of {cases} comparisons see little");
}

#[test]
fn every_distance_with_hard_values() {
    let hard = [
        Values::Duplicates,
        Values::Near(1e-4),
        Values::NearFar(1e-3),
        Values::ZeroRows,
        Values::Scaled(1e-25),
    ];
    for values in hard {
        for distance in Distance::ALL {
            for normalize in [false, true] {
                let sample = Sample::new(recipe(Layout::Balanced(5), values));
                let retrieval = Retrieval { distance, normalize, ..every_measure() };
                for batch in batches(&sample) {
                    hold(&retrieval, &batch, "hard");
                }
            }
        }
    }
}

#[test]
fn every_golden_agrees() {
    for case in goldens::measures::cases() {
        hold(&case.retrieval, &case.batch(), &case.name);
    }
}

/// Small whole numbers: every distance is exact in f32, most of them tie, and the order is known to
/// the last column.
#[test]
fn ties_go_to_the_lowest_column() {
    const SHAPE: [usize; 2] = [70, 2];
    let embeddings: Vec<f32> =
        (0..SHAPE[0] * 2).map(|at| ((at * at + 3 * at) % 5) as f32).collect();
    let references: Vec<f32> = (0..41 * 2).map(|at| ((at * at + at) % 4) as f32).collect();
    let labels: Vec<u32> = (0..70).map(|row| row * row % 6).collect();
    let of_references: Vec<u32> = (0..41).map(|row| row * 5 % 7).collect();
    let batch = Batch::new(&embeddings, SHAPE, &labels).unwrap();
    let against = batch.with_references(&references, 41, &of_references).unwrap();
    for (batch, distance) in [
        (batch, Distance::SquaredEuclidean),
        (batch, Distance::Manhattan),
        (batch, Distance::InnerProduct),
        (against, Distance::SquaredEuclidean),
        (against, Distance::Manhattan),
        (against, Distance::InnerProduct),
    ] {
        let retrieval = Retrieval { distance, recall_at: vec![1, 3, 10], ..every_measure() };
        let expected = counted(&retrieval, &batch, by_distance_and_column);
        // What no other order of the tied columns would give.
        for other in [by_distance_and_last_column, farthest_first] {
            assert_ne!(
                numbers(&expected),
                numbers(&counted(&retrieval, &batch, other)),
                "{distance:?}"
            );
        }
        assert_near(
            &reference::measure(&retrieval, &batch).unwrap(),
            &expected,
            1e-12,
            "the reference",
        );
        for device in one_by_one() {
            let Device { name, context } = &*device;
            assert_near(
                &context.measure(&retrieval, &batch).wait().unwrap().map(f64::from),
                &expected,
                1e-6,
                name,
            );
        }
    }
}

#[test]
fn lone_labels_are_not_counted_and_without_any_other_all_is_zero() {
    let devices = contexts();
    let embeddings = [0.0, 1.0, 3.0, 7.0];
    for (labels, counted) in [([1, 2, 3, 4], 0), ([1, 2, 3, 1], 2), ([5, 5, 5, 5], 4)] {
        let batch = Batch::new(&embeddings, [4, 1], &labels).unwrap();
        hold(&every_measure(), &batch, "lone labels");
        for Device { context, .. } in devices.iter() {
            let measures = context.measure(&Retrieval::default(), &batch).wait().unwrap();
            assert_eq!([measures.queries, measures.counted], [4, counted]);
            let numbers = numbers(&measures.map(f64::from));
            if counted == 0 {
                assert!(numbers.iter().all(|&number| number == 0.0), "{numbers:?}");
            } else if counted == 4 {
                assert!(numbers.iter().all(|&number| number == 1.0), "{numbers:?}");
            }
        }
    }
}

/// The kernels take the positives of a row in chunks of 1,024, 8 of them a dispatch.
#[test]
fn classes_as_large_as_a_chunk_or_a_portion_and_one_more_or_less() {
    for positives in [1023, 1024, 1025, 2049, 8 * 1024, 8 * 1024 + 1, 10_000] {
        let m = positives + 700;
        let sample =
            Sample::new(Recipe { n: 3, m, d: 2, ..recipe(Layout::Distinct, Values::Ordinary) });
        let labels: Vec<u32> =
            (0..m).map(|column| u32::from(column * 7 % m >= positives)).collect();
        let batch = Batch::new(sample.embeddings(), [3, 2], &[0, 1, 2])
            .and_then(|batch| batch.with_references(sample.references(), m, &labels))
            .unwrap();
        for distance in [Distance::Euclidean, Distance::InnerProduct] {
            hold(&Retrieval { distance, ..every_measure() }, &batch, "chunks");
        }
    }
}

#[test]
fn a_batch_of_few_classes_larger_than_a_chunk() {
    const N: usize = 2200;
    let sample =
        Sample::new(Recipe { n: N, m: 1, d: 3, ..recipe(Layout::Balanced(2), Values::Ordinary) });
    hold(&every_measure(), &batches(&sample)[0], "two classes");
}

/// Longer than 65,535: llvmpipe stops an invocation's loops there, silently.
#[test]
fn rows_longer_than_any_counter_of_16_bits() {
    const M: usize = 70_001;
    let sample =
        Sample::new(Recipe { n: 2, m: M, d: 2, ..recipe(Layout::Distinct, Values::Ordinary) });
    for negatives in [M - 900, 1500] {
        let labels: Vec<u32> =
            (0..M).map(|column| u32::from(column * 31 % M < negatives)).collect();
        let batch = Batch::new(sample.embeddings(), [2, 2], &[0, 1])
            .and_then(|batch| batch.with_references(sample.references(), M, &labels))
            .unwrap();
        let cutoffs = vec![1, 100, 65_536, M];
        let retrieval = Retrieval {
            recall_at: cutoffs.clone(),
            precision_at: cutoffs.clone(),
            ndcg_at: cutoffs,
            ..Default::default()
        };
        hold(&retrieval, &batch, "long rows");
    }
}

#[test]
fn the_same_bits_in_every_run_and_for_every_workspace() {
    let sample = Sample::new(Recipe {
        n: 100,
        m: 90,
        d: 7,
        ..recipe(Layout::Balanced(9), Values::Ordinary)
    });
    let whole = contexts();
    for rows in [1, 16, 50] {
        let cut = contexts_with(Options::default().with_workspace_bytes(rows * 8 * 100));
        for batch in batches(&sample) {
            for (whole, cut) in whole.iter().zip(&cut) {
                let measure = |device: &Device| {
                    device.context.measure(&every_measure(), &batch).wait().unwrap()
                };
                let results = [measure(whole), measure(whole), measure(cut)];
                let bits = results.map(|found| {
                    numbers(&found.map(f64::from)).into_iter().map(f64::to_bits).collect::<Vec<_>>()
                });
                assert!(bits.iter().all(|one| *one == bits[0]), "{}: {rows} rows", cut.name);
            }
        }
    }
}

/// Those of all queries are the measures, and those of each class are what the engine of the CPU
/// finds, of distances that no arithmetic rounds.
#[test]
fn the_measures_of_every_query_are_those_of_the_engine() {
    let embeddings: Vec<f32> = (0..90 * 2).map(|at| ((at * at + 3 * at) % 23) as f32).collect();
    let labels: Vec<u32> = (0..90).map(|row| if row == 7 { 9 } else { row * row % 5 }).collect();
    let batch = Batch::new(&embeddings, [90, 2], &labels).unwrap();
    let distance = Distance::SquaredEuclidean;
    let retrieval = Retrieval { distance, ..every_measure() };
    let expected = Cpu::default().measure_queries(&retrieval, &batch).wait().unwrap();
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let found = context.measure_queries(&retrieval, &batch).wait().unwrap();
        let measured = context.measure(&retrieval, &batch).wait().unwrap();
        assert_near(&found.measures().map(f64::from), &measured.map(f64::from), 1e-6, name);
        let (classes, found) = (expected.classes(), found.classes());
        assert!(classes.keys().eq(found.keys()), "{name}");
        for (expected, found) in classes.values().zip(found.values()) {
            assert_eq!(expected.counted, found.counted, "{name}");
            let [expected, found] = [expected, found].map(|of| of.clone().map(f64::from));
            assert_near(&found, &expected, 1e-6, name);
        }
    }
}

#[test]
fn a_plan_is_bound_once_and_recorded_often() {
    let sample = Sample::new(recipe(Layout::Balanced(4), Values::Ordinary));
    let other = Sample::new(recipe(Layout::Balanced(4), Values::Duplicates));
    let (batch, other) = (batches(&sample)[0], batches(&other)[0]);
    let retrieval = Retrieval { recall_at: vec![], ..Default::default() };
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let (device, queue) = (context.device(), context.queue());
        let plan = context.plan_measures(&retrieval, *batch.shape()).unwrap();
        let buffer = |size: usize| {
            let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST;
            let size = 4 * size as u64;
            device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            })
        };
        let [embeddings, labels] = [batch.embeddings().len(), batch.labels().len()].map(buffer);
        let binding = plan.bind(&Inputs::new(&embeddings, &labels)).unwrap();
        let read = |record: bool| {
            let mut encoder = device.create_command_encoder(&Default::default());
            if record {
                plan.record(&mut encoder, &binding).unwrap();
            }
            let mut pending = plan.read_back(&mut encoder).unwrap();
            queue.submit([encoder.finish()]);
            pending.wait(context.options().timeout)
        };
        assert_eq!(read(false), Err(Error::NotComputed), "{name}");
        for batch in [batch, other, batch] {
            let bytes = |numbers: &[f32]| {
                numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<_>>()
            };
            queue.write_buffer(&embeddings, 0, &bytes(batch.embeddings()));
            let words = batch.labels().iter().flat_map(|label| label.to_ne_bytes());
            queue.write_buffer(&labels, 0, &words.collect::<Vec<_>>());
            let expected = reference::measure_with_bounds(&retrieval, &batch).unwrap();
            let comparison = expected.compare(&read(true).unwrap());
            assert!(comparison.agrees(), "{name}\n{comparison}");
        }
        queue.write_buffer(&embeddings, 4 * (2 * 19 + 3), &f32::NAN.to_ne_bytes());
        assert_eq!(
            read(true),
            Err(Error::NotFinite { what: "embeddings", row: 2, column: 3 }),
            "{name}"
        );
        queue.write_buffer(&embeddings, 4 * (2 * 19 + 3), &0.5f32.to_ne_bytes());
        assert!(read(true).is_ok(), "{name}: a fault stays with its recording");
        let another = context.plan_measures(&retrieval, *batch.shape()).unwrap();
        let refused =
            another.record(&mut device.create_command_encoder(&Default::default()), &binding);
        assert!(matches!(refused, Err(Error::Buffer { what: "binding", .. })), "{refused:?}");
    }
}

#[test]
fn what_cannot_be_measured_is_an_error() {
    let embeddings = [0.0, 1.0, 2.0, 3.0];
    let batch = Batch::new(&embeddings, [2, 2], &[0, 1]).unwrap();
    let everywhere = |retrieval: &Retrieval, batch: &Batch| {
        let expected = reference::measure(retrieval, batch).unwrap_err();
        for device in one_by_one() {
            let Device { context, .. } = &*device;
            assert_eq!(context.measure(retrieval, batch).wait().unwrap_err(), expected);
            assert_eq!(context.plan_measures(retrieval, *batch.shape()).unwrap_err(), expected);
        }
        expected.to_string()
    };
    let of_zero = Retrieval { recall_at: vec![1, 0], ..Default::default() };
    assert_eq!(everywhere(&of_zero, &batch), "Retrieval: recall_at is 0, allowed is 1 or more");
    let of_none = Retrieval { ndcg_at: vec![0], ..Default::default() };
    assert_eq!(everywhere(&of_none, &batch), "Retrieval: ndcg_at is 0, allowed is 1 or more");
    let many = Retrieval { precision_at: vec![1; 60], ndcg_at: vec![1; 5], ..Default::default() };
    assert_eq!(
        everywhere(&many, &batch),
        "Retrieval: precision_at is with ndcg_at 65 numbers, allowed is at most 64 in both"
    );
    let usual = Retrieval::default();
    let scores = Batch::scores(&embeddings, [2, 2], &[0, 1]).unwrap();
    assert!(everywhere(&usual, &scores).contains("scores mode"));
    let prototypes = batch.with_prototypes(&embeddings, 2).unwrap();
    assert_eq!(prototypes.shape().mode(), Mode::Prototypes);
    assert!(everywhere(&usual, &prototypes).contains("prototypes mode"));
    assert!(
        everywhere(&usual, &batch.with_beta(&[Margin::DEFAULT_BETA]).unwrap()).contains("beta")
    );

    let huge = [1e30, 0.0, 0.0, 1e30];
    let batch = Batch::new(&huge, [2, 2], &[0, 0]).unwrap();
    let squares = Retrieval { distance: Distance::SquaredEuclidean, ..Default::default() };
    for device in one_by_one() {
        let Device { context, .. } = &*device;
        assert_eq!(
            context.measure(&squares, &batch).wait(),
            Err(Error::Overflow { what: "a distance" })
        );
        assert!(context.measure(&usual, &batch).wait().is_ok());
        let none = context.plan_measures(&usual, Shape::batch(0, 2)).unwrap_err();
        assert!(matches!(none, Error::Empty { .. }), "{none}");
    }
}
