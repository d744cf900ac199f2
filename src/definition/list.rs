//! Listed pairs, with the rows of one set or of two: what stands in the place of a matrix of
//! distances.

use std::ops::Range;

use super::anchor::Anchor;
use super::number::Number;
use crate::data::batch::Batch;
use crate::data::mode::Mode;

/// Pairs that are seen at a time; an even number, so that the two pairs of a triplet stay together.
pub(crate) const PART: usize = 4096;

/// A pair of rows.
#[derive(Clone, Copy)]
pub(crate) struct Pair {
    pub rows: [usize; 2],
    pub kind: PairKind,
}

/// What the two rows of a pair should be to each other.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum PairKind {
    Positive,
    Negative,
    /// As similar as a target says.
    Scored,
}

impl PairKind {
    fn of(is_positive: bool) -> Self {
        if is_positive { Self::Positive } else { Self::Negative }
    }
}

/// The pairs in their order; every triplet is its positive pair and its negative pair.
pub(crate) struct List {
    pairs: Vec<Pair>,
    /// What the term of every pair is multiplied by; nothing where there are no weights.
    weights: Vec<f32>,
}

impl List {
    /// What a batch lists; `None` where its mode has no list.
    pub(crate) fn of(batch: &Batch) -> Option<Self> {
        let pair = |i, j, kind| Pair { rows: [i as usize, j as usize], kind };
        let kinds = batch.same().iter().map(|&same| PairKind::of(same == 1));
        let pairs = match batch.shape().mode() {
            Mode::PairRows => (0..).zip(kinds).map(|(row, kind)| pair(row, row, kind)).collect(),
            Mode::PairIndices => {
                let listed = batch.listed_pairs().iter().zip(kinds);
                listed.map(|(&[i, j], kind)| pair(i, j, kind)).collect()
            }
            Mode::ScoredPairRows => {
                let rows = 0..batch.shape().listed() as u32;
                rows.map(|row| pair(row, row, PairKind::Scored)).collect()
            }
            Mode::ScoredPairIndices => {
                let listed = batch.listed_pairs().iter();
                listed.map(|&[i, j]| pair(i, j, PairKind::Scored)).collect()
            }
            Mode::Triplets => {
                let pairs_of = |&[a, p, n]: &[u32; 3]| {
                    [pair(a, p, PairKind::Positive), pair(a, n, PairKind::Negative)]
                };
                batch.listed_triplets().iter().flat_map(pairs_of).collect()
            }
            Mode::Batch | Mode::Reference | Mode::Prototypes | Mode::Scores | Mode::Pointwise => {
                return None;
            }
        };
        let per_weight = if batch.shape().mode() == Mode::Triplets { 2 } else { 1 };
        let weights = batch.weights().iter();
        let weights = weights.flat_map(|&weight| std::iter::repeat_n(weight, per_weight)).collect();
        Some(Self { pairs, weights })
    }

    /// How many parts it is seen in.
    pub(crate) fn parts(&self) -> usize {
        self.pairs.len().div_ceil(PART)
    }

    /// The pairs of these parts.
    pub(crate) fn pairs(&self, parts: Range<usize>) -> &[Pair] {
        &self.pairs[parts.start * PART..(parts.end * PART).min(self.pairs.len())]
    }

    /// A part, as if it were the row of an anchor: the pairs are its columns.
    pub(crate) fn anchor<N: Number>(
        &self,
        part: usize,
        distance: impl Fn(usize, usize) -> N::Stored,
    ) -> Anchor<'static, N> {
        let pairs = self.pairs(part..part + 1);
        let of_kind = |kind| (0..pairs.len()).filter(|&at| pairs[at].kind == kind).collect();
        let (positives, negatives) = (of_kind(PairKind::Positive), of_kind(PairKind::Negative));
        let distances = pairs.iter().map(|pair| distance(pair.rows[0], pair.rows[1])).collect();
        let weights = self.weights.iter().skip(part * PART).take(pairs.len()).copied().collect();
        Anchor {
            index: part,
            name: part,
            label: 0,
            distances,
            positives,
            negatives,
            weights,
            order: None,
        }
    }
}
