//! One row of the distance matrix, as the definitions of the losses read it.

use std::borrow::Cow;

use super::columns::Columns;
use super::number::{Number, ROUNDING, Term};

/// One row of the distance matrix.
pub(crate) struct Anchor<'a, N: Number> {
    /// Its row in the matrix.
    pub index: usize,
    /// Its row in the batch.
    pub name: usize,
    pub label: u32,
    /// The distance to every column; that of an anchor to itself belongs to no pair.
    pub distances: Cow<'a, [N::Stored]>,
    /// The columns with the anchor's label, ascending.
    pub positives: Columns,
    /// The columns with another label, ascending.
    pub negatives: Columns,
    /// Of a list: what the term of every pair is multiplied by, of a triplet twice; nothing where
    /// there are no weights, and of a matrix.
    pub weights: Vec<f32>,
    /// Where the columns of the matrix stand in another order than those of the batch.
    pub order: Option<&'a Order>,
}

/// The rows of a batch in another order.
pub(crate) struct Order {
    /// The row of the batch that stands at each place.
    pub names: Vec<u32>,
    /// The place of each row of the batch.
    pub places: Vec<u32>,
}

impl<N: Number> Anchor<'_, N> {
    pub(crate) fn distance(&self, column: usize) -> N {
        self.distances[column].into()
    }

    /// The term of a column, times its weight where it has one.
    pub(crate) fn weighed(&self, column: usize, term: Term<N>) -> Term<N> {
        let Some(&weight) = self.weights.get(column) else { return term };
        // Kernels may take the weight first.
        let times = |number: N| (N::input(weight) * number).widened(ROUNDING);
        Term { value: times(term.value), slope: times(term.slope), ..term }
    }

    /// What a column is in the batch: between equals the lower one goes first.
    pub(crate) fn name_of(&self, column: usize) -> usize {
        self.order.map_or(column, |order| order.names[column] as usize)
    }

    /// The negatives in the order of the batch.
    pub(crate) fn negatives_in_order(&self) -> Vec<usize> {
        match self.order {
            None => self.negatives.iter().collect(),
            Some(order) => {
                let places = order.places.iter().map(|&place| place as usize);
                places.filter(|&place| self.negatives.contains(place)).collect()
            }
        }
    }

    /// The sum of something of the distances at these columns.
    pub(crate) fn sum(&self, columns: &Columns, of: impl Fn(N) -> N) -> N {
        let mut total = N::Total::default();
        N::sum_at(&self.distances, columns, &mut total, of);
        total.into()
    }
}
