//! The cross-entropy over an anchor's classes, for the losses that see every class by one distance.

use super::anchor::Anchor;
use super::loss::AnchorTerms;
use super::number::{Number, ROUNDING, ULP};

/// The distance to the own class as a loss takes it, and its derivative by the distance itself.
pub(crate) struct Own<N> {
    pub distance: N,
    pub slope: N,
}

impl<N: Number> Own<N> {
    /// A distance that is taken as it is, or with something added.
    pub(crate) fn at(distance: N) -> Self {
        Self { distance, slope: N::ONE }
    }
}

/// log(sum over c of exp(-scale d_c)) + scale d_y = log(1 + sum over c != y of exp(scale (d_y -
/// d_c))), with d_y that of the own class; 0 where there is no other.
///
/// The nearest of the other classes is taken out of their sum first. How far f32 may be from its
/// distance is in the logarithm, since what f32 finds for it is off for all classes alike.
pub(crate) fn cross_entropy<N: Number>(
    anchor: &Anchor<N>,
    own: Own<N>,
    scale: N,
) -> AnchorTerms<N> {
    let mut terms = AnchorTerms::none(anchor);
    terms.terms = 1;
    let (distances, others) = (&anchor.distances, &anchor.negatives);
    let Some(farthest) = N::largest_at(distances, others, |d| -d) else { return terms };
    let nearest = -farthest;
    let lead = |d: N| N::new(nearest - d.value(), d.error()).widened(ROUNDING);
    let part = |d: N| (scale * lead(d)).exp();
    let (mut sum, mut behind) = (N::Total::default(), N::Total::default());
    N::map_at(distances, others, &mut terms.slopes, part);
    N::sum_at(&terms.slopes, others, &mut sum, |part| part);
    N::sum_at(distances, others, &mut behind, |d| part(d) * lead(d));
    let (sum, behind): (N, N) = (sum.into(), behind.into());
    let ahead = own.distance - N::exact(nearest);
    let term = (scale * ahead + logarithm(sum, anchor, scale)).softplus();
    // Kernels take the scale by that of the description, and apply that later.
    let weight = (scale * term.slope).widened(3.0 * ULP);
    N::change_at(&mut terms.slopes, others, |part| -(weight * (part / sum).within_one()));
    terms.slopes[anchor.label as usize] = weight * own.slope;
    let mean = within(behind / sum, anchor, nearest);
    terms.learned = vec![(0, term.slope * (ahead + mean))];
    terms.nonzero = term.nonzero;
    terms.with_loss(term.value)
}

/// The logarithm of the sum of the other classes' exponentials, which is between what f32 may be
/// off for the nearest and log(count) more.
fn logarithm<N: Number>(sum: N, anchor: &Anchor<N>, scale: N) -> N {
    let logarithm = sum.ln();
    if !N::IS_BOUNDED {
        return logarithm;
    }
    let errors = anchor.negatives.iter().map(|c| (scale * anchor.distance(c)).error());
    logarithm.within_log(errors.fold(0.0, f64::max) + (anchor.negatives.len() as f64).ln())
}

/// The mean of how far the other classes are behind the nearest, where f32 can find none that is
/// farther than the farthest of them.
fn within<N: Number>(mean: N, anchor: &Anchor<N>, nearest: f64) -> N {
    if !N::IS_BOUNDED {
        return mean;
    }
    let behind = anchor.negatives.iter().map(|c| anchor.distance(c).magnitude() - nearest);
    N::new(mean.value(), mean.error().min(behind.fold(0.0, f64::max)))
}
