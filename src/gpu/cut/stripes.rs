//! How the N x M matrix is cut into stripes of rows that fit the workspace.

use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::loops::SUMMANDS_PER_DISPATCH;
use crate::wgsl::layout::LIST_STRIDE;
use crate::wgsl::terms::{Statistics, TermsKernel};

/// Bytes of a number of a stripe.
pub(crate) const BYTES: u64 = 4;

/// What the workspace holds of each pair of a stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// The distance alone: the anchors of the loss choose their pairs.
    Distance,
    /// The distance and the coefficient.
    DistanceAndCoefficient,
    /// The distance and the coefficient; where the matrix of a batch is cut there is a gradient by
    /// columns beside them.
    WithColumns,
}

impl Kept {
    /// What is kept for a loss with such terms that is alone on its matrix.
    pub(crate) fn for_terms(terms: &TermsKernel) -> Self {
        match terms {
            TermsKernel { chooses: true, .. } => Self::Distance,
            TermsKernel { symmetric: true, .. }
            | TermsKernel { statistics: Statistics::Ends, .. } => Self::DistanceAndCoefficient,
            _ => Self::WithColumns,
        }
    }

    const fn bytes(self) -> u64 {
        match self {
            Self::Distance => BYTES,
            Self::DistanceAndCoefficient | Self::WithColumns => 2 * BYTES,
        }
    }

    /// What a cut matrix needs beside its stripe, and takes from the workspace.
    fn bytes_beside(self, shape: &Shape) -> u64 {
        match self {
            Self::WithColumns if shape.mode() == Mode::Batch => {
                (shape.queries() * shape.dimensions()) as u64 * BYTES
            }
            _ => 0,
        }
    }
}

/// Stripes end on multiples of this, the `LINK` of `shaders/gradient/summation.wgsl`, so that its
/// sums are the same however the matrix is cut. A workspace too small for that many rows still
/// works, with sums that may differ in their rounding.
pub(crate) const LINK: u64 = 64;

/// Rows that a gradient takes at a time, the `STEP` there: smaller stripes end on multiples of it.
pub(crate) const STEP: u64 = 16;

/// The cut of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stripes {
    /// Columns from one row to the next: M rounded up to a multiple of 4.
    pub stride: u32,
    /// Rows of every stripe but the last.
    pub rows: u32,
    /// Rows in all: N, and of a list as many as it takes.
    pub height: u32,
}

impl Stripes {
    /// Cuts the matrix of `shape` so that what is kept of a stripe fits `budget` bytes together,
    /// and its distances and its coefficients each `binding` bytes, the most that a kernel may
    /// bind. What is kept beside them is in the budget too, as long as it is a small part of it.
    pub(crate) fn new(shape: &Shape, kept: Kept, budget: u64, binding: u64) -> Result<Self> {
        if shape.listed() > 0 {
            return Ok(Self::of_list(shape));
        }
        let widest = Self::cut(shape, kept, budget, binding)?;
        let beside = kept.bytes_beside(shape);
        if widest.is_single() || beside > budget / 4 {
            return Ok(widest);
        }
        let narrower = Self::cut(shape, kept, budget - beside, binding);
        Ok(narrower.ok().filter(|narrower| u64::from(narrower.rows) >= LINK).unwrap_or(widest))
    }

    /// Cuts the matrix of `shape` so that a stripe of distances fits what another matrix has for
    /// its own, `bytes`, unless that is less than a few rows.
    pub(crate) fn of_distances(shape: &Shape, bytes: u64, binding: u64) -> Result<Self> {
        let stride = shape.references().next_multiple_of(4) as u64;
        Self::cut(shape, Kept::Distance, bytes.max(STEP * stride * BYTES), binding)
    }

    fn cut(shape: &Shape, kept: Kept, budget: u64, binding: u64) -> Result<Self> {
        let stride = shape.references().next_multiple_of(4) as u64;
        let fits = (budget / (stride * kept.bytes())).min(binding / (stride * BYTES));
        // Kernels count the values of a stripe in u32, and sum up its rows in one dispatch.
        let fits = fits.min(u64::from(u32::MAX) / stride).min(SUMMANDS_PER_DISPATCH);
        if fits == 0 {
            let needed = stride * kept.bytes();
            let budget = budget.min(binding.saturating_mul(kept.bytes() / BYTES));
            return Err(Error::Workspace { needed, budget, columns: shape.references() });
        }
        let queries = shape.queries() as u64;
        let rows = if fits >= queries {
            queries
        } else {
            let multiple = [LINK, STEP].into_iter().find(|&multiple| multiple <= fits);
            fits - fits % multiple.unwrap_or(1)
        };
        Ok(Self { stride: stride as u32, rows: rows as u32, height: queries as u32 })
    }

    /// The cut where there is no matrix at all.
    pub(crate) fn none() -> Self {
        Self { stride: 4, rows: 1, height: 1 }
    }

    /// A list takes 8 bytes a pair here too, beside the 30 or so of the list itself: it is never
    /// cut.
    fn of_list(shape: &Shape) -> Self {
        let height = shape.pairs().div_ceil(LIST_STRIDE.into()) as u32;
        Self { stride: LIST_STRIDE, rows: height, height }
    }

    /// First row and number of rows of every stripe.
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = (u32, u32)> + use<> {
        let Self { rows, height, .. } = *self;
        (0..height).step_by(rows as usize).map(move |begin| (begin, rows.min(height - begin)))
    }

    /// How many rows the last stripe has.
    pub(crate) fn rows_of_last(&self) -> u64 {
        u64::from((self.height - 1) % self.rows + 1)
    }

    /// Whether one stripe is the whole matrix.
    pub(crate) fn is_single(&self) -> bool {
        self.rows == self.height
    }

    /// Bytes of a stripe of distances; one of coefficients is as large.
    pub(crate) fn bytes(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.stride) * BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANY: u64 = 1 << 30;
    const KEPT: Kept = Kept::DistanceAndCoefficient;

    #[test]
    fn a_matrix_that_fits_is_one_stripe() {
        let stripes = Stripes::new(&Shape::batch(100, 3), KEPT, 100 * 100 * 8, ANY).unwrap();
        assert!(stripes.is_single());
        assert_eq!(stripes.iter().collect::<Vec<_>>(), [(0, 100)]);
    }

    #[test]
    fn stripes_end_on_links_and_cover_every_row_once() {
        let stripes =
            |rows: u64| Stripes::new(&Shape::batch(201, 3), KEPT, 204 * 8 * rows, ANY).unwrap();
        let found = stripes(127);
        assert_eq!((found.stride, found.rows), (204, 64));
        assert_eq!(found.iter().collect::<Vec<_>>(), [(0, 64), (64, 64), (128, 64), (192, 9)]);
        // Smaller ones end on steps.
        assert_eq!([64, 63, 31, 15].map(|rows| stripes(rows).rows), [64, 48, 16, 15]);
    }

    #[test]
    fn distances_alone_leave_room_for_twice_the_rows() {
        let rows =
            |kept| Stripes::new(&Shape::batch(201, 3), kept, 204 * 8 * 64, ANY).unwrap().rows;
        assert_eq!([KEPT, Kept::Distance].map(rows), [64, 128]);
    }

    #[test]
    fn a_gradient_by_columns_is_in_the_workspace_of_a_cut_matrix() {
        let rows = |kept, rows: u64| {
            Stripes::new(&Shape::batch(1000, 3), kept, 8000 * rows, ANY).unwrap().rows
        };
        assert_eq!([KEPT, Kept::WithColumns].map(|kept| rows(kept, 129)), [128, 64]);
        // Not of so small a workspace that the sums would round differently, nor of one that holds
        // everything.
        assert_eq!([KEPT, Kept::WithColumns].map(|kept| rows(kept, 1)), [1, 1]);
        assert_eq!([KEPT, Kept::WithColumns].map(|kept| rows(kept, 64)), [64, 64]);
        assert_eq!([KEPT, Kept::WithColumns].map(|kept| rows(kept, 1000)), [1000, 1000]);
    }

    #[test]
    fn one_row_is_the_least() {
        let shape = Shape::batch(101, 3);
        assert_eq!(Stripes::new(&shape, KEPT, 104 * 8, ANY).unwrap().rows, 1);
        assert_eq!(Stripes::new(&shape, KEPT, ANY, 104 * 4).unwrap().rows, 1);
        let error = Stripes::new(&shape, KEPT, 104 * 8 - 1, ANY).unwrap_err();
        assert_eq!(error, Error::Workspace { needed: 832, budget: 831, columns: 101 });
    }
}
