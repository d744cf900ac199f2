//! Faults planted in the kernels of verification, which a comparison with the engine of the CPU has
//! to catch.

use super::{first_contexts, with_fault};
use crate::gpu::{Context, Options};
use crate::loss::Distance;
use crate::measures::Verification;
use crate::{Batch, Cpu};

/// A line of a kernel and what it is replaced with.
const FAULTS: &[(&str, &str, &str)] = &[
    ("verification/numbers.wgsl", "== POSITIVE)", "== NEGATIVE)"),
    ("verification/numbers.wgsl", "i + 1u, stripe", "i + 2u, stripe"),
    ("verification/offsets.wgsl", "exclusive_scan(own.x,", "exclusive_scan(1u,"),
    ("verification/offsets.wgsl", "max(numbered, before) - before", "numbered"),
    ("verification/collect.wgsl", "next += 1u;", "next += 2u;"),
    ("verification/collect.wgsl", "- piece.first;", ";"),
    ("verification/sorted.wgsl", "keys[order[at]]", "keys[at]"),
    ("verification/places.wgsl", "- 1u] < key;", "- 1u] <= key;"),
    ("verification/places.wgsl", "keys_below(key + 1u)", "keys_below(key)"),
    ("verification/places.wgsl", "vec2(place + up_to, 0u)", "vec2(place, 0u)"),
    ("verification/places.wgsl", "select(0u, 2u, kind == NEGATIVE)", "0u"),
    ("verification/best.wgsl", "is_wide_less(a.xy, b.xy)", "is_wide_less(b.xy, a.xy)"),
    ("verification/best.wgsl", "counts[k] = vec4(0u);", ""),
    ("verification/best.wgsl", "if (piece.first > 0u) {", "if (false) {"),
    ("verification/best.wgsl", "accepted = sum_before(invocation);", "accepted = vec4(0u);"),
    ("verification/best.wgsl", "invocation.index >= width", "invocation.index > width"),
    ("verification/digits.wgsl", "let digit = (key >> SHIFT)", "let digit = (key >> SHIFT) / 2u"),
    ("verification/digits.wgsl", "place_of(first + at / BINS / 2u,", "place_of(first,"),
    ("verification/digits.wgsl", "below = max(below,", "below = min(below,"),
    (
        "verification/choose.wgsl",
        "both_added(mark.before, sum_before(",
        "both_added(own, sum_before(",
    ),
    ("verification/choose.wgsl", "mark.totals.xy, accepted.xy", "mark.totals.xy, accepted.zw"),
    ("verification/choose.wgsl", "marks[at].before = accepted;", ""),
    ("verification/choose.wgsl", "max(before_prefix, atomicLoad(&last))", "before_prefix"),
    ("verification/totals.wgsl", "tally[0].xyz", "tally[0].yyz"),
];

/// Whether the kernels find what the engine does, of distances that no arithmetic rounds.
fn agrees(contexts: &[Context], batches: &[Batch]) -> bool {
    let verification = Verification {
        distance: Distance::Manhattan,
        tpr_at_fpr: vec![0.0, 0.5, 1.0, 0.01, 0.1, 0.75],
        ..Default::default()
    };
    batches.iter().all(|batch| {
        let expected = Cpu::default().verify(&verification, batch).wait().expect("a valid batch");
        let found = |context: &Context| context.verify(&verification, batch).wait();
        contexts.iter().all(|context| found(context).as_ref() == Ok(&expected))
    })
}

#[test]
fn every_planted_fault_in_verification_is_caught() {
    let number = |at: usize| (at * 2_654_435_761 % 4_093 % 97) as f32 / 8.0;
    let grid: Vec<_> = (0..2 * 300).map(number).collect();
    let labels: Vec<_> = (0..300).map(|row| (row * row % 3) as u32).collect();
    let rows = Batch::new(&grid[200..240], [20, 2], &labels[7..27]).expect("a valid batch");
    let against = rows.with_references(&grid, 300, &labels).expect("valid references");
    // Two places, and numbers as near to one of them as f32 has any.
    let near = |row: usize| {
        if row.is_multiple_of(2) { 0.0 } else { 1.0 + (row % 50) as f32 * f32::EPSILON }
    };
    let line: Vec<_> = (0..90).map(near).collect();
    let line = Batch::new(&line, [90, 1], &labels[..90]).expect("a valid batch");
    // The other one cuts the matrix, and sorts more than one piece of the same pairs.
    let contexts = first_contexts(
        [32 << 20, 30_000].map(|bytes| Options::default().with_workspace_bytes(bytes)),
    );
    let batches = [against, line];
    assert!(agrees(&contexts, &batches), "kernels without a fault agree");
    let is_missed = |&&(path, line, fault): &&(&'static str, &'static str, &'static str)| {
        with_fault(&contexts, [path, line, fault], || agrees(&contexts, &batches))
    };
    let missed: Vec<_> = FAULTS.iter().filter(is_missed).collect();
    assert!(missed.is_empty(), "nobody noticed {missed:#?}");
}
