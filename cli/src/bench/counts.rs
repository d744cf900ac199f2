//! How many vector operations the inner loops of the kernels issue: counted in the machine code
//! that RADV makes of them for navi21, an RDNA2.

use wgpu_metric_learning::Distance;

/// For each pair and dimension, the most of all variants of a kernel. A test of the program holds
/// them against docs/isa.md, by the names that its lines have.
pub(crate) const OPERATIONS: [(&str, f64); 52] = [
    ("distance/pairwise expanded, tile 128 x 128, Euclidean", 1.04),
    ("distance/pairwise expanded, tile 128 x 128, SquaredEuclidean", 1.03),
    ("distance/pairwise expanded, tile 64 x 64, Euclidean", 1.08),
    ("distance/pairwise expanded, tile 64 x 64, SquaredEuclidean", 1.07),
    ("distance/pairwise, tile 128 x 128, Cosine", 2.01),
    ("distance/pairwise, tile 128 x 128, Euclidean", 2.03),
    ("distance/pairwise, tile 128 x 128, InnerProduct", 1.01),
    ("distance/pairwise, tile 128 x 128, Manhattan", 2.01),
    ("distance/pairwise, tile 128 x 128, SquaredEuclidean", 2.01),
    ("distance/pairwise, tile 64 x 64, Cosine", 2.03),
    ("distance/pairwise, tile 64 x 64, Euclidean", 2.06),
    ("distance/pairwise, tile 64 x 64, InnerProduct", 1.03),
    ("distance/pairwise, tile 64 x 64, Manhattan", 2.03),
    ("distance/pairwise, tile 64 x 64, SquaredEuclidean", 2.03),
    ("gradient/expanded, tile 64 x 128, Euclidean", 1.12),
    ("gradient/expanded, tile 64 x 128, SquaredEuclidean", 1.12),
    ("gradient/expanded, tile 64 x 64, Euclidean", 1.21),
    ("gradient/expanded, tile 64 x 64, SquaredEuclidean", 1.21),
    ("gradient/finished, tile 128 x 128, Cosine", 2.05),
    ("gradient/finished, tile 128 x 128, Euclidean", 2.05),
    ("gradient/finished, tile 128 x 128, InnerProduct", 1.05),
    ("gradient/finished, tile 128 x 128, Manhattan", 5.05),
    ("gradient/finished, tile 128 x 128, SquaredEuclidean", 2.05),
    ("gradient/finished, tile 64 x 128, Cosine", 2.05),
    ("gradient/finished, tile 64 x 128, Euclidean", 2.05),
    ("gradient/finished, tile 64 x 128, InnerProduct", 1.05),
    ("gradient/finished, tile 64 x 128, Manhattan", 5.05),
    ("gradient/finished, tile 64 x 128, SquaredEuclidean", 2.05),
    ("gradient/finished, tile 64 x 64, Cosine", 2.09),
    ("gradient/finished, tile 64 x 64, Euclidean", 2.09),
    ("gradient/finished, tile 64 x 64, InnerProduct", 1.09),
    ("gradient/finished, tile 64 x 64, Manhattan", 5.09),
    ("gradient/finished, tile 64 x 64, SquaredEuclidean", 2.09),
    ("gradient/finished_expanded, tile 64 x 128, Euclidean", 1.13),
    ("gradient/finished_expanded, tile 64 x 128, SquaredEuclidean", 1.13),
    ("gradient/finished_expanded, tile 64 x 64, Euclidean", 1.23),
    ("gradient/finished_expanded, tile 64 x 64, SquaredEuclidean", 1.23),
    ("gradient/pairwise, tile 128 x 128, Cosine", 2.04),
    ("gradient/pairwise, tile 128 x 128, Euclidean", 2.04),
    ("gradient/pairwise, tile 128 x 128, InnerProduct", 1.04),
    ("gradient/pairwise, tile 128 x 128, Manhattan", 5.04),
    ("gradient/pairwise, tile 128 x 128, SquaredEuclidean", 2.04),
    ("gradient/pairwise, tile 64 x 128, Cosine", 2.04),
    ("gradient/pairwise, tile 64 x 128, Euclidean", 2.04),
    ("gradient/pairwise, tile 64 x 128, InnerProduct", 1.03),
    ("gradient/pairwise, tile 64 x 128, Manhattan", 5.04),
    ("gradient/pairwise, tile 64 x 128, SquaredEuclidean", 2.04),
    ("gradient/pairwise, tile 64 x 64, Cosine", 2.06),
    ("gradient/pairwise, tile 64 x 64, Euclidean", 2.06),
    ("gradient/pairwise, tile 64 x 64, InnerProduct", 1.06),
    ("gradient/pairwise, tile 64 x 64, Manhattan", 5.06),
    ("gradient/pairwise, tile 64 x 64, SquaredEuclidean", 2.06),
];

/// The vector operations for each pair and dimension of a kernel in tiles, which is named by its
/// file; of its variant for expanded distances, where it has one and they are.
pub(crate) fn operations(
    kernel: &str,
    [rows, columns]: [u64; 2],
    distance: Distance,
    is_expanded: bool,
) -> Option<f64> {
    let count = |variant: &str| {
        let name = format!("{kernel}{variant}, tile {rows} x {columns}, {}", distance.name());
        OPERATIONS.iter().find(|(known, _)| *known == name).map(|(_, count)| *count)
    };
    count(" expanded").filter(|_| is_expanded).or_else(|| count(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_in_tiles_are_counted_and_others_are_not() {
        for distance in Distance::ALL {
            let exact = operations("distance/pairwise", [64, 64], distance, false).unwrap();
            let expanded = operations("distance/pairwise", [64, 64], distance, true).unwrap();
            let is_square = matches!(distance, Distance::Euclidean | Distance::SquaredEuclidean);
            assert_eq!(expanded < 0.6 * exact, is_square, "{distance}");
            assert!(operations("gradient/pairwise", [64, 128], distance, false).is_some());
            assert_eq!(operations("terms/contrastive", [64, 64], distance, false), None);
        }
    }
}
