//! What scored pairs meet in all comparisons of a list: by sorting their targets and two scans.

use std::cmp::Ordering;

use crate::definition::pairs::co_sent::Compared;

/// log(sum of exp(rate (height - top))) of the heights so far, and the largest of them.
#[derive(Clone, Copy)]
struct Level {
    top: f64,
    sum: f64,
}

impl Level {
    fn with(self, rate: f64, height: f64) -> Self {
        match height > self.top {
            true => Self { top: height, sum: self.sum * (rate * (self.top - height)).exp() + 1.0 },
            false => Self { sum: self.sum + (rate * (height - self.top)).exp(), ..self },
        }
    }
}

/// For every pair the log-sum-exp of scale (d - d_o) over the pairs o of lower targets, and that of
/// scale (d_o - d) over those of higher ones.
pub(super) fn compared(scale: f64, distances: &[f64], targets: &[f32]) -> Vec<Compared<f64>> {
    // 0 and -0 are equal, and no target is NaN.
    let order = |&a: &usize, &b: &usize| {
        targets[a].partial_cmp(&targets[b]).unwrap_or(Ordering::Equal).then(a.cmp(&b))
    };
    let mut places: Vec<usize> = (0..targets.len()).collect();
    places.sort_unstable_by(order);
    let groups: Vec<_> = places.chunk_by(|&a, &b| targets[a] == targets[b]).collect();
    let mut compared = vec![Compared { with_lower: None, with_higher: None }; targets.len()];
    scan(
        scale,
        groups.iter().copied(),
        |pair| -distances[pair],
        |pair, met| {
            compared[pair].with_lower = Some(met);
        },
    );
    scan(
        scale,
        groups.iter().rev().copied(),
        |pair| distances[pair],
        |pair, met| {
            compared[pair].with_higher = Some(met);
        },
    );
    compared
}

/// Shows every pair with the log-sum-exp of scale (height of another - its own) over the groups
/// before its own.
fn scan<'a>(
    scale: f64,
    groups: impl Iterator<Item = &'a [usize]>,
    height: impl Fn(usize) -> f64,
    mut show: impl FnMut(usize, f64),
) {
    let mut level: Option<Level> = None;
    for group in groups {
        if let Some(Level { top, sum }) = level {
            group.iter().for_each(|&pair| show(pair, scale * (top - height(pair)) + sum.ln()));
        }
        for &pair in group {
            let own = height(pair);
            level = Some(level.map_or(Level { top: own, sum: 1.0 }, |all| all.with(scale, own)));
        }
    }
}
