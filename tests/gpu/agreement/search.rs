//! The kernels of searching against the engine of the CPU, on every adapter.

use support::adapters::{Device, best_with, contexts_with, one_by_one};
use wgpu::BufferUsages;
use wgpu_metric_learning::search::{Neighbours, Search};
use wgpu_metric_learning::{Context, Count, Cpu, Distance, Error, Input, Inputs, Options, Record};

/// Rows of multiples of 1 / 8, whose sums no arithmetic rounds: many are at the same distance.
fn rows<const D: usize>(count: usize, salt: usize) -> Vec<f32> {
    let number = |at: usize| ((at + salt) * 7_919 % 10_007 % 7) as f32 / 8.0 - 0.375;
    (0..count * D).map(number).collect()
}

/// Square roots and divisions are rounded one way or another: which rows are found is not.
#[track_caller]
fn same(found: &Neighbours, expected: &Neighbours, note: &str) {
    assert_eq!(found.indices, expected.indices, "{note}");
    for (found, expected) in found.distances.iter().zip(&expected.distances) {
        assert!((found - expected).abs() <= 1e-6, "{note}: {found}, expected {expected}");
    }
    assert_eq!(found.distances.len(), expected.distances.len(), "{note}");
}

#[test]
fn the_nearest_rows_are_those_of_the_engine() {
    const D: usize = 5;
    let (queries, references) = (rows::<D>(23, 0), rows::<D>(61, 3));
    let exact = [
        Distance::Euclidean,
        Distance::SquaredEuclidean,
        Distance::Manhattan,
        Distance::InnerProduct,
    ];
    for distance in exact {
        for (k, reference_offset) in [(1, None), (7, Some(4)), (60, Some(0)), (61, None)] {
            let search = Search { k, distance, reference_offset, ..Default::default() };
            let expected = Cpu::default().search(&search, D, &queries, &references).wait().unwrap();
            for device in one_by_one() {
                let Device { name, context } = &*device;
                let found = context.search(&search, D, &queries, &references).wait().unwrap();
                same(&found, &expected, &format!("{name}: {search:?}"));
            }
        }
    }
}

/// Of numbers that are alike the columns decide, in several dispatches for a row and in stripes.
#[test]
fn more_neighbours_than_are_sorted_at_once_are_found_by_their_columns() {
    let (queries, references) = (rows::<1>(40, 0), rows::<1>(2_500, 3));
    let cut = contexts_with(Options::default().with_workspace_bytes(16 * 4 * 2_500));
    for k in [1_024, 1_025, 2_400] {
        let search = Search { k, distance: Distance::Manhattan, ..Default::default() };
        let expected = Cpu::default().search(&search, 1, &queries, &references).wait().unwrap();
        let find = |context: &Context| context.search(&search, 1, &queries, &references).wait();
        for Device { name, context } in &cut {
            same(&find(context).unwrap(), &expected, &format!("{name}: {k}"));
        }
    }
}

#[test]
fn a_plan_leaves_its_neighbours_on_the_device() {
    const D: usize = 3;
    let (queries, references) = (rows::<D>(40, 0), rows::<D>(70, 3));
    let search = Search { k: 5, ..Default::default() };
    for device in one_by_one() {
        let Device { name, context } = &*device;
        let buffer = |bytes: &[u8]| {
            let buffer = context.device().create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size: bytes.len() as u64,
                usage: BufferUsages::STORAGE | BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            context.queue().write_buffer(&buffer, 0, bytes);
            buffer
        };
        let bytes = |numbers: &[f32]| {
            numbers.iter().flat_map(|number| number.to_ne_bytes()).collect::<Vec<_>>()
        };
        let [embeddings, others] = [&queries, &references].map(|rows| buffer(&bytes(rows)));
        let counts = [40_u32, 70].map(|count| buffer(&count.to_ne_bytes()));
        let plan = context.plan_search(&search, [40, 70, D]).unwrap();
        assert_eq!(plan.indices().size() + plan.distances().size(), 2 * 40 * 5 * 4);
        let inputs = Inputs::unlabelled(&embeddings)
            .with(Input::References, others.slice(..))
            .with_count(Count::Rows, counts[0].slice(..))
            .with_count(Count::ReferenceRows, counts[1].slice(..));
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
        for [n, m] in [[40, 70], [33, 5], [40, 70]] {
            for (buffer, count) in counts.iter().zip([n, m]) {
                context.queue().write_buffer(buffer, 0, &(count as u32).to_ne_bytes());
            }
            let (queries, references) = (&queries[..n * D], &references[..m * D]);
            let expected = Cpu::default().search(&search, D, queries, references).wait().unwrap();
            same(&read(true).unwrap(), &expected, &format!("{name}: {n} in {m}"));
        }
        context.queue().write_buffer(&counts[1], 0, &4_u32.to_ne_bytes());
        assert!(matches!(read(true), Err(Error::Parameter { parameter: "k", .. })), "{name}");
        context.queue().write_buffer(&counts[1], 0, &70_u32.to_ne_bytes());
        context.queue().write_buffer(&others, 4 * 7, &f32::NAN.to_ne_bytes());
        let fault = Error::NotFinite { what: "references", row: 2, column: 1 };
        assert_eq!(read(true), Err(fault), "{name}");
    }
}

#[test]
fn what_cannot_be_searched_is_named() {
    const D: usize = 5;
    let (queries, references) = (rows::<D>(3, 0), rows::<D>(4, 1));
    let device = best_with(Options::default());
    let refused = |search: &Search, d: usize, queries: &[f32], references: &[f32]| {
        let error = device.context.search(search, d, queries, references).wait().unwrap_err();
        let expected = Cpu::default().search(search, d, queries, references).wait().unwrap_err();
        assert_eq!(error, expected);
    };
    let of = |k, reference_offset| Search { k, reference_offset, ..Default::default() };
    for search in [of(0, None), of(5, None), of(4, Some(0)), of(1, Some(2))] {
        refused(&search, D, &queries, &references);
    }
    refused(&of(1, None), D, &[], &references);
    refused(&of(1, None), 0, &queries, &references);
    refused(&of(1, None), D, &queries[1..], &references);
    let squares = Search { distance: Distance::SquaredEuclidean, ..of(2, None) };
    refused(&squares, 1, &[0.0], &[1.0, 3e38]);
}
