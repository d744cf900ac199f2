//! What the terms of a rank come to, as it travels.

use super::communicator::{halves, whole};
use crate::data::evaluation::Evaluation;

/// Sums over the terms and pairs of a rank, or of all. They are sums, not means: those of the ranks
/// are added.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sums {
    pub loss: f64,
    /// Of positive and of negative pairs.
    pub distances: [f64; 2],
    pub terms: u64,
    /// All, of positive pairs, of negative pairs.
    pub nonzero: [u64; 3],
    /// Positive and negative ones.
    pub pairs: [u64; 2],
    /// The derivatives by the numbers that the loss learns, one after the other.
    pub learned: Vec<f64>,
}

impl Sums {
    /// Words of sums with so many learned numbers.
    pub(super) fn words(learned: usize) -> usize {
        2 * (9 + learned)
    }

    /// How many terms of an evaluation count as not 0: all, of positive pairs, of negative pairs.
    pub(super) fn nonzero_of(evaluation: &Evaluation) -> [u64; 3] {
        let Evaluation { nonzero_terms, nonzero_positive_terms, nonzero_negative_terms, .. } =
            evaluation;
        [*nonzero_terms, *nonzero_positive_terms, *nonzero_negative_terms]
    }

    /// Those of an evaluation whose reduction has divided them by this.
    pub(super) fn of(evaluation: &Evaluation, divisor: f64) -> Self {
        let pairs = [evaluation.positive_pairs, evaluation.negative_pairs];
        let means = [evaluation.mean_positive_distance, evaluation.mean_negative_distance];
        let beta = evaluation.gradient_beta.iter().flatten();
        let learned = beta.chain(&evaluation.gradient_scale).chain(&evaluation.gradient_bias);
        Self {
            loss: divisor * f64::from(evaluation.loss),
            distances: [0, 1].map(|kind| f64::from(means[kind]) * pairs[kind] as f64),
            terms: evaluation.terms,
            nonzero: Self::nonzero_of(evaluation),
            pairs,
            learned: learned.map(|&slope| divisor * f64::from(slope)).collect(),
        }
    }

    pub(super) fn to_words(&self) -> Vec<u32> {
        let [positive, negative] = self.distances;
        let numbers = [self.loss, positive, negative].into_iter().chain(self.learned.clone());
        let counts = [self.terms].into_iter().chain(self.nonzero).chain(self.pairs);
        counts.chain(numbers.map(f64::to_bits)).flat_map(halves).collect()
    }

    pub(super) fn from_words(words: &[u32]) -> Self {
        let bits: Vec<_> = words.chunks_exact(2).map(whole).collect();
        let number = |at: usize| f64::from_bits(bits[at]);
        Self {
            terms: bits[0],
            nonzero: [bits[1], bits[2], bits[3]],
            pairs: [bits[4], bits[5]],
            loss: number(6),
            distances: [number(7), number(8)],
            learned: (9..bits.len()).map(number).collect(),
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.loss += other.loss;
        self.terms += other.terms;
        let pairs = self.distances.iter_mut().zip(other.distances);
        pairs.for_each(|(sum, distance)| *sum += distance);
        self.nonzero.iter_mut().zip(other.nonzero).for_each(|(sum, count)| *sum += count);
        self.pairs.iter_mut().zip(other.pairs).for_each(|(sum, count)| *sum += count);
        self.learned.resize(other.learned.len().max(self.learned.len()), 0.0);
        self.learned.iter_mut().zip(&other.learned).for_each(|(sum, slope)| *sum += slope);
    }

    /// The mean distance of a kind of pairs; 0 where there are none.
    pub(super) fn mean_distance(&self, kind: usize) -> f64 {
        if self.pairs[kind] == 0 { 0.0 } else { self.distances[kind] / self.pairs[kind] as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_travels_arrives() {
        let sums = Sums {
            loss: 0.1,
            distances: [f64::MAX, -1.0e-300],
            terms: u64::MAX,
            nonzero: [1, 1 << 40, 3],
            pairs: [4, 5],
            learned: vec![-0.3, 7.0],
        };
        let words = sums.to_words();
        assert_eq!(words.len(), Sums::words(2));
        assert_eq!(Sums::from_words(&words), sums);
    }
}
