//! One row of the distance matrix, as the definitions of the losses read it.

use super::number::Number;

/// One row of the distance matrix.
pub(crate) struct Anchor<N> {
    pub index: usize,
    pub label: u32,
    /// The distance to every column; that of an anchor to itself belongs to no pair.
    pub distances: Vec<N>,
    /// The columns with the anchor's label, ascending.
    pub positives: Vec<usize>,
    /// The columns with another label, ascending.
    pub negatives: Vec<usize>,
}

impl<N: Number> Anchor<N> {
    /// The logits of the softmax family, -d / temperature, of every column.
    pub(crate) fn logits(&self, temperature: f32) -> Vec<N> {
        self.distances.iter().map(|&d| -d / N::exact(temperature.into())).collect()
    }
}
