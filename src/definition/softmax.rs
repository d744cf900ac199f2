//! The softmax of an anchor's distances, for the losses that hold a distance against it.

use std::ops::Range;

use super::anchor::Anchor;
use super::columns::Columns;
use super::number::{Number, ROUNDING};

/// The distances of some columns, weighed by exp(scale (nearest - d)): the softmax of what is the
/// larger the nearer they are.
pub(crate) struct Softmin<N> {
    /// The distance of the nearest, as f64 has it. How far f32 may be from it is in what is taken of
    /// the exponentials, since what f32 finds for it is off for all columns alike.
    nearest: f64,
    /// The sum of the exponentials.
    pub sum: N,
    /// The mean of nearest - d by the exponentials.
    behind: N,
}

impl<N: Number> Softmin<N> {
    /// `None` of nothing. `parts` become the exponentials, in the places of their columns.
    pub(crate) fn of(
        anchor: &Anchor<N>,
        columns: &Columns,
        scale: N,
        parts: &mut [N],
    ) -> Option<Self> {
        let distances = &anchor.distances;
        let nearest = -N::largest_at(distances, columns, |d| -d)?;
        N::map_at(distances, columns, parts, |d| (scale * lead(nearest, d)).exp());
        let (mut sum, mut behind) = (N::Total::default(), N::Total::default());
        N::sum_at(parts, columns, &mut sum, |part| part);
        N::sum_of_both_at(distances, parts, columns, &mut behind, |d, part| {
            part * lead(nearest, d)
        });
        Some(Self::new(anchor, columns.iter(), nearest, sum.into(), behind.into()))
    }

    /// That of every so many neighbouring columns. `parts` become the exponentials of all. These are
    /// taken of all at once, for so few are too few for the processor's vectors.
    pub(crate) fn of_groups(
        anchor: &Anchor<N>,
        size: usize,
        scale: N,
        parts: &mut [N],
    ) -> Vec<Self> {
        let count = parts.len();
        let groups = || (0..count).step_by(size).map(|first| first..first + size);
        let distances = |group: Range<usize>| group.map(|column| anchor.distance(column).value());
        let nearest: Vec<_> =
            groups().map(|group| distances(group).fold(f64::INFINITY, f64::min)).collect();
        for (group, &nearest) in groups().zip(&nearest) {
            for column in group {
                parts[column] = scale * lead(nearest, anchor.distance(column));
            }
        }
        N::change_at(parts, &Columns::from(0..count), N::exp);
        let softmin = |(group, nearest): (Range<usize>, f64)| {
            let (mut sum, mut behind) = (N::Total::default(), N::Total::default());
            for column in group.clone() {
                sum += parts[column];
                behind += parts[column] * lead(nearest, anchor.distance(column));
            }
            Self::new(anchor, group, nearest, sum.into(), behind.into())
        };
        groups().zip(nearest).map(softmin).collect()
    }

    /// Of what the columns' leads come to by the exponentials. f32 finds no mean of them that is beyond
    /// the farthest.
    fn new(
        anchor: &Anchor<N>,
        columns: impl Iterator<Item = usize>,
        nearest: f64,
        sum: N,
        behind: N,
    ) -> Self {
        let mean = behind / sum;
        if !N::IS_BOUNDED {
            return Self { nearest, sum, behind: mean };
        }
        let farthest = columns.map(|c| anchor.distance(c).magnitude() - nearest);
        let most = mean.error().min(farthest.fold(0.0, f64::max));
        Self { nearest, sum, behind: N::new(mean.value(), most) }
    }

    /// The mean of the columns' distances by the exponentials.
    pub(crate) fn mean(&self) -> N {
        N::exact(self.nearest) - self.behind
    }

    /// d less the mean of the columns' distances.
    pub(crate) fn apart(&self, d: N) -> N {
        d - N::exact(self.nearest) + self.behind
    }
}

/// What a distance is held against: a softmin, and the logarithm of the sum of its exponentials.
pub(crate) struct Softmax<N> {
    softmin: Softmin<N>,
    logarithm: N,
}

impl<N: Number> Softmax<N> {
    /// `None` of nothing. `parts` become the exponentials, in the places of their columns.
    pub(crate) fn of(
        anchor: &Anchor<N>,
        columns: &Columns,
        scale: N,
        parts: &mut [N],
    ) -> Option<Self> {
        let softmin = Softmin::of(anchor, columns, scale, parts)?;
        let logarithm = logarithm(softmin.sum, anchor, columns, scale);
        Some(Self { softmin, logarithm })
    }

    /// The sum of the exponentials.
    pub(crate) fn sum(&self) -> N {
        self.softmin.sum
    }

    /// scale d less what the columns come to: log(sum of exp(scale (d - d_c))).
    pub(crate) fn over(&self, scale: N, d: N) -> N {
        scale * (d - N::exact(self.softmin.nearest)) + self.logarithm
    }

    /// d less the mean of the columns' distances: the derivative of `over` by the scale.
    pub(crate) fn apart(&self, d: N) -> N {
        self.softmin.apart(d)
    }
}

/// How far a distance is before the nearest.
#[inline]
fn lead<N: Number>(nearest: f64, d: N) -> N {
    N::new(nearest - d.value(), d.error()).widened(ROUNDING)
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
