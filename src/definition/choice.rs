//! Which candidate a rule picks, and which it could pick where distances are rounded.

use super::number::Number;

/// The candidate that is picked, and everything that f32 could pick in its place.
pub(crate) struct Choice<N> {
    pub index: usize,
    /// The distance of whatever is picked.
    pub distance: N,
    /// The picked one among them; nothing where numbers carry no error.
    pub plausible: Vec<usize>,
}

impl<N: Number> Choice<N> {
    /// The nearest candidate, the lowest index where several are; `None` of nothing.
    pub(crate) fn nearest(distances: &[N], candidates: &[usize]) -> Option<Self> {
        Self::least(distances, candidates, |distance| distance)
    }

    /// The farthest candidate, the lowest index where several are; `None` of nothing.
    pub(crate) fn farthest(distances: &[N], candidates: &[usize]) -> Option<Self> {
        Self::least(distances, candidates, |distance| -distance)
    }

    /// A candidate that is picked by a rule of its own: nothing is known of the distances of what
    /// could be picked instead.
    pub(crate) fn of(distances: &[N], index: usize, plausible: Vec<usize>) -> Self {
        let value = distances[index].value();
        let reach = |&c: &usize| (distances[c].value() - value).abs() + distances[c].error();
        let error = plausible.iter().map(reach).fold(distances[index].error(), f64::max);
        Self { index, distance: N::new(value, error), plausible }
    }

    fn least(distances: &[N], candidates: &[usize], key: impl Fn(N) -> N) -> Option<Self> {
        let key = |index: usize| key(distances[index]);
        let index = candidates
            .iter()
            .copied()
            .reduce(|best, next| if key(next).value() < key(best).value() { next } else { best })?;
        if !N::IS_BOUNDED {
            return Some(Self::of(distances, index, Vec::new()));
        }
        let ceiling = candidates
            .iter()
            .map(|&c| key(c).value() + key(c).error())
            .fold(f64::INFINITY, f64::min);
        let plausible: Vec<_> = candidates
            .iter()
            .copied()
            .filter(|&c| key(c).value() - key(c).error() <= ceiling)
            .collect();
        let error = plausible.iter().map(|&c| distances[c].error()).fold(0.0, f64::max);
        Some(Self { index, distance: N::new(distances[index].value(), error), plausible })
    }
}
