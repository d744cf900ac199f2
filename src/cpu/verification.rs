//! Verification: pairs counted at each of their distances. Those of a list are sorted; those of a
//! matrix are counted sweep by sweep, in room that does not grow with their number.

use std::sync::atomic::{AtomicU64, Ordering};

use super::matrix::Matrix;
use super::points::{Points, between};
use super::step::Steps;
use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::definition::list::{List, PairKind};
use crate::definition::verification::Curve;
use crate::error::{Error, Result};
use crate::measures::{Verification, Verified};
use crate::parallel::prelude::*;
use crate::parallel::{self, in_pool};

/// Numbers that the upper half of a key has, and its lower half.
const HALF: usize = 1 << 16;

/// Bytes of the counts of all keys with one upper half.
const BYTES: u64 = 2 * 8 * HALF as u64;

/// A number by the order of distances: the upper half tells roughly how far, the lower one exactly.
fn key_of(distance: f32) -> u32 {
    // Of a product that is 0 the sign says nothing: -0 + 0 is 0.
    let bits = (distance + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

fn distance_of(key: u32) -> f32 {
    f32::from_bits(if key >> 31 == 1 { key & !(1 << 31) } else { !key })
}

/// Verifies listed pairs.
pub(super) fn of_list(
    verification: &Verification,
    batch: &Batch,
    list: &List,
    steps: &mut Steps<'_>,
) -> Result<Verified> {
    steps.step(0)?;
    let Verification { distance, normalize, .. } = *verification;
    let unit = normalize || distance.is_of_unit_rows();
    let points = |rows| Points::new(rows, batch.shape().dimensions(), unit, None);
    let queries = points(batch.embeddings());
    let references = batch.shape().has_references().then(|| points(batch.references()));
    let columns = references.as_ref().unwrap_or(&queries);
    let pairs = list.pairs(0..list.parts()).par_iter();
    let mut keys: Vec<_> = pairs
        .map(|pair| {
            let distance = between(distance, [&queries, columns], pair.rows) as f32;
            (key_of(distance), pair.kind == PairKind::Positive)
        })
        .collect();
    keys.par_sort_unstable();
    let same = keys.iter().filter(|(_, is_same)| *is_same).count();
    let totals = [same, keys.len() - same].map(|count| count as u64);
    let mut curve = Curve::new(verification, totals)?;
    for at_one in keys.chunk_by(|a, b| a.0 == b.0) {
        let distance = distance_of(at_one[0].0);
        if !distance.is_finite() {
            return Err(OVERFLOW);
        }
        let same = at_one.iter().filter(|(_, is_same)| *is_same).count();
        curve.accept(distance, [same, at_one.len() - same].map(|count| count as u64));
    }
    Ok(curve.measures())
}

const OVERFLOW: Error = Error::Overflow { what: "the distance of a pair" };

/// Verifies all pairs of a matrix: one sweep counts them by the upper halves of their keys, further
/// ones by the whole keys, of as many upper halves at a time as there is room for.
pub(super) fn of_matrix(
    verification: &Verification,
    matrix: &Matrix,
    workspace_bytes: u64,
    steps: &mut Steps<'_>,
) -> Result<Verified> {
    // Threads would wait for each other at the few upper halves that most distances have.
    let copies = parallel::current_num_threads();
    let rough = counts(copies * HALF);
    sweep(matrix, steps, |key, kind| {
        let copy = parallel::current_thread_index().unwrap_or_default() % copies;
        add(&rough[copy * HALF + (key >> 16) as usize], kind);
    })?;
    let number = |upper: usize| {
        let copies = (0..copies).map(|copy| read(&rough[copy * HALF + upper]));
        copies.fold([0; 2], |[same, different], copy| [same + copy[0], different + copy[1]])
    };
    let found: Vec<_> = (0..HALF).map(|upper| (upper, number(upper))).collect();
    let found: Vec<_> = found.into_iter().filter(|(_, counts)| *counts != [0; 2]).collect();
    let total = |kind: usize| found.iter().map(|(_, counts)| counts[kind]).sum();
    let mut curve = Curve::new(verification, [total(0), total(1)])?;
    if found.iter().any(|&(upper, _)| !distance_of((upper as u32) << 16).is_finite()) {
        return Err(OVERFLOW);
    }
    let most = (workspace_bytes / BYTES).max(1) as usize;
    for group in found.chunks(most) {
        let mut places = vec![usize::MAX; HALF];
        group.iter().enumerate().for_each(|(place, &(upper, _))| places[upper] = place);
        let exact = counts(group.len() * HALF);
        sweep(matrix, steps, |key, kind| {
            let place = places[(key >> 16) as usize];
            if place != usize::MAX {
                add(&exact[place * HALF + key as usize % HALF], kind);
            }
        })?;
        for (&(upper, _), exact) in group.iter().zip(exact.chunks(HALF)) {
            for (lower, pair) in exact.iter().enumerate() {
                let counts = read(pair);
                if counts != [0; 2] {
                    curve.accept(distance_of((upper << 16 | lower) as u32), counts);
                }
            }
        }
    }
    Ok(curve.measures())
}

/// Pairs that are the same, and that are different.
type Counts = [AtomicU64; 2];

fn counts(len: usize) -> Vec<Counts> {
    (0..len).map(|_| [AtomicU64::new(0), AtomicU64::new(0)]).collect()
}

/// The sum is the same in any order.
fn add(counts: &Counts, kind: usize) {
    counts[kind].fetch_add(1, Ordering::Relaxed);
}

fn read(counts: &Counts) -> [u64; 2] {
    [0, 1].map(|kind| counts[kind].load(Ordering::Relaxed))
}

/// Hands on the key of every pair and its kind; those of a batch once.
fn sweep(matrix: &Matrix, steps: &mut Steps<'_>, take: impl Fn(u32, usize) + Sync) -> Result<()> {
    let is_batch = matrix.axes.shape.mode() == Mode::Batch;
    matrix.for_stripes(|rows, distances| {
        steps.step(rows.start as u64)?;
        in_pool(|| {
            let rows = rows.into_par_iter().zip(distances.par_chunks(matrix.stride()));
            rows.for_each(|(row, distances)| {
                let anchor = matrix.axes.anchor(row, distances);
                let first = if is_batch { row + 1 } else { 0 };
                for (kind, columns) in
                    [&anchor.positives, &anchor.negatives].into_iter().enumerate()
                {
                    for run in columns.runs() {
                        let run = run.start.max(first)..run.end.max(first);
                        distances[run].iter().for_each(|&distance| take(key_of(distance), kind));
                    }
                }
            });
        });
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_in_the_order_of_distances() {
        let ascending = [-3e38_f32, -1.0, -1e-45, 0.0, 1e-45, 0.5, 1.0, 3e38, f32::INFINITY];
        assert!(ascending.map(key_of).is_sorted());
        assert_eq!(ascending.map(key_of).map(distance_of), ascending);
        assert_eq!(key_of(-0.0), key_of(0.0));
    }
}
