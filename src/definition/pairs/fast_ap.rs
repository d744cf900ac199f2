//! The FastAP loss (Cakir, He, Xia, Kulis and Sclaroff 2019).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, ROUNDING, ULP, chain};
use crate::loss::FastAp;

/// What positives and what negatives have at a centre, and what they have at all centres up to it.
#[derive(Clone, Copy)]
struct Centre<N> {
    positive: N,
    negative: N,
    positives: N,
    negatives: N,
}

/// What one number is of the sum of both, neither of which is below 0; 0 where both are 0.
fn part<N: Number>(one: N, other: N) -> N {
    let of = |one: f64, other: f64| if one + other > 0.0 { one / (one + other) } else { 0.0 };
    let value = of(one.value(), other.value());
    if !N::IS_BOUNDED {
        return N::exact(value);
    }
    // It rises with the one and falls with the other.
    let [least, most] = [one, other].map(|number| (number.value() - number.error()).max(0.0));
    let above = of(one.magnitude(), most) - value;
    let below = value - of(least, other.magnitude());
    N::new(value, above.max(below)).widened(4.0 * ULP).within_one()
}

impl FastAp {
    /// A distance in units of the width.
    fn place<N: Number>(&self, distance: N) -> N {
        let farthest = N::exact(self.farthest().into());
        let width = farthest / N::exact(self.bins.into());
        distance.max(N::ZERO).min(farthest) / width
    }

    /// The centres, among those there are, that are no farther from a place than `reach`.
    fn centres<N: Number>(&self, place: N, reach: f64) -> std::ops::RangeInclusive<usize> {
        let last = f64::from(self.bins);
        let first = (place.value() - reach).ceil().clamp(0.0, last);
        first as usize..=(place.value() + reach).floor().clamp(0.0, last) as usize
    }

    /// What pairs at these places have at every centre, each with what they have at all centres up
    /// to it.
    fn shares<N: Number>(&self, places: impl Iterator<Item = N>) -> Vec<[N; 2]> {
        let mut shares = vec![[N::ZERO; 2]; self.bins as usize + 1];
        // How many pairs have their whole share up to this centre, and not up to the one before.
        let mut whole = vec![0.0; shares.len() + 1];
        for place in places {
            // f32 rounds shares to multiples of 2^-24, whose sum is exact.
            let error = if N::IS_BOUNDED { place.error() + ROUNDING } else { 0.0 };
            let near = self.centres(place, 1.0 + error);
            whole[near.end() + 1] += 1.0;
            for centre in near {
                let beyond = place.value() - centre as f64;
                let share = |of: f64| {
                    let is_certain = of < -error || of > 1.0 + error;
                    let error = if is_certain { 0.0 } else { error };
                    N::new(of.clamp(0.0, 1.0), error).within_one()
                };
                shares[centre][0].gather(share(1.0 - beyond.abs()));
                shares[centre][1].gather(share(1.0 - beyond));
            }
        }
        let mut up_to = 0.0;
        for (centre, [share, sum]) in shares.iter_mut().enumerate() {
            up_to += whole[centre];
            sum.gather(N::exact(up_to));
            // A share becomes an f32 in two parts; sums are of one share after the other.
            *share = share.widened(3.0 * ROUNDING);
            *sum = sum.widened(chain(centre + 1));
        }
        shares
    }

    fn histogram<N: Number>(&self, anchor: &Anchor<N>, places: &[N]) -> Vec<Centre<N>> {
        let [positive, negative] = [&anchor.positives, &anchor.negatives]
            .map(|columns| self.shares(columns.iter().map(|j| places[j])));
        let both = positive.into_iter().zip(negative);
        both.map(|([positive, positives], [negative, negatives])| Centre {
            positive,
            negative,
            positives,
            negatives,
        })
        .collect()
    }

    /// The slope of a pair at this place, of those that its kind has beyond every centre; exactly
    /// at a centre it is 0.
    fn slope<N: Number>(&self, place: N, beyond: &[N]) -> N {
        let centre = place.value() as usize;
        let own = match place.value() == centre as f64 || centre >= beyond.len() {
            true => N::ZERO,
            false => beyond[centre],
        };
        if !N::IS_BOUNDED {
            return own;
        }
        // Where rounding may bring it to the other side of a centre, it may have that side's slope.
        let mut doubt = 0.0;
        for centre in self.centres(place, place.error()) {
            let sides = [centre.checked_sub(1), Some(centre)].into_iter().flatten();
            doubt +=
                sides.filter_map(|side| beyond.get(side)).map(|side| side.magnitude()).sum::<f64>();
        }
        N::new(own.value(), own.error() + doubt)
    }
}

impl Definition for FastAp {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// 1 - FastAP, which is the sum over the centres l of p_l N_l / H_l, over the number of
    /// positives.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        if anchor.positives.is_empty() {
            return terms;
        }
        let count = N::exact(anchor.positives.len() as f64);
        let places: Vec<N> = anchor.distances.iter().map(|&d| self.place(d.into())).collect();
        let centres = self.histogram(anchor, &places);
        let costs = centres.iter().map(|at| at.positive * part(at.negatives, at.positives));
        let cost = costs.fold(N::ZERO, |sum, cost| sum + cost);
        let [positive, negative] = slopes(&centres);
        let width = N::exact(self.farthest().into()) / N::exact(self.bins.into());
        for (columns, beyond) in [(&anchor.positives, positive), (&anchor.negatives, negative)] {
            for j in columns.iter() {
                terms.slopes[j] = self.slope(places[j], &beyond) / count / width;
            }
        }
        terms.terms = 1;
        terms.nonzero = cost.nonzero();
        terms.with_loss(cost / count)
    }
}

/// The slopes of positives and of negatives beyond every centre but the last.
fn slopes<N: Number>(centres: &[Centre<N>]) -> [Vec<N>; 2] {
    let [mut positive, mut negative] = [(); 2].map(|()| Vec::with_capacity(centres.len()));
    let mut before = N::ZERO;
    for pair in centres.windows(2) {
        let (at, next) = (pair[0], pair[1]);
        // All up to here but the positives at this centre.
        let others = before + at.negative;
        let fallen = part(at.negatives, at.positives) * part(others, at.positive);
        positive.push((part(next.negatives, next.positives) - fallen).within_two());
        negative.push(-(part(at.positive, others) * part(at.positives, at.negatives)));
        before = at.positives + at.negatives;
    }
    [positive, negative]
}
