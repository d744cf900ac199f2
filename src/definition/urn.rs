//! Drawing negatives with weights by their distance (Wu, Manmatha, Smola and Krähenbühl 2017), and
//! which could be drawn where weights are rounded.

use super::anchor::Anchor;
use super::choice::Choice;
use super::number::{Number, ROUNDING, SMALLEST, chain};
use crate::data::random::uniform_number;

/// Nearer negatives weigh as much as at this distance.
const NEAREST: f64 = 0.5;

/// Negatives from here on weigh nothing, as long as any is nearer.
const FARTHEST: f64 = 1.4_f32 as f64;

/// The negatives of an anchor, with what part of the weights is in those up to and
/// with each.
pub(crate) struct Urn<'a, N: Number> {
    anchor: &'a Anchor<'a, N>,
    /// The negatives in the order of the batch.
    negatives: Vec<usize>,
    parts: Vec<Part>,
    /// Whether f32 may give it a weight.
    has_weight: Vec<bool>,
}

/// A part of a whole: what it is, and between what f32 may find it.
struct Part {
    value: f64,
    least: f64,
    most: f64,
}

impl<'a, N: Number> Urn<'a, N> {
    /// `None` of an anchor without negatives.
    pub(crate) fn new(anchor: &'a Anchor<'a, N>, dimensions: usize) -> Option<Self> {
        let negatives = anchor.negatives_in_order();
        let weights = weights(anchor, &negatives, dimensions)?;
        Some(Self {
            anchor,
            negatives,
            parts: parts(&weights),
            has_weight: weights.iter().map(|w| w.magnitude() > 0.0).collect(),
        })
    }

    /// The first negative up to and with which the part of the weights is greater than the random
    /// number of this key.
    pub(crate) fn draw(&self, key: [u32; 3]) -> Choice<N> {
        let number = uniform_number(key);
        let drawn =
            self.parts.partition_point(|part| part.value <= number).min(self.parts.len() - 1);
        let column = |place: usize| self.negatives[place];
        if !N::IS_BOUNDED {
            return Choice::of(self.anchor, column(drawn), Vec::new());
        }
        let doubt = number * (2.0 * rounding_of_sum(self.parts.len()) + ROUNDING);
        // The part up to it may be greater, and the part before it may be not.
        let first = self.parts.partition_point(|part| part.most <= number - doubt);
        let last = self
            .parts
            .partition_point(|part| part.least <= number + doubt)
            .min(self.parts.len() - 1);
        let plausible = (first..=last).filter(|&place| self.has_weight[place] || place == drawn);
        Choice::of(self.anchor, column(drawn), plausible.map(column).collect())
    }
}

/// The weights of an anchor's negatives up to a common factor; `None` of nothing.
fn weights<N: Number>(
    anchor: &Anchor<N>,
    negatives: &[usize],
    dimensions: usize,
) -> Option<Vec<N>> {
    let distances: Vec<_> = negatives.iter().map(|&n| anchor.distance(n)).collect();
    let nearest = Choice::nearest(anchor, &anchor.negatives)?.distance;
    if nearest.value() - nearest.error() >= FARTHEST {
        return Some(vec![N::ONE; distances.len()]);
    }
    let logarithms: Vec<_> = distances.iter().map(|&d| log_weight(d, dimensions as f64)).collect();
    let of_near =
        distances.iter().zip(&logarithms).filter(|(d, _)| d.value() - d.error() < FARTHEST);
    let largest =
        N::exact(of_near.map(|(_, logarithm)| logarithm.value()).fold(f64::NEG_INFINITY, f64::max));
    let weights =
        distances.iter().zip(&logarithms).map(|(&d, &logarithm)| weight(d, logarithm - largest));
    if nearest.value() + nearest.error() < FARTHEST {
        return Some(weights.collect());
    }
    // f32 may find any of them near, or none and draw from all.
    let anything =
        |weight: N| N::new(if nearest.value() < FARTHEST { weight.value() } else { 1.0 }, 1.0);
    Some(weights.map(anything).collect())
}

/// The weight at distance d, 0 where that is too far.
fn weight<N: Number>(d: N, logarithm: N) -> N {
    if d.value() - d.error() >= FARTHEST {
        return N::ZERO;
    }
    let weight = logarithm.exp();
    let weight = N::new(weight.value(), weight.error() + SMALLEST);
    let surely_near = d.value() + d.error() < FARTHEST;
    N::new(
        if d.value() < FARTHEST { weight.value() } else { 0.0 },
        if surely_near { weight.error() } else { weight.magnitude() },
    )
}

/// (2 - D) log d + ((3 - D) / 2) log(1 - d^2 / 4), with d at least NEAREST.
fn log_weight<N: Number>(d: N, dimensions: f64) -> N {
    let d = d.max(N::exact(NEAREST));
    let at = N::exact(d.value().min(FARTHEST));
    let beside = N::ONE - N::exact(0.25) * at * at;
    let weight =
        N::exact(2.0 - dimensions) * at.ln() + N::exact(0.5 * (3.0 - dimensions)) * beside.ln();
    // The logarithms change against each other with d. The slope of both is monotonic: it is
    // steepest at an end.
    let slope = |d: f64| {
        ((2.0 - dimensions) / d + 0.25 * (dimensions - 3.0) * d / (1.0 - 0.25 * d * d)).abs()
    };
    let ends = [(d.value() - d.error()).max(NEAREST), (d.value() + d.error()).min(FARTHEST)];
    N::new(
        weight.value(),
        weight.error() + d.error() * ends.map(slope).into_iter().fold(0.0, f64::max),
    )
}

/// The rounding of a sum of weights: the kernel adds up 256 segments, one weight after the other,
/// and those in 16 blocks of 16.
fn rounding_of_sum(count: usize) -> f64 {
    chain(count.div_ceil(256) + 2 * 16)
}

/// What part of all weights is in those up to and with each.
fn parts<N: Number>(weights: &[N]) -> Vec<Part> {
    let least = |weight: &N| (weight.value() - weight.error()).max(0.0);
    let [value, low, high] = [
        around(weights, |weight| weight.value()),
        around(weights, least),
        around(weights, |weight| weight.magnitude()),
    ];
    let part =
        |within: f64, beyond: f64| if within > 0.0 { within / (within + beyond) } else { 0.0 };
    // It is least where those up to it weigh as little and those beyond it as much as may be.
    let part_at = |place: usize| Part {
        value: part(value[place].0, value[place].1),
        least: if high[place].1 > 0.0 { part(low[place].0, high[place].1) } else { 1.0 },
        most: part(high[place].0, low[place].1),
    };
    (0..weights.len()).map(part_at).collect()
}

/// The sum of the weights up to and with each of them, and of those beyond it.
fn around<N: Number>(weights: &[N], of: impl Fn(&N) -> f64) -> Vec<(f64, f64)> {
    let running = |sum: &mut f64, weight: f64| {
        *sum += weight;
        Some(*sum)
    };
    let within = weights.iter().map(&of).scan(0.0, running);
    let mut beyond: Vec<_> = weights.iter().skip(1).map(&of).rev().scan(0.0, running).collect();
    beyond.reverse();
    beyond.push(0.0);
    within.zip(beyond).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::columns::Columns;
    use crate::reference::bounded::Bounded;

    const DRAWS: u32 = 40_000;

    fn anchor(distances: &[f64], error: f64) -> Anchor<'static, Bounded> {
        let negatives = (0..distances.len()).collect();
        let distances = distances.iter().map(|&d| Bounded::new(d, error)).collect();
        let positives = Columns::default();
        Anchor {
            index: 0,
            name: 3,
            label: 0,
            distances,
            positives,
            negatives,
            weights: Vec::new(),
            order: None,
        }
    }

    fn frequencies(distances: &[f64], dimensions: usize) -> Vec<f64> {
        let anchor = anchor(distances, 1e-7);
        let urn = Urn::new(&anchor, dimensions).expect("there are negatives");
        let mut counts = vec![0; distances.len()];
        for rank in 0..DRAWS {
            let choice = urn.draw([7, 3, rank]);
            assert!(choice.plausible.contains(&choice.index));
            counts[choice.index] += 1;
        }
        counts.into_iter().map(|count| f64::from(count) / f64::from(DRAWS)).collect()
    }

    #[test]
    fn frequencies_are_those_of_the_weights() {
        let distances = [0.2, 0.5, 0.9, 1.39, 1.1, 1.41, 0.7];
        for dimensions in [1, 2, 3, 5, 16] {
            let weight = |d: f64| {
                let near = d.max(0.5);
                let of_sphere = near.powf(dimensions as f64 - 2.0)
                    * (1.0 - 0.25 * near * near).powf((dimensions as f64 - 3.0) / 2.0);
                if d < 1.4 { 1.0 / of_sphere } else { 0.0 }
            };
            let total: f64 = distances.into_iter().map(weight).sum();
            for (frequency, d) in frequencies(&distances, dimensions).into_iter().zip(distances) {
                let expected = weight(d) / total;
                let deviation = (expected * (1.0 - expected) / f64::from(DRAWS)).sqrt();
                assert!(
                    (frequency - expected).abs() <= 4.5 * deviation,
                    "{dimensions}: {frequency}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn negatives_that_are_all_far_are_drawn_alike() {
        for frequency in frequencies(&[1.4001, 1.7, 2.0, 1.5], 64) {
            assert!((frequency - 0.25).abs() < 0.01, "{frequency}");
        }
    }

    #[test]
    fn a_draw_is_in_doubt_only_where_the_error_decides() {
        let rounded = anchor(&[0.6, 0.7, 0.8, 0.9, 1.0], 1e-5);
        let urn = Urn::new(&rounded, 8).expect("there are negatives");
        let doubtful =
            (0..DRAWS).filter(|&rank| urn.draw([7, 3, rank]).plausible.len() > 1).count();
        assert!((1..100).contains(&doubtful), "{doubtful} in doubt");
        let undecided = anchor(&[FARTHEST, 1.5, 1.9], 1e-7);
        let urn = Urn::new(&undecided, 8).expect("there are negatives");
        assert_eq!(urn.draw([7, 3, 0]).plausible, [0, 1, 2]);
    }

    #[test]
    fn many_dimensions_draw_the_nearest() {
        assert_eq!(frequencies(&[1.0, 0.6, 1.2], 2048), [0.0, 1.0, 0.0]);
    }
}
