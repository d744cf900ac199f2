//! The terms of an anchor: by the loss's definition, and by a shorter way where that goes over
//! triplets.

use multiversion::multiversion;

use super::scores::compared;
use super::tiles::LANES;
use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::columns::Columns;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, Term};
use crate::definition::pairs::co_sent;
use crate::loss::{
    ArcFace, Circle, Clip, CoSent, Contrastive, CosFace, Difficulty, FastAp,
    GeneralizedLiftedStructured, LiftedStructured, Margin, MultiMargin, MultiSimilarity, Nca,
    NormalizedSoftmax, NtXent, ProxyAnchor, SigLip, SmoothAp, SoftTriple, SupCon, Thresholds,
    Triplet, Triplets,
};

/// A loss whose terms the engine finds.
pub(super) trait Terms: Definition {
    /// What the terms need to know beyond the anchor's own row.
    fn known(&self, anchors: &impl Anchors<f64>) -> Self::Known<f64> {
        self.survey(anchors)
    }

    /// The terms of one anchor.
    fn terms(&self, anchor: &Anchor<f64>, known: &Self::Known<f64>) -> AnchorTerms<f64> {
        self.terms_of(anchor, known)
    }
}

impl Terms for Contrastive {}
impl Terms for GeneralizedLiftedStructured {}
impl Terms for Nca {}
impl Terms for MultiSimilarity {}
impl Terms for Circle {}
impl Terms for FastAp {}
impl Terms for SmoothAp {}
impl Terms for NormalizedSoftmax {}
impl Terms for CosFace {}
impl Terms for ArcFace {}
impl Terms for SoftTriple {}
impl Terms for ProxyAnchor {}
impl Terms for SigLip {}
impl Terms for Clip {}
impl Terms for LiftedStructured {}
impl Terms for Margin {}
impl Terms for MultiMargin {}
impl Terms for NtXent {}
impl Terms for SupCon {}

impl Terms for CoSent {
    fn known(&self, anchors: &impl Anchors<f64>) -> co_sent::Known<f64> {
        let distances = co_sent::distances(anchors);
        co_sent::Known::of(compared(self.scale.into(), &distances, anchors.targets()))
    }
}

/// Up to so many positives, every negative meets them one by one.
const FEW: usize = 32;

impl Terms for Triplet {
    fn terms(&self, anchor: &Anchor<f64>, known: &()) -> AnchorTerms<f64> {
        if anchor.positives.is_empty() || anchor.negatives.is_empty() {
            return AnchorTerms::none(anchor);
        }
        let is_thresholded = self.reduction.thresholds().is_some();
        match self.mining.triplets() {
            Triplets::Every if self.soft && is_thresholded => self.terms_of(anchor, known),
            Triplets::Every if self.soft => soft_hinges(anchor),
            Triplets::Every if is_thresholded || anchor.positives.len() > FEW => {
                sorted(self, anchor)
            }
            Triplets::Every => hinges(self, anchor),
            Triplets::OnePerPositive => semi_hard(self, anchor, anchor.positives.iter().collect()),
            Triplets::OnePerAnchor { positive, negative: Difficulty::SemiHard } => {
                let choose = match positive {
                    Difficulty::Hard => Choice::farthest,
                    Difficulty::SemiHard | Difficulty::Easy => Choice::nearest,
                };
                let positive = choose(anchor, &anchor.positives);
                semi_hard(self, anchor, positive.iter().map(|choice| choice.index).collect())
            }
            _ => self.terms_of(anchor, known),
        }
    }
}

/// Every triplet of an anchor: the threshold of each positive, its distance and the margin, meets all
/// negatives. `term` has the value and the slope of how far it is beyond one.
fn one_by_one(
    anchor: &Anchor<f64>,
    margin: f64,
    term: impl Fn(f64) -> (f64, f64),
) -> AnchorTerms<f64> {
    let mut terms = AnchorTerms::none(anchor);
    let thresholds: Vec<_> = anchor.positives.iter().map(|p| anchor.distance(p) + margin).collect();
    let mut met = vec![[0.0; LANES]; thresholds.len()];
    let mut loss = 0.0;
    for run in anchor.negatives.runs() {
        let negatives = &anchor.distances[run.clone()];
        loss += meet(&thresholds, negatives, &mut terms.slopes[run], &mut met, &term);
    }
    for (p, met) in anchor.positives.iter().zip(met) {
        terms.slopes[p] = met.into_iter().sum();
    }
    terms.terms = (anchor.positives.len() * anchor.negatives.len()) as u64;
    terms.with_loss(loss)
}

/// Every hinge, whose slopes are 1 where it is not 0.
fn hinges(loss: &Triplet, anchor: &Anchor<f64>) -> AnchorTerms<f64> {
    let hinge = |apart: f64| if apart > 0.0 { (apart, 1.0) } else { (0.0, 0.0) };
    let mut terms = one_by_one(anchor, loss.margin.into(), hinge);
    terms.nonzero.value = anchor.positives.iter().map(|p| terms.slopes[p] as u64).sum();
    terms
}

/// Every soft hinge, of which none is 0.
fn soft_hinges(anchor: &Anchor<f64>) -> AnchorTerms<f64> {
    let softplus = |apart: f64| {
        let Term { value, slope, .. } = apart.softplus();
        (value, slope)
    };
    let mut terms = one_by_one(anchor, 0.0, softplus);
    terms.nonzero.value = terms.terms;
    terms
}

/// The sum of the terms of all thresholds with all negatives, the slopes of these, and what the
/// slopes of each threshold come to.
#[multiversion(targets = "simd")]
fn meet<F: Fn(f64) -> (f64, f64)>(
    thresholds: &[f64],
    negatives: &[f32],
    slopes: &mut [f64],
    met: &mut [[f64; LANES]],
    term: &F,
) -> f64 {
    let mut sums = [0.0; LANES];
    for (negatives, slopes) in negatives.chunks(LANES).zip(slopes.chunks_mut(LANES)) {
        // No threshold is beyond what fills a chunk up.
        let mut distances = [f64::INFINITY; LANES];
        for (distance, &d) in distances.iter_mut().zip(negatives) {
            *distance = d.into();
        }
        let mut of_negatives = [0.0; LANES];
        for (&threshold, met) in thresholds.iter().zip(&mut *met) {
            for lane in 0..LANES {
                let (value, slope) = term(threshold - distances[lane]);
                sums[lane] += value;
                of_negatives[lane] += slope;
                met[lane] += slope;
            }
        }
        for (slope, sum) in slopes.iter_mut().zip(of_negatives) {
            *slope = -sum;
        }
    }
    sums.into_iter().sum()
}

/// Every hinge of an anchor: the positives are sorted, and every negative finds those whose
/// threshold is beyond it, and their sum. Hinges within thresholds are a range of those.
fn sorted(loss: &Triplet, anchor: &Anchor<f64>) -> AnchorTerms<f64> {
    let mut terms = AnchorTerms::none(anchor);
    let (positives, negatives) = (&anchor.positives, &anchor.negatives);
    let margin = f64::from(loss.margin);
    let farthest = by_distance(anchor, positives);
    let descending: Vec<_> =
        farthest.iter().map(|&p| anchor.distance(p as usize) + margin).collect();
    // Of the first so many.
    let mut sums = vec![0.0; descending.len() + 1];
    for (at, threshold) in descending.iter().enumerate() {
        sums[at + 1] = sums[at] + threshold;
    }
    // How many more negatives meet the threshold at each place than the one behind it.
    let mut met = vec![0_i64; descending.len() + 1];
    let mut of_all = 0.0;
    for n in negatives.iter() {
        let distance = anchor.distance(n);
        let hinges = |is_met: &dyn Fn(f64) -> bool| {
            descending.partition_point(|&threshold| is_met((threshold - distance).max(0.0)))
        };
        let nonzero = descending.partition_point(|&threshold| threshold > distance);
        let (first, counted) = match loss.reduction.thresholds() {
            None => (0, nonzero),
            Some(Thresholds { low, high }) => {
                let too_large = high.map_or(0, |high| hinges(&|hinge| hinge >= high.into()));
                let is_above = |low: f32| hinges(&|hinge| hinge > low.into());
                (too_large, low.map_or(descending.len(), is_above).max(too_large))
            }
        };
        let last = nonzero.clamp(first, counted);
        let count = (last - first) as f64;
        of_all += sums[last] - sums[first] - count * distance;
        terms.slopes[n] = -count;
        terms.nonzero.value += (counted - first) as u64;
        met[last] += 1;
        met[first] -= 1;
    }
    let mut behind = 0;
    for (at, &p) in farthest.iter().enumerate().rev() {
        behind += met[at + 1];
        terms.slopes[p as usize] = behind as f64;
    }
    terms.terms = (positives.len() * negatives.len()) as u64;
    terms.with_loss(of_all)
}

/// Columns from the farthest to the nearest. Numbers that have the order of their distances in their
/// upper half are sorted faster than distances.
fn by_distance(anchor: &Anchor<f64>, columns: &Columns) -> Vec<u32> {
    let key = |column: usize| {
        let bits = anchor.distances[column].to_bits();
        // Of a negative number every bit is turned around, of others the sign.
        let ascending = bits ^ (((bits as i32 >> 31) as u32) | 1 << 31);
        u64::from(!ascending) << 32 | column as u64
    };
    let mut keys: Vec<_> = columns.iter().map(key).collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| key as u32).collect()
}

/// These positives, each with the nearest negative that is farther, or the farthest where none is.
///
/// The positives are sorted; every negative finds the last of them that it is beyond, and is a
/// candidate for all before it.
fn semi_hard(loss: &Triplet, anchor: &Anchor<f64>, positives: Vec<usize>) -> AnchorTerms<f64> {
    let mut terms = AnchorTerms::none(anchor);
    let distances = &*anchor.distances;
    let mut sorted = positives.clone();
    sorted.sort_unstable_by(|&a, &b| distances[a].total_cmp(&distances[b]));
    let ascending: Vec<_> = sorted.iter().map(|&p| distances[p]).collect();
    let mut nearest: Vec<Option<usize>> = vec![None; sorted.len()];
    for n in anchor.negatives.iter() {
        let beyond = ascending.partition_point(|&positive| positive < distances[n]);
        let Some(last) = beyond.checked_sub(1) else { continue };
        nearest[last] = nearer(anchor, nearest[last], Some(n));
    }
    for at in (1..nearest.len()).rev() {
        nearest[at - 1] = nearer(anchor, nearest[at - 1], nearest[at]);
    }
    let Some(farthest) = Choice::farthest(anchor, &anchor.negatives) else { return terms };
    let mut negative_of = vec![farthest.index; distances.len()];
    for (&p, nearest) in sorted.iter().zip(nearest) {
        negative_of[p] = nearest.unwrap_or(farthest.index);
    }
    let mut loss_of_all = 0.0;
    for &p in &positives {
        let n = negative_of[p];
        let term = loss.term(anchor.distance(p), anchor.distance(n));
        loss_of_all += term.value;
        terms.slopes[p] += term.slope;
        terms.slopes[n] -= term.slope;
        terms.nonzero += term.nonzero;
    }
    terms.terms = positives.len() as u64;
    terms.with_loss(loss_of_all)
}

/// The nearer of two candidates, the first of the batch where both are alike.
fn nearer(anchor: &Anchor<f64>, one: Option<usize>, other: Option<usize>) -> Option<usize> {
    let key = |candidate: usize| (anchor.distances[candidate], anchor.name_of(candidate));
    match (one, other) {
        (Some(a), Some(b)) => Some(if key(b) < key(a) { b } else { a }),
        (one, other) => one.or(other),
    }
}
