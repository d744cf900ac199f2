//! The way of a loss over the pairs of a matrix: stripe by stripe, distances become terms, terms
//! become gradients.
//!
//! Rows run in parallel, every sum has a fixed order: the same bits for every number of threads.
//! A row's gradient is the sum of what its own terms pull at it and of what those of the columns'
//! rows do, each in the order of the rows, so that the bits are the same for all stripes of whole
//! parts; where one stripe holds the whole matrix of a batch, the two coefficients of a pair are
//! added first.

use std::ops::Range;

use super::matrix::Matrix;
use super::points::Points;
use super::pulls::{GROUP, Pull, Slabs, coefficients, pull, turn};
use super::step::Steps;
use super::terms::Terms;
use super::totals::{Gathered, Summary, conclude};
use crate::data::batch::Batch;
use crate::data::evaluation::Evaluation;
use crate::data::mode::Mode;
use crate::definition::loss::{Anchors, Surveyed};
use crate::error::Result;
use crate::loss::Distance;
use crate::parallel::in_pool;
use crate::parallel::prelude::*;

/// Rows that a thread works on at a time: whole groups.
const BLOCK: usize = 4 * GROUP;

/// Other rows whose pulls are added up in f32: equal ones, which round alike, would pile up their
/// roundings. Stripes are of whole parts.
pub(super) const PART: usize = 64;

/// Evaluates a loss on a matrix of pairs or of scores.
pub(super) fn evaluate<L: Terms>(
    loss: &L,
    batch: &Batch,
    matrix: Matrix,
    steps: &mut Steps<'_>,
) -> Result<Evaluation> {
    let known = in_pool(|| loss.known(&matrix));
    let surveyed = Surveyed {
        description: loss,
        terms_of: &|anchor, weights| loss.reduced(loss.terms(anchor, &known), anchor, weights),
        scale_of: &|terms, nonzero| loss.scale(terms, nonzero),
    };
    evaluate_surveyed(&surveyed, batch, matrix, steps)
}

fn evaluate_surveyed(
    loss: &Surveyed<f64>,
    batch: &Batch,
    mut matrix: Matrix,
    steps: &mut Steps<'_>,
) -> Result<Evaluation> {
    // Slopes of a low temperature are beyond f32 where gradients are not.
    let factor = f64::from(loss.description.gradient_factor());
    let mut gradients = Gradients::of(&matrix);
    let mut summaries = Vec::with_capacity(matrix.axes.shape.queries());
    matrix.use_up_stripes(|matrix, rows, numbers| {
        steps.step(rows.start as u64)?;
        let use_up = |row: usize, numbers: &mut [f32]| {
            let anchor = matrix.axes.anchor(row, numbers);
            let terms = (loss.terms_of)(&anchor, matrix.weights());
            let summary = Summary::new(&anchor, &terms);
            drop(anchor);
            to_coefficients(matrix, row, &terms.slopes, factor, numbers);
            summary
        };
        in_pool(|| {
            let of_rows = numbers.par_chunks_mut(matrix.stride()).zip(rows.clone());
            summaries.par_extend(of_rows.map(|(numbers, row)| use_up(row, numbers)));
            gradients.add(matrix, rows, numbers);
        });
        Ok(())
    })?;
    let (gradient, gradient_references) = gradients.gathered(&matrix, factor);
    in_pool(|| conclude(loss, batch, summaries, gradient, gradient_references))
}

/// The gradients of a matrix, stripe by stripe.
struct Gradients {
    /// With respect to the rows, of their own terms; of both ends' where a batch is one stripe.
    along: Sums,
    /// With respect to the columns.
    across: Option<Sums>,
    /// The columns' rows and, for what goes across, the rows. Scores are no rows, and pull at none.
    slabs: Option<Slabs>,
    slabs_of_queries: Option<Slabs>,
    slopes_of_scores: Vec<f64>,
}

impl Gradients {
    fn of(matrix: &Matrix) -> Self {
        let shape = matrix.axes.shape;
        let has_across = match shape.mode() {
            Mode::Batch => !matrix.is_whole(),
            _ => shape.has_reference_gradient(),
        };
        let slabs = |points: &Points| in_pool(|| Slabs::of(points));
        Self {
            along: Sums::of(&matrix.queries),
            across: has_across.then(|| Sums::of(matrix.columns())),
            slabs: (shape.mode() != Mode::Scores).then(|| slabs(matrix.columns())),
            slabs_of_queries: (has_across && matrix.references.is_some())
                .then(|| slabs(&matrix.queries)),
            slopes_of_scores: Vec::new(),
        }
    }

    /// Adds what the pairs of these rows pull at, of which the coefficients are given.
    fn add(&mut self, matrix: &Matrix, rows: Range<usize>, numbers: &[f32]) {
        let (shape, stride) = (matrix.axes.shape, matrix.stride());
        let is_symmetric = shape.mode() == Mode::Batch && matrix.is_whole();
        let coefficients = |i: usize| &numbers[(i - rows.start) * stride..];
        let (queries, columns) = (&matrix.queries, matrix.columns());
        let all = 0..shape.references();
        let Some(slabs) = &self.slabs else {
            let slopes = rows.clone().flat_map(|i| &coefficients(i)[all.clone()]);
            self.slopes_of_scores.extend(slopes.map(|&slope| -f64::from(slope)));
            return;
        };
        self.along.add(
            matrix.distance,
            rows.clone(),
            queries,
            slabs,
            all.clone(),
            |group, others, part| {
                turn(|row| &coefficients(group.start + row)[others.clone()], group.len(), part);
                if is_symmetric {
                    for (found, other) in part.iter_mut().zip(others) {
                        let pulled = &coefficients(other)[group.clone()];
                        found.iter_mut().zip(pulled).for_each(|(found, &own)| *found += own);
                    }
                }
            },
        );
        if let Some(across) = &mut self.across {
            let slabs = self.slabs_of_queries.as_ref().unwrap_or(slabs);
            across.add(
                matrix.distance,
                all,
                columns,
                slabs,
                rows.clone(),
                |group, others, part| {
                    for (found, other) in part.iter_mut().zip(others) {
                        let pulled = &coefficients(other)[group.clone()];
                        found[..group.len()].copy_from_slice(pulled);
                    }
                },
            );
        }
    }

    /// The gradients with respect to rows and, where there are any, references, over a factor.
    fn gathered<'a>(self, matrix: &'a Matrix, factor: f64) -> (Gathered<'a>, Option<Gathered<'a>>) {
        let queries = &matrix.queries;
        let gathered = |sums: Sums, points, order| Gathered {
            points,
            sums: sums.numbers,
            stride: sums.stride,
            factor,
            order,
        };
        let mode = matrix.axes.shape.mode();
        let mut along = self.along;
        match self.across {
            _ if mode == Mode::Scores => {
                let stride = matrix.axes.shape.references();
                let sums = Sums { numbers: self.slopes_of_scores, stride };
                (gathered(sums, queries, None), None)
            }
            Some(across) if mode == Mode::Batch => {
                let numbers = along.numbers.par_iter_mut().zip(across.numbers);
                numbers.for_each(|(sum, other)| *sum += other);
                (gathered(along, queries, matrix.axes.order_of_rows()), None)
            }
            across => {
                let of_columns =
                    |across| gathered(across, matrix.columns(), matrix.axes.order.as_ref());
                (gathered(along, queries, matrix.axes.order_of_rows()), across.map(of_columns))
            }
        }
    }
}

/// The coefficients of an anchor's pairs over a factor, in the place of their distances; those of
/// scores are their slopes.
fn to_coefficients(matrix: &Matrix, row: usize, slopes: &[f64], factor: f64, numbers: &mut [f32]) {
    let numbers = &mut numbers[..slopes.len()];
    let is_of_scores = matrix.axes.shape.mode() == Mode::Scores;
    let distance = if is_of_scores { Distance::InnerProduct } else { matrix.distance };
    coefficients(distance, slopes, factor, numbers);
    if distance == Distance::Cosine {
        let [x, y] = [&matrix.queries, matrix.columns()];
        if x.is_zero(row) {
            numbers.fill(0.0);
        }
        y.zeros().iter().for_each(|&zero| numbers[zero] = 0.0);
    }
}

/// The other rows that pull at some row of a group.
fn pulling(others: impl Iterator<Item = (usize, [f32; GROUP])>) -> impl Iterator<Item = Pull> {
    // All are looked at, in one vector.
    let pulls = |all: &[f32; GROUP]| all.iter().fold(false, |pulls, &one| pulls | (one != 0.0));
    let pulling = others.filter(move |(_, coefficients)| pulls(coefficients));
    pulling.map(|(other, coefficients)| Pull { other, coefficients })
}

/// Sums of coefficient times direction for every row of a set, with a group of rows behind the last.
struct Sums {
    numbers: Vec<f64>,
    stride: usize,
}

impl Sums {
    fn of(points: &Points) -> Self {
        let stride = points.stride();
        Self { numbers: vec![0.0; (points.len() + GROUP) * stride], stride }
    }

    /// Adds what the other rows pull at these, one after the other. `coefficients` finds those of a
    /// group of rows with each of a part of the others.
    fn add(
        &mut self,
        distance: Distance,
        rows: Range<usize>,
        points: &Points,
        others: &Slabs,
        other_rows: Range<usize>,
        coefficients: impl Fn(Range<usize>, Range<usize>, &mut [[f32; GROUP]]) + Sync,
    ) {
        let stride = self.stride;
        // Whole groups: rows beyond the end are pulled at by nothing.
        let numbers = &mut self.numbers[rows.start * stride..];
        let numbers = &mut numbers[..rows.len().next_multiple_of(GROUP) * stride];
        numbers.par_chunks_mut(BLOCK * stride).enumerate().for_each(|(block, numbers)| {
            let mut pulls = Vec::with_capacity(PART);
            for start in other_rows.clone().step_by(PART) {
                let part = start..(start + PART).min(other_rows.end);
                for (group, sums) in numbers.chunks_exact_mut(GROUP * stride).enumerate() {
                    let first = rows.start + block * BLOCK + group * GROUP;
                    let group = first..(first + GROUP).min(rows.end);
                    let mut found = [[0.0; GROUP]; PART];
                    coefficients(group, part.clone(), &mut found[..part.len()]);
                    pulls.clear();
                    pulls.extend(pulling(part.clone().zip(found)));
                    if !pulls.is_empty() {
                        pull(distance, points.group(first), others, &pulls, sums);
                    }
                }
            }
        });
    }
}
