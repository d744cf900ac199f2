//! Distances between two rows.

use serde::{Deserialize, Serialize};

use crate::names::named;

/// A distance d(x, y) between rows of D numbers; smaller is nearer.
///
/// | | d(x, y) | gradient with respect to x |
/// |---|---|---|
/// | `Euclidean` | sqrt(sum (x - y)^2) | (x - y) / d, 0 where d = 0 |
/// | `SquaredEuclidean` | sum (x - y)^2 | 2 (x - y) |
/// | `Manhattan` | sum abs(x - y) | sign(x - y), sign(0) = 0 |
/// | `Cosine` | 1 - x.y / (norm x * norm y) | (c u - v) / norm x, with the unit rows u, v and their cosine c |
/// | `InnerProduct` | - x.y | - y |
///
/// The kernels take the first three, and `Cosine` on unit rows, from coordinate differences, never
/// from the expansion |x|^2 + |y|^2 - 2 x.y, which loses every digit for near-duplicates:
/// duplicates are at exactly 0 and the relative error stays near f32's rounding at any nearness. A
/// row whose norm is below the smallest normal f32 (1.18e-38) counts as a row of norm 0: at
/// `Cosine` distance 1 from everything, with gradient
/// 0. So does a Euclidean distance below it count as 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
// Their order is the number that `shaders/shared/distance.wgsl` knows them by.
#[non_exhaustive]
pub enum Distance {
    /// sqrt(sum (x - y)^2), in [0, inf).
    #[default]
    Euclidean,
    /// sum (x - y)^2, in [0, inf).
    SquaredEuclidean,
    /// sum abs(x - y), in [0, inf).
    Manhattan,
    /// 1 - cosine of the angle between x and y, in [0, 2].
    Cosine,
    /// The negated inner product, in (-inf, inf).
    InnerProduct,
}

named! {
    /// Every distance, in the order of the table above.
    Distance, "distance":
    Euclidean,
    SquaredEuclidean,
    Manhattan,
    Cosine,
    InnerProduct,
}

impl Distance {
    /// Whether it compares the rows divided by their norms.
    pub(crate) fn is_of_unit_rows(self) -> bool {
        self == Self::Cosine
    }
}
