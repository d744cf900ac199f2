//! Which candidate a rule picks, and which it could pick where distances are rounded.

use super::anchor::Anchor;
use super::columns::Columns;
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
    pub(crate) fn nearest(anchor: &Anchor<N>, candidates: &Columns) -> Option<Self> {
        Self::largest(anchor, candidates, |distance| -distance)
    }

    /// The farthest candidate, the lowest index where several are; `None` of nothing.
    pub(crate) fn farthest(anchor: &Anchor<N>, candidates: &Columns) -> Option<Self> {
        Self::largest(anchor, candidates, |distance| distance)
    }

    /// A candidate that is picked by a rule of its own: nothing is known of the distances of what
    /// could be picked instead.
    pub(crate) fn of(anchor: &Anchor<N>, index: usize, plausible: Vec<usize>) -> Self {
        let picked = anchor.distance(index);
        let apart = |d: N| (d.value() - picked.value()).abs() + d.error();
        let reach = |&column: &usize| apart(anchor.distance(column));
        let error = plausible.iter().map(reach).fold(picked.error(), f64::max);
        Self { index, distance: N::new(picked.value(), error), plausible }
    }

    fn largest(anchor: &Anchor<N>, candidates: &Columns, key: impl Fn(N) -> N) -> Option<Self> {
        let row = &anchor.distances;
        let largest = N::largest_at(row, candidates, &key)?;
        let mut found: Option<usize> = None;
        // Key and distance differ by a sign at most.
        N::find_at(row, candidates, key(N::exact(largest)).value(), |column| {
            let is_first = |first| anchor.name_of(column) < anchor.name_of(first);
            if found.is_none_or(is_first) {
                found = Some(column);
            }
        });
        let index = found?;
        if !N::IS_BOUNDED {
            return Some(Self::of(anchor, index, Vec::new()));
        }
        let key = |column| key(anchor.distance(column));
        let floor = candidates
            .iter()
            .map(|c| key(c).value() - key(c).error())
            .fold(f64::NEG_INFINITY, f64::max);
        let plausible: Vec<_> =
            candidates.iter().filter(|&c| key(c).value() + key(c).error() >= floor).collect();
        let error = plausible.iter().map(|&c| anchor.distance(c).error()).fold(0.0, f64::max);
        let distance = N::new(anchor.distance(index).value(), error);
        Some(Self { index, distance, plausible })
    }
}
