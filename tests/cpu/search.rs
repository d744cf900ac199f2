//! Searching: the nearest rows by their definition, ties and all.

use std::ops::ControlFlow;

use support::ranking::distance;
use wgpu_metric_learning::search::{Neighbours, Search};
use wgpu_metric_learning::{Cpu, Distance, Error, ErrorKind};

const D: usize = 5;

/// Multiples of 1 / 8, whose sums no arithmetic rounds: many rows are at the same distance.
fn rows(count: usize, salt: usize) -> Vec<f32> {
    let number = |at: usize| ((at + salt) * 7_919 % 10_007 % 7) as f32 / 8.0 - 0.375;
    (0..count * D).map(number).collect()
}

/// All references of a query, by their distances and then their places.
fn ranked(search: &Search, query: usize, queries: &[f32], references: &[f32]) -> Vec<(f64, u32)> {
    let x = &queries[query * D..][..D];
    let own = search.reference_offset.map(|offset| query + offset);
    let others = references.chunks(D).enumerate().filter(|(row, _)| Some(*row) != own);
    let mut all: Vec<_> = others
        .map(|(row, y)| (distance(search.distance, search.normalize, x, y), row as u32))
        .collect();
    all.sort_by(|a, b| a.partial_cmp(b).unwrap());
    all
}

#[test]
fn the_nearest_rows_are_found_with_every_distance() {
    let (queries, references) = (rows(23, 0), rows(61, 3));
    for of in Distance::ALL {
        for (k, offset) in [(1, None), (7, Some(4)), (60, Some(0)), (61, None)] {
            let search = Search { k, distance: of, reference_offset: offset, ..Default::default() };
            let found = Cpu::default().search(&search, D, &queries, &references).wait().unwrap();
            assert_eq!([found.indices.len(), found.distances.len()], [23 * k; 2]);
            for (query, (indices, distances)) in
                found.indices.chunks(k).zip(found.distances.chunks(k)).enumerate()
            {
                let expected = ranked(&search, query, &queries, &references);
                let expected = &expected[..k];
                for (&(expected, _), &found) in expected.iter().zip(distances) {
                    assert!((expected - f64::from(found)).abs() < 1e-6, "{of}, {query}");
                }
                // Unit rows are rounded, and so is what is a tie of them.
                if of != Distance::Cosine {
                    let expected: Vec<_> = expected.iter().map(|(_, row)| *row).collect();
                    assert_eq!(indices, expected, "{of}, k = {k}, query {query}");
                }
            }
        }
    }
}

#[test]
fn the_workspace_changes_no_bit() {
    let (queries, references) = (rows(150, 0), rows(90, 1));
    let search = Search { k: 9, normalize: true, ..Default::default() };
    let find = |bytes| -> Neighbours {
        let cpu = Cpu::default().with_workspace_bytes(bytes);
        cpu.search(&search, D, &queries, &references).wait().unwrap()
    };
    assert_eq!(find(1 << 20), find(64 * 4 * 112));
}

#[test]
fn products_of_0_are_one_distance() {
    let search = Search { k: 3, distance: Distance::InnerProduct, ..Default::default() };
    let references = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0];
    let found = Cpu::default().search(&search, 2, &[1.0, 0.0], &references).wait().unwrap();
    assert_eq!((found.indices, found.distances), (vec![0, 1, 2], vec![0.0; 3]));
}

#[test]
fn what_cannot_be_searched_is_named() {
    let (queries, references) = (rows(3, 0), rows(4, 1));
    let cpu = Cpu::default();
    let refused = |search: &Search, d: usize, queries: &[f32], references: &[f32]| {
        cpu.search(search, d, queries, references).wait().unwrap_err()
    };
    let of = |k, reference_offset| Search { k, reference_offset, ..Default::default() };
    for search in [of(0, None), of(5, None), of(4, Some(0))] {
        let error = refused(&search, D, &queries, &references);
        assert!(matches!(error, Error::Parameter { parameter: "k", .. }), "{error}");
        assert!(error.to_string().contains("with 4 references"), "{error}");
    }
    let offset = refused(&of(1, Some(2)), D, &queries, &references);
    assert!(matches!(offset, Error::Parameter { parameter: "reference_offset", .. }), "{offset}");
    assert!(matches!(refused(&of(1, None), D, &[], &references), Error::Empty { .. }));
    assert!(matches!(refused(&of(1, None), 0, &queries, &references), Error::Empty { .. }));
    assert!(matches!(refused(&of(1, None), D, &queries[1..], &references), Error::Length { .. }));
    let mut holed = references.clone();
    holed[7] = f32::NAN;
    let error = refused(&of(1, None), D, &queries, &holed);
    assert!(matches!(error, Error::NotFinite { row: 1, column: 2, .. }), "{error}");
    let squares = Search { distance: Distance::SquaredEuclidean, ..of(2, None) };
    let error = refused(&squares, 1, &[0.0], &[1.0, 3e38]);
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
    let small = Cpu::default().with_workspace_bytes(15);
    let error = small.search(&of(1, None), D, &queries, &references).wait().unwrap_err();
    assert!(matches!(error, Error::Workspace { .. }), "{error}");
    let cancelled = of(1, None);
    let run = cpu.search(&cancelled, D, &queries, &references);
    assert!(matches!(run.watch(|_| ControlFlow::Break(())), Err(Error::Cancelled)));
}
