//! The matrix of distances, a stripe of its rows at a time.

use std::ops::Range;

use rayon::prelude::*;

use super::classes::Classes;
use super::points::{Points, between};
use super::sweep::PART;
use super::tiles::{LANES, Panels};
use crate::data::batch::Batch;
use crate::data::shape::{Mode, Shape};
use crate::definition::anchor::Anchor;
use crate::definition::loss::{Anchors, betas_of};
use crate::error::{Error, Result};
use crate::loss::Distance;

/// Rows that a thread works on at a time.
const BLOCK: usize = 32;

/// Sums of squares in between are as good in f32 as they can be: beyond, squares are lost.
const FINE: std::ops::RangeInclusive<f32> = TINY..=HUGE;
const TINY: f32 = 1.0 / (1_u128 << 80) as f32;
const HUGE: f32 = (1_u128 << 126) as f32;

/// The rows and columns of the matrix, and how many rows are held at a time.
pub(super) struct Matrix<'a> {
    pub shape: Shape,
    pub distance: Distance,
    pub queries: Points,
    /// Where there is a second set of rows.
    pub references: Option<Points>,
    panels: Panels,
    classes: Classes,
    labels: &'a [u32],
    scores: &'a [f32],
    betas: Vec<f64>,
    /// Rows of a stripe.
    rows: usize,
    /// All distances, where one stripe holds them.
    whole: Option<Vec<f32>>,
}

impl<'a> Matrix<'a> {
    /// `bytes_per_pair` of the workspace are for a pair.
    pub(super) fn new(
        distance: Distance,
        normalize: bool,
        batch: &Batch<'a>,
        workspace_bytes: u64,
        bytes_per_pair: u64,
    ) -> Result<Self> {
        let shape = *batch.shape();
        let is_of_scores = shape.mode() == Mode::Scores;
        let unit = !is_of_scores && (normalize || distance.is_of_unit_rows());
        let row_bytes = shape.references() as u64 * bytes_per_pair;
        let rows = workspace_bytes / row_bytes;
        if rows == 0 {
            return Err(Error::Workspace {
                needed: row_bytes,
                budget: workspace_bytes,
                columns: shape.references(),
            });
        }
        let points = |rows| Points::new(rows, shape.dimensions(), unit);
        let queries = points(batch.embeddings());
        let references = shape.has_references().then(|| points(batch.references()));
        let columns = references.as_ref().unwrap_or(&queries);
        let classes = match shape.mode() {
            Mode::Batch => Classes::of(batch.labels().iter().copied()),
            Mode::Reference => Classes::of(batch.reference_labels().iter().copied()),
            _ => Classes::of(0..shape.references() as u32),
        };
        let mut matrix = Self {
            shape,
            distance,
            panels: Panels::of(columns.rows(), columns.stride(), shape.dimensions()),
            queries,
            references,
            classes,
            labels: batch.labels(),
            scores: if is_of_scores { batch.embeddings() } else { &[] },
            betas: betas_of(batch),
            rows: match rows.min(shape.queries() as u64) as usize {
                rows if rows < PART || rows == shape.queries() => rows,
                rows => rows - rows % PART,
            },
            whole: None,
        };
        if matrix.rows == shape.queries() {
            matrix.whole = Some(matrix.stripe(0..shape.queries()));
        }
        Ok(matrix)
    }

    /// The rows that make the columns.
    pub(super) fn columns(&self) -> &Points {
        self.references.as_ref().unwrap_or(&self.queries)
    }

    /// Numbers from one row of distances to the next.
    pub(super) fn stride(&self) -> usize {
        self.shape.references().next_multiple_of(LANES)
    }

    /// Whether one stripe holds all distances.
    pub(super) fn is_whole(&self) -> bool {
        self.whole.is_some()
    }

    /// The stripes that the rows are cut into.
    pub(super) fn stripes(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<> {
        let (rows, all) = (self.rows, self.shape.queries());
        (0..all.div_ceil(rows)).map(move |at| at * rows..((at + 1) * rows).min(all))
    }

    /// Does something with the distances of every stripe, and stops where that says so.
    pub(super) fn for_stripes(
        &self,
        mut work: impl FnMut(Range<usize>, &[f32]) -> Result<()>,
    ) -> Result<()> {
        match &self.whole {
            Some(distances) => work(0..self.shape.queries(), distances),
            None => self.stripes().try_for_each(|rows| {
                let distances = self.stripe(rows.clone());
                work(rows, &distances)
            }),
        }
    }

    /// The distances of these rows to every column.
    fn stripe(&self, rows: Range<usize>) -> Vec<f32> {
        let stride = self.stride();
        let mut distances = vec![0.0; rows.len() * stride];
        let blocks = distances.par_chunks_mut(BLOCK * stride).enumerate();
        blocks.for_each(|(block, distances)| {
            let first = rows.start + block * BLOCK;
            if self.shape.mode() != Mode::Scores {
                let stride = self.queries.stride();
                let count = distances.len() / self.stride();
                let of_block = &self.queries.rows()[first * stride..(first + count) * stride];
                self.panels.sums(self.distance, of_block, stride, distances);
            }
            let rows = distances.chunks_exact_mut(stride).zip(first..);
            rows.for_each(|(distances, row)| self.finish(row, distances));
        });
        distances
    }

    /// From the sums of a row to its distances; a score is a negated distance.
    fn finish(&self, row: usize, sums: &mut [f32]) {
        let columns = self.columns();
        let sums = &mut sums[..self.shape.references()];
        if self.shape.mode() == Mode::Scores {
            let scores = self.scores.chunks_exact(sums.len()).nth(row).unwrap_or_default();
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum = -score);
            return;
        }
        match self.distance {
            Distance::Euclidean => {
                let rough = sums.iter().map(|sum| u32::from(!FINE.contains(sum))).sum::<u32>();
                // A row of a batch is at 0 of itself.
                let is_fine = rough <= u32::from(self.shape.mode() == Mode::Batch);
                for (column, sum) in sums.iter_mut().enumerate() {
                    *sum = if is_fine || FINE.contains(sum) {
                        sum.sqrt()
                    } else {
                        between(self.distance, [&self.queries, columns], [row, column]) as f32
                    };
                }
            }
            Distance::Cosine => {
                for (column, sum) in sums.iter_mut().enumerate() {
                    let is_zero = self.queries.is_zero(row) || columns.is_zero(column);
                    *sum = if is_zero { 1.0 } else { (0.5 * *sum).min(2.0) };
                }
            }
            Distance::InnerProduct => sums.iter_mut().for_each(|sum| *sum = -*sum),
            Distance::SquaredEuclidean | Distance::Manhattan => {}
        }
    }

    /// An anchor of its row of distances.
    pub(super) fn anchor(&self, index: usize, distances: &[f32]) -> Anchor<f64> {
        let label = self.labels[index];
        // No row is paired with itself.
        let itself = self.shape.own_offset().map(|offset| index + offset);
        let [positives, negatives] = self.classes.split(label, itself);
        let distances = &distances[..self.shape.references()];
        let distances = distances.iter().map(|&distance| distance.into()).collect();
        Anchor { index, label, distances, positives, negatives }
    }
}

impl Anchors<f64> for Matrix<'_> {
    fn map_anchors<T: Send>(&self, find: impl Fn(Anchor<f64>) -> T + Sync) -> Vec<T> {
        let mut found = Vec::with_capacity(self.shape.queries());
        // Nothing stops it.
        let _ = self.for_stripes(|rows, distances| {
            let rows = rows.into_par_iter().zip(distances.par_chunks(self.stride()));
            found.par_extend(rows.map(|(row, distances)| find(self.anchor(row, distances))));
            Ok(())
        });
        found
    }

    fn dimensions(&self) -> usize {
        self.shape.dimensions()
    }

    fn betas(&self) -> &[f64] {
        &self.betas
    }
}
