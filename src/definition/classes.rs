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

/// The derivatives of the distances of classes by those to their centres, of every centre that has
/// one: those of all classes in one list, so that none has memory of its own.
pub(crate) type Shares<N> = Vec<(usize, N)>;

/// The distance of the nearest centre, which stands for the class; whatever could be it instead may
/// too. `None` of nothing.
pub(crate) fn nearest_center<N: Number>(
    anchor: &Anchor<N>,
    centers: &Columns,
    shares: &mut Shares<N>,
) -> Option<N> {
    let choice = Choice::nearest(anchor, centers)?;
    let doubt = f64::from(u8::from(choice.plausible.len() > 1));
    shares.push((choice.index, N::new(1.0, doubt)));
    let others = choice.plausible.iter().filter(|&&other| other != choice.index);
    shares.extend(others.map(|&other| (other, N::new(0.0, doubt))));
    Some(choice.distance)
}

/// The cross-entropy of classes of so many centres. `class_of` has the distance of a class of several
/// by its centres, and adds its shares.
pub(crate) fn cross_entropy<N: Number>(
    anchor: &Anchor<N>,
    centers: u32,
    mut class_of: impl FnMut(&Anchor<N>, &Columns, &mut Shares<N>) -> Option<N>,
    own: impl Fn(N) -> Own<N>,
    scale: N,
) -> AnchorTerms<N> {
    let terms_of = |anchor: &Anchor<N>| {
        cross_entropy_of(anchor, own(anchor.distance(anchor.label as usize)), scale)
    };
    if centers == 1 {
        return terms_of(anchor);
    }
    let (all, centers) = (anchor.distances.len(), centers as usize);
    let mut shares = Shares::with_capacity(all);
    let mut distances = Vec::with_capacity(all / centers);
    let mut class = Columns::from(0..centers);
    for _ in 0..all / centers {
        distances.extend(class_of(anchor, &class, &mut shares).map(N::stored));
        class.shift(centers);
    }
    let mut terms = terms_of(&of_classes(anchor, distances));
    let slopes = std::mem::replace(&mut terms.slopes, vec![N::ZERO; all]);
    for (column, share) in shares {
        terms.slopes[column] = slopes[column / centers] * share;
    }
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
    let sum = softmax.sum;
    N::change_at(&mut terms.slopes, others, |part| -(weight * (part / sum).within_one()));
    terms.slopes[anchor.label as usize] = weight * own.slope;
    terms.learned = vec![(0, term.slope * softmax.apart(own.distance))];
    terms.nonzero = term.nonzero;
    terms.with_loss(term.value)
}
