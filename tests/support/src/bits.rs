//! Results that are compared bit by bit.

use wgpu_metric_learning::Evaluation;

/// Every number of a result, bit by bit.
pub fn bits(evaluation: &Evaluation) -> (Vec<u32>, [u64; 6]) {
    let Evaluation { loss, mean_positive_distance, mean_negative_distance, gradient, .. } =
        evaluation;
    let tables =
        [&evaluation.gradient_references, &evaluation.gradient_beta, &evaluation.per_anchor];
    let singles = [loss, mean_positive_distance, mean_negative_distance];
    let numbers = singles.into_iter().chain(gradient).chain(tables.into_iter().flatten().flatten());
    let counts = [
        evaluation.terms,
        evaluation.nonzero_terms,
        evaluation.nonzero_positive_terms,
        evaluation.nonzero_negative_terms,
        evaluation.positive_pairs,
        evaluation.negative_pairs,
    ];
    (numbers.map(|number| number.to_bits()).collect(), counts)
}
