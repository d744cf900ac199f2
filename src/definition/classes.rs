//! The cross-entropy over an anchor's classes, for the losses that see every class by one distance.

use super::anchor::Anchor;
use super::choice::Choice;
use super::columns::Columns;
use super::loss::AnchorTerms;
use super::number::{Number, ULP};
use super::softmax::Softmax;

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

/// The distance of every class by those of its centres, and the derivatives by these, of all centres.
pub(crate) struct Classes<N> {
    pub distances: Vec<N>,
    pub shares: Vec<N>,
}

impl<N: Number> Classes<N> {
    /// The nearest of so many centres stands for its class; whatever could be it instead may too.
    pub(crate) fn by_nearest(anchor: &Anchor<N>, centers: usize) -> Self {
        let all = anchor.distances.len();
        let mut shares = vec![N::ZERO; all];
        let mut class = Columns::from(0..centers);
        let mut distances = Vec::with_capacity(all / centers);
        for _ in 0..all / centers {
            if let Some(choice) = Choice::nearest(anchor, &class) {
                let doubt = f64::from(u8::from(choice.plausible.len() > 1));
                choice.plausible.iter().for_each(|&other| shares[other] = N::new(0.0, doubt));
                shares[choice.index] = N::new(1.0, doubt);
                distances.push(choice.distance);
            }
            class.shift(centers);
        }
        Self { distances, shares }
    }
}

/// The cross-entropy of classes of so many centres. `classes_of` has the classes of an anchor by
/// their centres, where a class has several.
pub(crate) fn cross_entropy<N: Number>(
    anchor: &Anchor<N>,
    centers: u32,
    classes_of: impl FnOnce(&Anchor<N>, usize) -> Classes<N>,
    own: impl Fn(N) -> Own<N>,
    scale: N,
) -> AnchorTerms<N> {
    let terms_of = |anchor: &Anchor<N>| {
        cross_entropy_of(anchor, own(anchor.distance(anchor.label as usize)), scale)
    };
    if centers == 1 {
        return terms_of(anchor);
    }
    let centers = centers as usize;
    let Classes { distances, mut shares } = classes_of(anchor, centers);
    let distances = distances.into_iter().map(N::stored).collect();
    let mut terms = terms_of(&of_classes(anchor, distances));
    for (shares, &slope) in shares.chunks_exact_mut(centers).zip(&terms.slopes) {
        shares.iter_mut().for_each(|share| *share = slope * *share);
    }
    terms.slopes = shares;
    terms
}

/// The anchor with a distance for every class.
fn of_classes<'a, N: Number>(anchor: &Anchor<N>, distances: Vec<N::Stored>) -> Anchor<'a, N> {
    let own = anchor.label as usize;
    Anchor {
        index: anchor.index,
        name: anchor.name,
        label: anchor.label,
        positives: Columns::from(own..own + 1),
        negatives: Columns::of([0..own, own + 1..distances.len()]),
        distances: distances.into(),
        weights: Vec::new(),
        order: None,
    }
}

/// log(sum over c of exp(-scale d_c)) + scale d_y = log(1 + sum over c != y of exp(scale (d_y -
/// d_c))), with d_y that of the own class; 0 where there is no other.
fn cross_entropy_of<N: Number>(anchor: &Anchor<N>, own: Own<N>, scale: N) -> AnchorTerms<N> {
    let mut terms = AnchorTerms::none(anchor);
    terms.terms = 1;
    let others = &anchor.negatives;
    let Some(softmax) = Softmax::of(anchor, others, scale, &mut terms.slopes) else {
        return terms;
    };
    let term = softmax.over(scale, own.distance).softplus();
    // Kernels take the scale by that of the description, and apply that later.
    let weight = (scale * term.slope).widened(3.0 * ULP);
    let of_sum = softmax.sum().divides();
    N::change_at(&mut terms.slopes, others, |part| -(weight * of_sum(part).within_one()));
    terms.slopes[anchor.label as usize] = weight * own.slope;
    terms.learned = vec![(0, term.slope * softmax.apart(own.distance))];
    terms.nonzero = term.nonzero;
    terms.with_loss(term.value)
}
