//! What the dense way in PyTorch moves through memory for the same loss, whatever computes it.

/// How many matrices of N x M numbers an eager evaluation reads and writes, forward and backward.
///
/// Counted by hand, operator by operator, in `benches/peers/dense_torch.py`: an operator reads its
/// inputs and writes its result, a matrix of booleans is a quarter, what is broadcast is nothing,
/// and a gradient that two operators share is added up once. Rounded to whole ones. The matrix
/// products are counted by the matrix that they read or write.
struct Passes {
    name: &'static str,
    /// Of N x M numbers.
    matrices: u64,
    /// Of N x M numbers for each positive of a row: of all triplets alone.
    cubes: u64,
}

/// `cdist` takes 15.5 of the matrices and the masks of pairs 2.25.
const ALL: [Passes; 9] = [
    Passes { name: "contrastive", matrices: 42, cubes: 0 },
    Passes { name: "triplet_all", matrices: 29, cubes: 11 },
    Passes { name: "triplet_hard", matrices: 30, cubes: 0 },
    Passes { name: "lifted", matrices: 86, cubes: 0 },
    Passes { name: "multi_margin", matrices: 38, cubes: 0 },
    Passes { name: "margin", matrices: 50, cubes: 0 },
    Passes { name: "ntxent", matrices: 55, cubes: 0 },
    Passes { name: "supcon", matrices: 39, cubes: 0 },
    Passes { name: "sig_lip", matrices: 53, cubes: 0 },
];

/// The bytes that the dense way of a benchmarked loss moves on rows with so many positives each:
/// 4 N M (matrices + cubes x positives). `None` for a loss that `benches/peers` does not have.
pub(crate) fn bytes(name: &str, [n, m]: [usize; 2], positives: usize) -> Option<u64> {
    let passes = ALL.iter().find(|passes| passes.name == name)?;
    let each = passes.matrices + passes.cubes * positives as u64;
    Some(4 * n as u64 * m as u64 * each)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objective::benchmarked;

    #[test]
    fn every_benchmarked_loss_has_its_passes() {
        let names = benchmarked().map(|(name, _)| name);
        assert_eq!(names, ALL.map(|passes| passes.name));
        assert_eq!(bytes("contrastive", [10, 10], 7), Some(4 * 100 * 42));
        assert_eq!(bytes("triplet_all", [10, 10], 7), Some(4 * 100 * (29 + 77)));
        assert_eq!(bytes("Contrastive Euclidean", [10, 10], 7), None);
    }
}
