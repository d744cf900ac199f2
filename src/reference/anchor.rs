//! One row of the distance matrix, as the definitions of the losses read it.

use super::bounded::Bounded;

/// One row of the distance matrix.
pub(super) struct Anchor {
    pub index: usize,
    pub label: u32,
    /// The distance to every column; that of an anchor to itself belongs to no pair.
    pub distances: Vec<Bounded>,
    /// The columns with the anchor's label, ascending.
    pub positives: Vec<usize>,
    /// The columns with another label, ascending.
    pub negatives: Vec<usize>,
}

impl Anchor {
    /// The logits of the softmax family, -d / temperature, of every column.
    pub(crate) fn logits(&self, temperature: f32) -> Vec<Bounded> {
        self.distances.iter().map(|&d| -d / Bounded::exact(temperature.into())).collect()
    }
}
