//! What stands along the rows and the columns of a matrix: labels, and in which order.
//!
//! Columns stand by their labels, so that the positives of a row are neighbours, and so are the
//! negatives before and behind them.

use crate::data::batch::Batch;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::definition::anchor::{Anchor, Order};
use crate::definition::columns::Columns;

/// The rows and columns of a matrix, without what they are made of.
pub(super) struct Axes<'a> {
    pub shape: Shape,
    /// How the columns stand, and in a batch with them the rows, where not as they are given.
    pub order: Option<Order>,
    /// The label of every row, as they are given.
    labels: &'a [u32],
    /// The label of every column, ascending.
    column_labels: Vec<u32>,
}

impl<'a> Axes<'a> {
    pub(super) fn of(batch: &Batch<'a>) -> Self {
        let shape = *batch.shape();
        let order = match shape.mode() {
            Mode::Batch => by_label(batch.labels()),
            Mode::Reference => by_label(batch.reference_labels()),
            _ => None,
        };
        let labels = batch.column_labels();
        let column_labels = match &order {
            Some(order) => order.names.iter().map(|&row| labels[row as usize]).collect(),
            None => labels.into_owned(),
        };
        Self { shape, order, labels: batch.labels(), column_labels }
    }

    /// How the rows stand, where not as they are given.
    pub(super) fn order_of_rows(&self) -> Option<&Order> {
        self.order.as_ref().filter(|_| self.shape.mode() == Mode::Batch)
    }

    /// An anchor of its row of distances.
    pub(super) fn anchor<'d>(&'d self, index: usize, distances: &'d [f32]) -> Anchor<'d, f64> {
        let name = self.order_of_rows().map_or(index, |order| order.names[index] as usize);
        let label = self.labels[name];
        let start = self.column_labels.partition_point(|&one| one < label);
        let same = self.column_labels[start..].partition_point(|&one| one == label);
        let positives = Columns::from(start..start + same);
        let negatives = Columns::of([0..start, start + same..self.column_labels.len()]);
        // No row is paired with itself.
        let itself = self.shape.own_column(name).map(|column| {
            self.order.as_ref().map_or(column, |order| order.places[column] as usize)
        });
        let without = |columns: Columns| match itself {
            Some(itself) => columns.without(itself),
            None => columns,
        };
        Anchor {
            index,
            name,
            label,
            distances: distances[..self.shape.references()].into(),
            positives: without(positives),
            negatives: without(negatives),
            weights: Vec::new(),
            order: self.order.as_ref(),
        }
    }
}

/// The order by labels, of equal ones the first first; `None` where it is the given one.
fn by_label(labels: &[u32]) -> Option<Order> {
    if labels.is_sorted() {
        return None;
    }
    let mut names: Vec<_> = (0..labels.len() as u32).collect();
    names.sort_by_key(|&row| labels[row as usize]);
    let mut places = vec![0; names.len()];
    for (place, &name) in (0..).zip(&names) {
        places[name as usize] = place;
    }
    Some(Order { names, places })
}
