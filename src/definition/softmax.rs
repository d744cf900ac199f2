//! The softmax of an anchor's distances, for the losses that hold a distance against it.

use super::anchor::Anchor;
use super::columns::Columns;
use super::number::{Number, ROUNDING};

/// What exp(scale (nearest - d)) of some columns add up to, with the nearest of them taken out
/// first.
pub(crate) struct Softmax<N> {
    /// The distance of the nearest. How far f32 may be from it is in the logarithm, since what f32
    /// finds for it is off for all columns alike.
    nearest: f64,
    /// The sum of the exponentials.
    pub sum: N,
    /// Its logarithm.
    logarithm: N,
    /// The mean of nearest - d by the exponentials.
    behind: N,
}

impl<N: Number> Softmax<N> {
    /// `None` of nothing. `parts` become the exponentials, in the places of their columns.
    pub(crate) fn of(
        anchor: &Anchor<N>,
        columns: &Columns,
        scale: N,
        parts: &mut [N],
    ) -> Option<Self> {
        let distances = &anchor.distances;
        let nearest = -N::largest_at(distances, columns, |d| -d)?;
        let lead = |d: N| N::new(nearest - d.value(), d.error()).widened(ROUNDING);
        let part = |d: N| (scale * lead(d)).exp();
        let (mut sum, mut behind) = (N::Total::default(), N::Total::default());
        N::map_at(distances, columns, parts, part);
        N::sum_at(parts, columns, &mut sum, |part| part);
        N::sum_at(distances, columns, &mut behind, |d| part(d) * lead(d));
        let (sum, behind): (N, N) = (sum.into(), behind.into());
        let logarithm = logarithm(sum, anchor, columns, scale);
        Some(Self {
            nearest,
            sum,
            logarithm,
            behind: within(behind / sum, anchor, columns, nearest),
        })
    }

    /// scale d less what the columns come to: log(sum of exp(scale (d - d_c))).
    pub(crate) fn over(&self, scale: N, d: N) -> N {
        scale * (d - N::exact(self.nearest)) + self.logarithm
    }

    /// The mean of the columns' distances by the exponentials.
    pub(crate) fn mean(&self) -> N {
        N::exact(self.nearest) - self.behind
    }

    /// d less the mean of the columns' distances: the derivative of `over` by the scale.
    pub(crate) fn apart(&self, d: N) -> N {
        d - N::exact(self.nearest) + self.behind
    }
}

/// The logarithm of the sum of exponentials, which is between what f32 may be off for the nearest
/// and log(count) more.
fn logarithm<N: Number>(sum: N, anchor: &Anchor<N>, columns: &Columns, scale: N) -> N {
    let logarithm = sum.ln();
    if !N::IS_BOUNDED {
        return logarithm;
    }
    let errors = columns.iter().map(|c| (scale * anchor.distance(c)).error());
    logarithm.within_log(errors.fold(0.0, f64::max) + (columns.len() as f64).ln())
}

/// The mean of how far the columns are behind the nearest, where f32 can find none that is farther
/// than the farthest of them.
fn within<N: Number>(mean: N, anchor: &Anchor<N>, columns: &Columns, nearest: f64) -> N {
    if !N::IS_BOUNDED {
        return mean;
    }
    let behind = columns.iter().map(|c| anchor.distance(c).magnitude() - nearest);
    N::new(mean.value(), mean.error().min(behind.fold(0.0, f64::max)))
}
