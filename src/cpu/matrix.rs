//! The matrix of distances, a stripe of its rows at a time.

use std::borrow::Cow;
use std::ops::Range;

use super::axes::Axes;
use super::points::{Points, between};
use super::sweep::PART;
use super::tiles::{LANES, Panels, Tiles, mirror, root};
use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::definition::anchor::Anchor;
use crate::definition::loss::Anchors;
use crate::error::{Error, Result};
use crate::loss::Distance;
use crate::parallel;
use crate::parallel::prelude::*;

/// Rows that a thread works on at a time: whole panels.
const BLOCK: usize = 2 * LANES;

/// The rows and columns of the matrix, and how many rows are held at a time.
pub(super) struct Matrix<'a> {
    pub axes: Axes<'a>,
    pub distance: Distance,
    pub queries: Points,
    /// The second set of rows; `None` in a batch, whose rows are both.
    pub references: Option<Points>,
    row_panels: Option<Panels>,
    column_panels: Panels,
    scores: &'a [f32],
    learned: Vec<f64>,
    /// Of every row, as they are given; nothing where there are none.
    weights: Cow<'a, [f32]>,
    batch: Batch<'a>,
    normalize: bool,
    workspace_bytes: u64,
    /// Rows of a stripe.
    rows: usize,
    /// All distances, where one stripe holds them.
    whole: Option<Vec<f32>>,
}

/// Numbers from one row of distances to the next: an odd number of panels, so that a column is not
/// at multiples of a power of two.
fn stride_of(columns: usize) -> usize {
    (columns.div_ceil(LANES) | 1) * LANES
}

impl<'a> Matrix<'a> {
    pub(super) fn new(
        distance: Distance,
        normalize: bool,
        batch: &Batch<'a>,
        learned: Vec<f64>,
        workspace_bytes: u64,
    ) -> Result<Self> {
        let columns = batch.shape().references();
        let needed = 4 * columns as u64;
        if workspace_bytes < needed {
            return Err(Error::Workspace { needed, budget: workspace_bytes, columns });
        }
        Ok(Self::of(distance, normalize, batch, learned, workspace_bytes))
    }

    /// At least a row of it is held, whatever the workspace.
    fn of(
        distance: Distance,
        normalize: bool,
        batch: &Batch<'a>,
        learned: Vec<f64>,
        workspace_bytes: u64,
    ) -> Self {
        let shape = *batch.shape();
        let is_of_scores = shape.mode() == Mode::Scores;
        let unit = !is_of_scores && (normalize || distance.is_of_unit_rows());
        let rows = workspace_bytes / (4 * stride_of(shape.references()) as u64);
        let axes = Axes::of(batch);
        let points = |rows, order| Points::new(rows, shape.dimensions(), unit, order);
        let queries = points(batch.embeddings(), axes.order_of_rows());
        let references =
            shape.has_references().then(|| points(batch.references(), axes.order.as_ref()));
        let columns = references.as_ref().unwrap_or(&queries);
        let mut matrix = Self {
            axes,
            distance,
            row_panels: references.is_some().then(|| Panels::of(&queries, 0..queries.len())),
            column_panels: Panels::of(columns, 0..columns.len()),
            queries,
            references,
            scores: if is_of_scores { batch.embeddings() } else { &[] },
            learned,
            weights: batch.row_weights(),
            batch: *batch,
            normalize,
            workspace_bytes,
            rows: match rows.clamp(1, shape.queries() as u64) as usize {
                rows if rows < PART || rows == shape.queries() => rows,
                rows => rows - rows % PART,
            },
            whole: None,
        };
        if matrix.rows == shape.queries() {
            let mut whole = matrix.room();
            match shape.mode() {
                Mode::Batch => matrix.find_symmetric(0, &mut whole),
                _ => matrix.find(0..shape.queries(), &mut whole),
            }
            matrix.whole = Some(whole);
        }
        matrix
    }

    /// The rows that make the columns.
    pub(super) fn columns(&self) -> &Points {
        self.references.as_ref().unwrap_or(&self.queries)
    }

    /// Numbers from one row of distances to the next.
    pub(super) fn stride(&self) -> usize {
        stride_of(self.axes.shape.references())
    }

    /// Whether one stripe holds all distances.
    pub(super) fn is_whole(&self) -> bool {
        self.rows == self.axes.shape.queries()
    }

    /// The stripes that the rows are cut into.
    fn stripes(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (rows, all) = (self.rows, self.axes.shape.queries());
        (0..all.div_ceil(rows)).map(move |at| at * rows..((at + 1) * rows).min(all))
    }

    /// Room for the distances of a stripe.
    fn room(&self) -> Vec<f32> {
        vec![0.0; self.rows * self.stride()]
    }

    /// Does something with the distances of every stripe, and stops where that says so.
    pub(super) fn for_stripes(
        &self,
        mut work: impl FnMut(Range<usize>, &[f32]) -> Result<()>,
    ) -> Result<()> {
        match &self.whole {
            Some(distances) => work(0..self.axes.shape.queries(), distances),
            None => self.find_stripes(|rows, distances| work(rows, distances)),
        }
    }

    /// The same where what is done takes the place of the distances, for the last time.
    pub(super) fn use_up_stripes(
        &mut self,
        mut work: impl FnMut(&Self, Range<usize>, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        match self.whole.take() {
            Some(mut distances) => work(self, 0..self.axes.shape.queries(), &mut distances),
            None => self.find_stripes(|rows, distances| work(self, rows, distances)),
        }
    }

    fn find_stripes(
        &self,
        mut work: impl FnMut(Range<usize>, &mut [f32]) -> Result<()>,
    ) -> Result<()> {
        let mut room = self.room();
        self.stripes().try_for_each(|rows| {
            let distances = &mut room[..rows.len() * self.stride()];
            self.find(rows.clone(), distances);
            work(rows, distances)
        })
    }

    /// The distances of these rows to every column.
    fn find(&self, rows: Range<usize>, distances: &mut [f32]) {
        let blocks = distances.par_chunks_mut(BLOCK * self.stride()).enumerate();
        blocks.for_each(|(block, distances)| {
            self.find_block(rows.start + block * BLOCK, 0..self.axes.shape.references(), distances);
        });
    }

    /// The distances of these rows, which begin with a block, to themselves: each once, as both have
    /// it alike.
    fn find_symmetric(&self, first: usize, distances: &mut [f32]) {
        let stride = self.stride();
        let count = distances.len() / stride;
        if count <= BLOCK {
            return self.find_block(first, first..first + count, distances);
        }
        let half = (count / 2).next_multiple_of(BLOCK);
        let (upper, lower) = distances.split_at_mut(half * stride);
        let middle = first + half;
        parallel::join(|| self.find_symmetric(first, upper), || self.find_symmetric(middle, lower));
        upper.par_chunks_mut(BLOCK * stride).enumerate().for_each(|(block, distances)| {
            self.find_block(first + block * BLOCK, middle..first + count, distances);
        });
        lower.par_chunks_mut(BLOCK * stride).enumerate().for_each(|(block, distances)| {
            let column = middle + block * BLOCK;
            mirror(&upper[column..], &mut distances[first..], stride, half);
        });
    }

    /// The distances of some rows to some columns, which begin with a panel.
    fn find_block(&self, first: usize, columns: Range<usize>, distances: &mut [f32]) {
        let stride = self.stride();
        let rows = first..first + distances.len() / stride;
        if self.axes.shape.mode() != Mode::Scores {
            let own =
                (!first.is_multiple_of(LANES)).then(|| Panels::of(&self.queries, rows.clone()));
            let all = self.row_panels.as_ref().unwrap_or(&self.column_panels);
            let (panels, rows) = match &own {
                Some(own) => (own, 0..rows.len()),
                None => (all, rows.clone()),
            };
            let panels = [panels, &self.column_panels];
            let tiles = Tiles { panels, rows, columns: columns.clone() };
            tiles.sums(self.distance, &mut distances[columns.start..], stride);
        }
        let rows = distances.chunks_exact_mut(stride).zip(rows);
        rows.for_each(|(distances, row)| self.finish(row, columns.clone(), distances));
    }

    /// Turns the sums of a row into its distances; a score is a negated distance.
    fn finish(&self, row: usize, columns: Range<usize>, sums: &mut [f32]) {
        let sums = &mut sums[columns.clone()];
        if self.axes.shape.mode() == Mode::Scores {
            let scores = &self.scores[row * self.axes.shape.references()..][columns];
            sums.iter_mut().zip(scores).for_each(|(sum, score)| *sum = -score);
            return;
        }
        let points = [&self.queries, self.columns()];
        match self.distance {
            Distance::Euclidean => {
                // A row of a batch is at 0 of itself.
                let of_itself = self.axes.shape.mode() == Mode::Batch && columns.contains(&row);
                root(sums, u32::from(of_itself), |at| {
                    between(self.distance, points, [row, columns.start + at]) as f32
                });
            }
            Distance::Cosine => {
                sums.iter_mut().for_each(|sum| *sum = (0.5 * *sum).min(2.0));
                let [x, y] = points;
                if x.is_zero(row) {
                    sums.fill(1.0);
                }
                let zeros = y.zeros().iter().filter(|zero| columns.contains(zero));
                zeros.for_each(|zero| sums[zero - columns.start] = 1.0);
            }
            Distance::InnerProduct => sums.iter_mut().for_each(|sum| *sum = -*sum),
            Distance::SquaredEuclidean | Distance::Manhattan => {}
        }
    }

    /// Something of every row. Compiled once for each type of it.
    fn map_rows<T: Send + Sync>(&self, find: &(dyn Fn(Anchor<'_, f64>) -> T + Sync)) -> Vec<T> {
        let mut found = Vec::with_capacity(self.axes.shape.queries());
        let stride = self.stride();
        // Nothing stops it.
        let _ = self.for_stripes(|rows, distances| {
            found.extend(parallel::map(rows.len(), &|at| {
                let distances = &distances[at * stride..][..stride];
                find(self.axes.anchor(rows.start + at, distances))
            }));
            Ok(())
        });
        found
    }

    /// Something of every column as an anchor among the rows: the distances are there, all of them.
    fn map_turned<T: Send + Sync>(
        &self,
        axes: &Axes,
        whole: &[f32],
        find: &(dyn Fn(Anchor<'_, f64>) -> T + Sync),
    ) -> Vec<T> {
        let (anchors, columns) = (axes.shape.queries(), axes.shape.references());
        let stride = stride_of(columns);
        let at = |places: Option<&Vec<u32>>, index: usize| {
            places.map_or(index, |places| places[index] as usize)
        };
        let places = self.axes.order.as_ref().map(|order| &order.places);
        let names = axes.order.as_ref().map(|order| &order.names);
        // As many columns at a time as a line of the cache holds.
        let of_block = |block: usize| {
            let first = block * LANES;
            let block = first..(first + LANES).min(anchors);
            let of_block: Vec<_> = block.clone().map(|name| at(places, name)).collect();
            let mut turned = vec![0.0; block.len() * stride];
            for column in 0..columns {
                let row = &whole[at(names, column) * self.stride()..][..self.stride()];
                let turned = turned[column..].iter_mut().step_by(stride);
                turned.zip(&of_block).for_each(|(turned, &place)| *turned = row[place]);
            }
            let rows = block.zip(turned.chunks_exact(stride));
            rows.map(|(row, distances)| find(axes.anchor(row, distances))).collect::<Vec<_>>()
        };
        let found = parallel::map(anchors.div_ceil(LANES), &of_block);
        found.into_iter().flatten().collect()
    }
}

impl Anchors<f64> for Matrix<'_> {
    fn map_anchors<T: Send + Sync>(&self, find: impl Fn(Anchor<'_, f64>) -> T + Sync) -> Vec<T> {
        self.map_rows(&find)
    }

    fn map_columns<T: Send + Sync>(&self, find: impl Fn(Anchor<'_, f64>) -> T + Sync) -> Vec<T> {
        if self.references.is_none() {
            return self.map_anchors(find);
        }
        let labels = self.batch.column_labels();
        let batch = self.batch.turned(&labels);
        if let Some(whole) = &self.whole {
            return self.map_turned(&Axes::of(&batch), whole, &find);
        }
        let Self { distance, normalize, workspace_bytes, .. } = *self;
        let learned = self.learned.clone();
        Matrix::of(distance, normalize, &batch, learned, workspace_bytes).map_anchors(find)
    }

    fn is_one_sided(&self) -> bool {
        self.axes.shape.is_one_sided()
    }

    fn first_row(&self) -> usize {
        self.axes.shape.first_row()
    }

    fn first_column(&self) -> usize {
        self.axes.shape.reference_offset().unwrap_or(0)
    }

    fn dimensions(&self) -> usize {
        self.axes.shape.dimensions()
    }

    fn learned(&self) -> &[f64] {
        &self.learned
    }

    fn weights(&self) -> &[f32] {
        &self.weights
    }
}
