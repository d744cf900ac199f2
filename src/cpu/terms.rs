//! The terms of an anchor: by the loss's definition, and by a shorter way where that goes over
//! triplets.

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::loss::{AnchorTerms, Definition};
use crate::loss::{
    Contrastive, Difficulty, LiftedStructured, Margin, MultiMargin, NtXent, SupCon, Triplet,
    Triplets,
};

/// A loss whose terms the engine finds.
pub(super) trait Terms: Definition {
    /// The terms of one anchor.
    fn terms(&self, anchor: &Anchor<f64>, known: &Self::Known<f64>) -> AnchorTerms<f64> {
        self.terms_of(anchor, known)
    }
}

impl Terms for Contrastive {}
impl Terms for LiftedStructured {}
impl Terms for Margin {}
impl Terms for MultiMargin {}
impl Terms for NtXent {}
impl Terms for SupCon {}

/// Up to so many positives, every negative meets them one by one.
const FEW: usize = 8;

impl Terms for Triplet {
    fn terms(&self, anchor: &Anchor<f64>, known: &()) -> AnchorTerms<f64> {
        if anchor.positives.is_empty() || anchor.negatives.is_empty() {
            return AnchorTerms::none(anchor);
        }
        match self.mining.triplets() {
            Triplets::Every if !self.soft && anchor.positives.len() > FEW => every(self, anchor),
            Triplets::OnePerPositive => semi_hard(self, anchor, &anchor.positives),
            Triplets::OnePerAnchor { positive, negative: Difficulty::SemiHard } => {
                let choose = match positive {
                    Difficulty::Hard => Choice::farthest,
                    Difficulty::SemiHard | Difficulty::Easy => Choice::nearest,
                };
                let positive = choose(&anchor.distances, &anchor.positives);
                let positive: Vec<_> = positive.iter().map(|choice| choice.index).collect();
                semi_hard(self, anchor, &positive)
            }
            _ => self.terms_of(anchor, known),
        }
    }
}

/// Every hinge of an anchor: the positives are sorted, and every negative finds those whose
/// threshold d_ap + margin is beyond it, and their sum.
fn every(loss: &Triplet, anchor: &Anchor<f64>) -> AnchorTerms<f64> {
    let mut terms = AnchorTerms::none(anchor);
    let (positives, negatives) = (&anchor.positives, &anchor.negatives);
    let margin = f64::from(loss.margin);
    let mut thresholds: Vec<_> =
        positives.iter().map(|&p| (anchor.distances[p] + margin, p)).collect();
    thresholds.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    let descending: Vec<_> = thresholds.iter().map(|&(threshold, _)| threshold).collect();
    // Of the first so many.
    let mut sums = vec![0.0; descending.len() + 1];
    for (at, threshold) in descending.iter().enumerate() {
        sums[at + 1] = sums[at] + threshold;
    }
    // How many negatives are beyond exactly so many thresholds.
    let mut met = vec![0_u64; descending.len() + 1];
    let mut loss = 0.0;
    for &n in negatives {
        let distance = anchor.distances[n];
        let count = descending.partition_point(|&threshold| threshold > distance);
        loss += sums[count] - count as f64 * distance;
        terms.slopes[n] = -(count as f64);
        met[count] += 1;
    }
    let mut behind = 0;
    for (at, &(_, p)) in thresholds.iter().enumerate().rev() {
        behind += met[at + 1];
        terms.slopes[p] = behind as f64;
        terms.nonzero.value += behind;
    }
    terms.terms = (positives.len() * negatives.len()) as u64;
    terms.with_loss(loss)
}

/// These positives, each with the nearest negative that is farther, or the farthest where none is.
///
/// The positives are sorted; every negative finds the last of them that it is beyond, and is a
/// candidate for all before it.
fn semi_hard(loss: &Triplet, anchor: &Anchor<f64>, positives: &[usize]) -> AnchorTerms<f64> {
    let mut terms = AnchorTerms::none(anchor);
    let distances = &anchor.distances;
    let mut sorted = positives.to_vec();
    sorted.sort_unstable_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    let ascending: Vec<_> = sorted.iter().map(|&p| distances[p]).collect();
    let mut nearest: Vec<Option<usize>> = vec![None; sorted.len()];
    for &n in &anchor.negatives {
        let beyond = ascending.partition_point(|&positive| positive < distances[n]);
        let Some(last) = beyond.checked_sub(1) else { continue };
        nearest[last] = nearer(distances, nearest[last], Some(n));
    }
    for at in (1..nearest.len()).rev() {
        nearest[at - 1] = nearer(distances, nearest[at - 1], nearest[at]);
    }
    let Some(farthest) = Choice::farthest(distances, &anchor.negatives) else { return terms };
    let mut negative_of = vec![farthest.index; distances.len()];
    for (&p, nearest) in sorted.iter().zip(nearest) {
        negative_of[p] = nearest.unwrap_or(farthest.index);
    }
    let mut loss_of_all = 0.0;
    for &p in positives {
        let n = negative_of[p];
        let term = loss.term(distances[p], distances[n]);
        loss_of_all += term.value;
        terms.slopes[p] += term.slope;
        terms.slopes[n] -= term.slope;
        terms.nonzero += term.nonzero;
    }
    terms.terms = positives.len() as u64;
    terms.with_loss(loss_of_all)
}

/// The nearer of two candidates, the lower index where both are alike.
fn nearer(distances: &[f64], one: Option<usize>, other: Option<usize>) -> Option<usize> {
    let key = |candidate: usize| (distances[candidate], candidate);
    match (one, other) {
        (Some(a), Some(b)) => Some(if key(b) < key(a) { b } else { a }),
        (one, other) => one.or(other),
    }
}
