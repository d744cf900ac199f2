//! Results that are compared bit by bit.

use wgpu_metric_learning::Evaluation;

/// Every number of a result, bit by bit.
pub fn bits(evaluation: &Evaluation) -> (Vec<u32>, [u64; 6]) {
    let mut numbers = Vec::new();
    evaluation.clone().map(|number| numbers.push(number.to_bits()));
    let counts = [
        evaluation.terms,
        evaluation.nonzero_terms,
        evaluation.nonzero_positive_terms,
        evaluation.nonzero_negative_terms,
        evaluation.positive_pairs,
        evaluation.negative_pairs,
    ];
    (numbers, counts)
}
