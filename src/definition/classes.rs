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

/// A class of several centres: its distance, and the derivative of that by the distance to each
/// centre that has any.
pub(crate) struct Class<N> {
    pub distance: N,
    pub shares: Vec<(usize, N)>,
}

impl<N: Number> Class<N> {
    /// The nearest centre stands for the class; whatever could be it instead may too. `None` of
    /// nothing.
    pub(crate) fn nearest(anchor: &Anchor<N>, centers: &Columns) -> Option<Self> {
        let choice = Choice::nearest(anchor, centers)?;
        let doubt = f64::from(u8::from(choice.plausible.len() > 1));
        let others = choice.plausible.iter().filter(|&&other| other != choice.index);
        let others = others.map(|&other| (other, N::new(0.0, doubt)));
        let shares = std::iter::once((choice.index, N::new(1.0, doubt))).chain(others).collect();
        Some(Self { distance: choice.distance, shares })
    }
}

/// The cross-entropy of classes of so many centres.
pub(crate) fn cross_entropy<N: Number>(
    anchor: &Anchor<N>,
    centers: u32,
    mut class_of: impl FnMut(&Anchor<N>, &Columns) -> Option<Class<N>>,
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
    let columns = (0..all).step_by(centers).map(|first| Columns::from(first..first + centers));
    let classes: Vec<_> = columns.filter_map(|centers| class_of(anchor, &centers)).collect();
    let distances = classes.iter().map(|class| class.distance.stored()).collect();
    let mut terms = terms_of(&of_classes(anchor, distances));
    let slopes = std::mem::replace(&mut terms.slopes, vec![N::ZERO; all]);
    for (class, slope) in classes.iter().zip(slopes) {
        class.shares.iter().for_each(|&(column, share)| terms.slopes[column] = slope * share);
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
