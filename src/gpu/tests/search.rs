//! Faults planted in the kernels of searching, which a comparison with the engine of the CPU has to
//! catch.

use super::{first_context, with_fault};
use crate::Cpu;
use crate::gpu::{Context, Options};
use crate::loss::Distance;
use crate::search::Search;

/// A line of a kernel and what it is replaced with.
const FAULTS: &[(&str, &str, &str)] = &[
    ("search/nearest.wgsl", "let size = min(CHUNK, wanted.k - first);", "let size = CHUNK;"),
    ("search/nearest.wgsl", "let begin = i * wanted.k + first;", "let begin = i * wanted.k;"),
    ("search/nearest.wgsl", "let is_behind = stripe.portion > 0u;", "let is_behind = false;"),
    ("search/nearest.wgsl", "indices[begin - 1u]);", "0u);"),
    ("search/nearest.wgsl", "let known = mask(digit);", "let known = mask(0u);"),
    ("search/nearest.wgsl", "relation(i, j) != NO_PAIR &&", "j < sizes.references &&"),
    (
        "search/nearest.wgsl",
        "lower < left && left <= lower + own",
        "lower <= left && left < lower + own",
    ),
    ("search/nearest.wgsl", "left -= found.y;", ""),
    ("search/nearest.wgsl", "last |= ~mask(digit + 1u);", ""),
    ("search/nearest.wgsl", "!is_before(last, key)", "is_before(key, last)"),
    ("search/nearest.wgsl", "select(key.x, key.y, digit", "select(key.x, key.x, digit"),
    ("search/nearest.wgsl", "a.x == b.x && a.y < b.y", "a.x == b.x && a.y > b.y"),
    ("search/nearest.wgsl", "sort_keys(padded, invocation);", "workgroupBarrier();"),
];

/// Whether the kernels find what the engine does, of distances that no arithmetic rounds.
fn agrees(context: &Context, rows: &[f32]) -> bool {
    [3, 40, 1_030].into_iter().all(|k| {
        let (distance, reference_offset) = (Distance::Manhattan, Some(0));
        let search = Search { k, distance, reference_offset, ..Default::default() };
        let queries = &rows[..20];
        let expected = Cpu::default().search(&search, 1, queries, rows).wait();
        context.search(&search, 1, queries, rows).wait() == expected
    })
}

#[test]
fn every_planted_fault_in_searching_is_caught() {
    let number = |at: usize| (at * 7_919 % 10_007 % 97) as f32 / 8.0;
    let rows: Vec<_> = (0..1_100).map(number).collect();
    let context = first_context(Options::default());
    assert!(agrees(&context, &rows), "kernels without a fault agree");
    let is_missed = |&&(path, line, fault): &&(&'static str, &'static str, &'static str)| {
        with_fault([&context], [path, line, fault], || agrees(&context, &rows))
    };
    let missed: Vec<_> = FAULTS.iter().filter(is_missed).collect();
    assert!(missed.is_empty(), "nobody noticed {missed:#?}");
}
