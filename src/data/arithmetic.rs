//! How distances are computed.

use crate::data::mode::Mode;
use crate::loss::Distance;
use crate::names::named;

/// How a GPU computes the distances between all rows of a matrix, and sums up their gradients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Arithmetic {
    /// From the differences of rows: a subtraction and a multiply-add for each pair and dimension.
    #[default]
    Exact,
    /// The Euclidean distance and its square between all rows of a matrix as
    /// |x|^2 + |y|^2 - 2 x.y, and their gradient as (sum of c) x - sum of c y: a multiply-add for
    /// each pair and dimension. The rows are those less a centre, which is the mean of 1,024 evenly
    /// spaced ones, or of all where there are fewer, of the references where there are any. A pair
    /// whose squared distance is less than a sixteenth of |x|^2 + |y|^2 would lose too much, and is
    /// computed from its difference in both, as are squared distances below 2^-80. Other distances,
    /// listed and row-aligned pairs, triplets of one per anchor in their gradient, and measures are
    /// computed as by `Exact`. Bounds are wider:
    /// [`reference::evaluate_with_bounds_in`](crate::reference::evaluate_with_bounds_in).
    Expanded,
    /// As `Expanded`, with x.y of distances from cooperative matrices of 8 x 8: each number of a
    /// row, less the centre and times a power of two of the row's own, is parted into two of f16,
    /// whose products are added up in f32. Never taken unless it is asked for: it needs a device
    /// with wgpu's experimental features, which `Arithmetic::features` names, of an adapter whose
    /// `wgpu::Adapter::cooperative_matrix_properties` have 8 x 8 x 8 from f16 to f32;
    /// `Adapter::open_experimental` checks that and makes one.
    Cooperative8,
    /// As [`Cooperative8`](Self::Cooperative8), with matrices of 16 x 16.
    Cooperative16,
}

named! {
    /// Every arithmetic.
    Arithmetic, "arithmetic":
    Exact "exact",
    Expanded "expanded",
    Cooperative8 "cooperative8",
    Cooperative16 "cooperative16",
}

impl Arithmetic {
    /// Whether it expands these distances in this mode.
    pub(crate) fn expands(self, mode: Mode, distance: Distance) -> bool {
        let is_square = matches!(distance, Distance::Euclidean | Distance::SquaredEuclidean);
        self != Self::Exact && is_square && mode.has_tiles()
    }

    /// Rows, columns and depth of the cooperative matrices that distances come from.
    #[cfg(any(feature = "gpu", feature = "reference"))]
    pub(crate) const fn matrix_side(self) -> Option<u32> {
        match self {
            Self::Exact | Self::Expanded => None,
            Self::Cooperative8 => Some(8),
            Self::Cooperative16 => Some(16),
        }
    }
}

/// Rows that the centre is the mean of: so many at most, evenly spaced.
pub(crate) const CENTRE_ROWS: usize = 1024;

/// Below this share of |x|^2 + |y|^2 a squared distance is not taken from them: `NEAR_SHARE` of
/// `shaders/distance/pairwise.wgsl`.
#[cfg(feature = "reference")]
pub(crate) const NEAR_SHARE: f64 = 1.0 / 16.0;

/// Below it, at the scale that squares are taken at, a pair is near: `TINY` of
/// `shaders/distance/pairwise.wgsl`.
#[cfg(feature = "reference")]
pub(crate) const TINY: f64 = 1.0 / (1_u128 << 80) as f64;

/// The largest coordinates of batches whose rows are not scaled before they are squared:
/// `shaders/shared/scaled.wgsl`.
#[cfg(feature = "reference")]
pub(crate) const ORDINARY: std::ops::Range<f64> = 1.0 / 1024.0..(1_u64 << 57) as f64;

/// From row to row of those that the centre of so many rows is the mean of.
#[cfg(feature = "reference")]
pub(crate) fn centre_step(rows: usize) -> usize {
    rows.div_ceil(CENTRE_ROWS).max(1)
}
