//! The way of a loss over the pairs of a matrix: stripe by stripe, distances become terms, terms
//! become gradients.
//!
//! Rows run in parallel, every sum has a fixed order: the same bits for every number of threads.
//! A row's gradient is the sum of what its own terms pull at it and of what those of the columns'
//! rows do, each in the order of the rows, so that the bits are the same for all stripes of whole
//! parts; where one stripe holds the whole matrix of a batch, the two coefficients of a pair are
//! added first.

use std::ops::Range;

use rayon::prelude::*;

use super::matrix::Matrix;
use super::points::{Points, coefficient};
use super::step::Steps;
use super::terms::Terms;
use super::tiles::{GROUP, Pull, pull};
use super::totals::{Gathered, Summary, conclude};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::shape::Mode;
use crate::error::Result;
use crate::loss::Distance;

/// Rows that a thread works on at a time: whole groups.
const BLOCK: usize = 4 * GROUP;

/// Other rows whose pulls are added up in f32: equal ones, which round alike, would pile up their
/// roundings. Stripes are of whole parts.
pub(super) const PART: usize = 64;

/// Evaluates a loss on a matrix of pairs or of scores.
pub(super) fn evaluate<L: Terms>(
    loss: &L,
    batch: &Batch,
    matrix: &Matrix,
    steps: &mut Steps<'_>,
) -> Result<Evaluation> {
    let shape = &matrix.shape;
    let known = loss.survey(matrix);
    // Slopes of a low temperature are beyond f32 where gradients are not.
    let factor = f64::from(loss.terms_kernel().gradient_factor);
    let is_of_scores = shape.mode() == Mode::Scores;
    let is_symmetric = shape.mode() == Mode::Batch && matrix.is_whole();
    let has_across = match shape.mode() {
        Mode::Batch => !matrix.is_whole(),
        _ => shape.has_reference_gradient(),
    };
    let mut along = Sums::of(&matrix.queries);
    let mut across = has_across.then(|| Sums::of(matrix.columns()));
    let mut slopes_of_scores = Vec::new();
    let mut summaries = Vec::with_capacity(shape.queries());
    let mut coefficients = Vec::new();
    matrix.for_stripes(|rows, distances| {
        steps.step(rows.start as u64)?;
        let stride = matrix.stride();
        coefficients.resize(rows.len() * stride, 0.0);
        let anchors = coefficients.par_chunks_mut(stride).zip(distances.par_chunks(stride));
        summaries.par_extend(anchors.zip(rows.clone()).map(|((coefficients, distances), row)| {
            let anchor = matrix.anchor(row, distances);
            let terms = loss.terms(&anchor, &known);
            fill(matrix, row, distances, &terms.slopes, factor, coefficients);
            Summary::new(&anchor, &terms)
        }));
        let at = |i: usize| &coefficients[(i - rows.start) * stride..];
        if is_of_scores {
            let classes = shape.references();
            slopes_of_scores.extend(
                rows.clone()
                    .flat_map(|i| &at(i)[..classes])
                    .map(|&slope| -f64::from(slope) * factor),
            );
            return Ok(());
        }
        let columns = 0..shape.references();
        let points = [&matrix.queries, matrix.columns()];
        along.add(matrix.distance, rows.clone(), points, columns.clone(), |first, others, part| {
            let count = GROUP.min(rows.end - first);
            for row in 0..count {
                for (found, &own) in part.iter_mut().zip(&at(first + row)[others.clone()]) {
                    found[row] = own;
                }
            }
            if is_symmetric {
                for (found, other) in part.iter_mut().zip(others) {
                    for (found, &own) in found.iter_mut().zip(&at(other)[first..first + count]) {
                        *found += own;
                    }
                }
            }
        });
        if let Some(across) = &mut across {
            let points = [matrix.columns(), &matrix.queries];
            across.add(
                matrix.distance,
                columns.clone(),
                points,
                rows.clone(),
                |first, others, part| {
                    let count = GROUP.min(columns.end - first);
                    for (found, other) in part.iter_mut().zip(others) {
                        found[..count].copy_from_slice(&at(other)[first..first + count]);
                    }
                },
            );
        }
        Ok(())
    })?;
    let (gradient, gradient_references) = match (is_of_scores, across) {
        (true, _) => (Gathered { points: &matrix.queries, sums: slopes_of_scores }, None),
        (false, Some(across)) if shape.mode() == Mode::Batch => {
            (along.gathered(&matrix.queries, Some(across), factor), None)
        }
        (false, across) => {
            let across = across.map(|across| across.gathered(matrix.columns(), None, factor));
            (along.gathered(&matrix.queries, None, factor), across)
        }
    };
    conclude(loss, batch, &summaries, gradient, gradient_references)
}

/// The coefficients of an anchor's pairs over a factor; those of scores are their slopes.
fn fill(
    matrix: &Matrix,
    row: usize,
    distances: &[f32],
    slopes: &[f64],
    factor: f64,
    coefficients: &mut [f32],
) {
    let times = 1.0 / factor;
    let numbers = coefficients.iter_mut().zip(slopes.iter().zip(distances));
    if matrix.shape.mode() == Mode::Scores {
        numbers.for_each(|(found, (slope, _))| *found = (slope * times) as f32);
        return;
    }
    let [x, y] = [&matrix.queries, matrix.columns()];
    for (column, (found, (&slope, &d))) in numbers.enumerate() {
        let without_angle = || x.is_zero(row) || y.is_zero(column);
        *found = coefficient(matrix.distance, slope * times, d.into(), without_angle) as f32;
    }
}

/// Sums of coefficient times direction for every row of a set.
struct Sums {
    numbers: Vec<f64>,
    stride: usize,
}

impl Sums {
    fn of(points: &Points) -> Self {
        Self { numbers: vec![0.0; points.len() * points.stride()], stride: points.stride() }
    }

    /// Adds what the other rows pull at these, one after the other. `coefficients` finds those of a
    /// group of rows, by its first one, with each of a part of the others.
    fn add(
        &mut self,
        distance: Distance,
        rows: Range<usize>,
        [points, others]: [&Points; 2],
        other_rows: Range<usize>,
        coefficients: impl Fn(usize, Range<usize>, &mut [[f32; GROUP]]) + Sync,
    ) {
        let stride = self.stride;
        let numbers = &mut self.numbers[rows.start * stride..rows.end * stride];
        numbers.par_chunks_mut(BLOCK * stride).enumerate().for_each(|(block, numbers)| {
            let first = rows.start + block * BLOCK;
            let count = numbers.len() / stride;
            // Whole groups, of which those beyond the end stay 0.
            let mut sums = vec![0.0; count.next_multiple_of(GROUP) * stride];
            let mut pulls = Vec::with_capacity(PART);
            for start in other_rows.clone().step_by(PART) {
                let part = start..(start + PART).min(other_rows.end);
                for (group, sums) in sums.chunks_exact_mut(GROUP * stride).enumerate() {
                    let first = first + group * GROUP;
                    let mut found = [[0.0; GROUP]; PART];
                    coefficients(first, part.clone(), &mut found[..part.len()]);
                    let pulling = part.clone().zip(found).filter(|(_, all)| *all != [0.0; GROUP]);
                    pulls.clear();
                    pulls.extend(pulling.map(|(other, coefficients)| Pull { other, coefficients }));
                    pull(distance, [points.group(first), others.rows()], &pulls, stride, sums);
                }
            }
            numbers.iter_mut().zip(sums).for_each(|(number, sum)| *number += sum);
        });
    }

    /// The sums times a factor without what rows are padded with, together with other ones of the
    /// same rows.
    fn gathered(self, points: &Points, other: Option<Self>, factor: f64) -> Gathered<'_> {
        let coordinates = |numbers: Vec<f64>| {
            let rows = numbers.chunks_exact(points.stride());
            rows.flat_map(|row| &row[..points.dimensions()]).map(|&sum| sum * factor).collect()
        };
        let mut sums: Vec<f64> = coordinates(self.numbers);
        if let Some(other) = other {
            let other: Vec<f64> = coordinates(other.numbers);
            sums.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
        }
        Gathered { points, sums }
    }
}
