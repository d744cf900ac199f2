//! The rows of one evaluation, and the way over the anchors.

use std::borrow::Cow;
use std::ops::Range;

use super::bounded::Bounded;
use super::points::{Centre, Point, Points};
use crate::data::arithmetic::Arithmetic;
use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::definition::anchor::Anchor;
use crate::definition::list::List;
use crate::definition::loss::{Anchors, learned_of};
use crate::definition::number::Number;
use crate::loss::{Description, Distance};
use crate::parallel;

/// What is evaluated, in f64.
pub(super) struct Problem<'a> {
    pub shape: Shape,
    pub distance: Distance,
    pub queries: Points,
    /// The second set of rows; `None` in a batch, whose rows are both.
    pub references: Option<Points>,
    /// All numbers that the loss learns.
    pub learned: Vec<f64>,
    /// The pairs, where only those that are listed count.
    pub list: Option<List>,
    /// The most pairs that any row is part of.
    pub pairs_of_a_row: usize,
    labels: &'a [u32],
    column_labels: Cow<'a, [u32]>,
    /// Of scored pairs.
    targets: &'a [f32],
    /// Of every row; nothing where there are none.
    pub weights: Cow<'a, [f32]>,
}

/// The numbers of a batch in f64.
#[derive(Clone)]
pub(super) struct Numbers {
    pub embeddings: Vec<f64>,
    pub references: Vec<f64>,
    /// All numbers that the loss learns.
    pub learned: Vec<f64>,
}

impl Numbers {
    /// Those of a loss on the batch.
    pub(crate) fn of(loss: &dyn Description, batch: &Batch) -> Self {
        Self { learned: learned_of(loss, batch), ..Self::of_rows(batch) }
    }

    /// The rows alone.
    pub(crate) fn of_rows(batch: &Batch) -> Self {
        let widen = |numbers: &[f32]| numbers.iter().map(|&number| number.into()).collect();
        Self {
            embeddings: widen(batch.embeddings()),
            references: widen(batch.references()),
            learned: Vec::new(),
        }
    }
}

impl<'a> Problem<'a> {
    /// The problem of a loss over pairs.
    pub(crate) fn of(loss: &dyn Description, batch: &Batch<'a>, numbers: Numbers) -> Self {
        let (distance, normalize, _) = loss.settings();
        // Only the pointwise losses have none, and they pose no problem of pairs.
        Self::new(distance.unwrap_or_default(), normalize, &batch.of_loss(loss), numbers)
    }

    /// `numbers` stand in the place of the batch's own.
    pub(crate) fn new(
        distance: Distance,
        normalize: bool,
        batch: &Batch<'a>,
        numbers: Numbers,
    ) -> Self {
        let shape = *batch.shape();
        let unit = shape.mode() != Mode::Scores && (normalize || distance.is_of_unit_rows());
        let list = List::of(batch);
        let pairs_of_a_row = match &list {
            Some(list) => most_pairs_of_a_row(list, shape.queries()),
            None => shape.queries().max(shape.references()),
        };
        let points = |rows| Points::new(rows, shape.dimensions(), unit);
        Self {
            shape,
            distance,
            queries: points(numbers.embeddings),
            references: shape.has_references().then(|| points(numbers.references)),
            learned: numbers.learned,
            list,
            pairs_of_a_row,
            labels: batch.labels(),
            column_labels: batch.column_labels(),
            targets: batch.targets(),
            weights: batch.row_weights(),
        }
    }

    /// The same, whose distances f32 computes so.
    pub(crate) fn with(mut self, arithmetic: Arithmetic) -> Self {
        if arithmetic.expands(self.shape.mode(), self.distance) {
            let centre = Centre::of(self.distance, self.columns(), &self.queries, arithmetic);
            self.queries = self.queries.expanded(&centre);
            self.references = self.references.map(|points| points.expanded(&centre));
        }
        self
    }

    /// The rows that make the columns of the distance matrix.
    pub(crate) fn columns(&self) -> &Points {
        self.references.as_ref().unwrap_or(&self.queries)
    }

    /// How many anchors there are: rows, or parts of the list.
    pub(crate) fn anchors(&self) -> usize {
        self.list.as_ref().map_or(self.queries.len(), List::parts)
    }

    /// Something of these anchors, in their order. Compiled once for each type of it.
    pub(crate) fn map_some_anchors<T: Send + Sync>(
        &self,
        rows: Range<usize>,
        find: &(dyn Fn(Anchor<'_, Bounded>) -> T + Sync),
    ) -> Vec<T> {
        parallel::map(rows.len(), &|at| find(self.anchor(rows.start + at)))
    }

    fn anchor(&self, index: usize) -> Anchor<'static, Bounded> {
        if let Some(list) = &self.list {
            let between = |i, j| self.distance.between(self.queries.row(i), self.columns().row(j));
            return list.anchor(index, between);
        }
        let columns = (0..self.shape.references()).filter(|&j| self.is_pair(index, j));
        let (positives, negatives) = columns.partition(|&j| self.is_positive(index, j));
        Anchor {
            index,
            name: index,
            label: self.labels[index],
            distances: self.distances(index).into(),
            positives,
            negatives,
            weights: Vec::new(),
            order: None,
        }
    }

    /// Whether rows i and j are a pair: no row is paired with itself.
    fn is_pair(&self, i: usize, j: usize) -> bool {
        self.shape.own_column(i) != Some(j)
    }

    fn is_positive(&self, i: usize, j: usize) -> bool {
        match self.shape.mode() {
            Mode::Batch | Mode::Reference | Mode::Prototypes | Mode::Scores => {
                self.labels[i] == self.column_labels[j]
            }
            // Those of a list have their own.
            _ => false,
        }
    }

    /// The distances of a row; a score is a negated distance.
    fn distances(&self, index: usize) -> Vec<Bounded> {
        if self.shape.mode() == Mode::Scores {
            return self
                .queries
                .row(index)
                .raw()
                .iter()
                .map(|&score| Bounded::input(-score))
                .collect();
        }
        let x: Point = self.queries.row(index);
        let columns = self.columns();
        (0..columns.len()).map(|j| self.distance.between(x, columns.row(j))).collect()
    }
}

impl Anchors<Bounded> for Problem<'_> {
    fn map_anchors<T: Send + Sync>(
        &self,
        find: impl Fn(Anchor<'_, Bounded>) -> T + Sync,
    ) -> Vec<T> {
        self.map_some_anchors(0..self.anchors(), &find)
    }

    fn map_columns<T: Send + Sync>(
        &self,
        find: impl Fn(Anchor<'_, Bounded>) -> T + Sync,
    ) -> Vec<T> {
        let Some(references) = &self.references else { return self.map_anchors(find) };
        let turned = Problem {
            shape: self.shape.turned(),
            queries: references.clone(),
            references: Some(self.queries.clone()),
            learned: self.learned.clone(),
            list: None,
            labels: &self.column_labels,
            column_labels: self.labels.into(),
            weights: Cow::default(),
            ..*self
        };
        turned.map_anchors(find)
    }

    fn is_one_sided(&self) -> bool {
        self.shape.is_one_sided()
    }

    fn first_row(&self) -> usize {
        self.shape.first_row()
    }

    fn first_column(&self) -> usize {
        self.shape.reference_offset().unwrap_or(0)
    }

    fn dimensions(&self) -> usize {
        self.shape.dimensions()
    }

    fn learned(&self) -> &[f64] {
        &self.learned
    }

    fn weights(&self) -> &[f32] {
        &self.weights
    }

    fn targets(&self) -> &[f32] {
        self.targets
    }
}

/// How often the row that is listed most is listed.
fn most_pairs_of_a_row(list: &List, rows: usize) -> usize {
    let mut counts = vec![0; rows];
    let pairs = list.pairs(0..list.parts()).iter();
    pairs.flat_map(|pair| pair.rows).for_each(|row| counts[row] += 1);
    counts.into_iter().max().unwrap_or_default()
}
