//! The log-sum-exps of an anchor's positive and of its negative pairs, for the losses that see them
//! by these alone.

use super::anchor::Anchor;
use super::columns::Columns;
use super::loss::AnchorTerms;
use super::number::{LOG, Number, ROUNDING, ULP};

/// The log-sum-exp of rate times height over the pairs of a kind, with the largest height taken out
/// first: rate * top + log(sum of exp(rate * (height - top))).
pub(crate) struct Level<N> {
    /// The largest height. How far f32 may be from it is in the logarithm, since what f32 finds for
    /// it is off for all pairs alike.
    pub top: N,
    /// The logarithm of the sum of exponentials.
    pub log_sum: N,
    /// The exponential of each pair, in their order, and their sum.
    parts: Vec<N>,
    sum: N,
}

impl<N: Number> Level<N> {
    /// `None` of nothing.
    pub(crate) fn of(rate: N, heights: &[N]) -> Option<Self> {
        Self::of_weighed(rate, heights, |parts, all| N::change_at(parts, all, |part| part * N::ONE))
    }

    /// The same as a scan finds it, which takes every exponential for a product of as many as it has
    /// steps.
    pub(crate) fn of_scan(rate: N, heights: &[N]) -> Option<Self> {
        let steps = 8.0 + (heights.len() as f64).log2();
        let every = N::ONE.widened(3.0 * steps * ULP);
        Self::of_weighed(rate, heights, |parts, all| N::change_at(parts, all, |part| part * every))
    }

    /// The same where pairs count as often as their share says: 0 or 1, or in doubt.
    pub(crate) fn of_taken(rate: N, heights: &[N], taken: &[N]) -> Option<Self> {
        Self::of_weighed(rate, heights, |parts, _| {
            parts.iter_mut().zip(taken).for_each(|(part, &taken)| *part = *part * taken);
        })
    }

    /// The same of exponentials that something is done with, all of which are these columns.
    fn of_weighed(rate: N, heights: &[N], weigh: impl FnOnce(&mut [N], &Columns)) -> Option<Self> {
        let all = Columns::from(0..heights.len());
        let top = N::largest_at(heights, &all, |height| height)?;
        let lead =
            |height: N| rate * N::new(height.value() - top, height.error()).widened(ROUNDING);
        let mut parts = vec![N::ZERO; heights.len()];
        N::map_at(heights, &all, &mut parts, |height| lead(height).exp());
        weigh(&mut parts, &all);
        let mut sum = N::Total::default();
        N::sum_at(&parts, &all, &mut sum, |part| part);
        let sum: N = sum.into();
        // Between the top that f32 finds and log(count) more.
        let errors = heights.iter().map(|&height| lead(height).error());
        let farthest_off = if N::IS_BOUNDED { errors.fold(0.0, f64::max) } else { 0.0 };
        let most = farthest_off + (heights.len() as f64).ln() + LOG;
        let log_sum = sum.ln();
        let log_sum = N::new(log_sum.value(), log_sum.error().min(most));
        Some(Self { top: N::exact(top), log_sum, parts, sum })
    }
}

impl<N: Number> Level<N> {
    /// What a pair of this height has of the sum.
    pub(crate) fn part(&self, rate: N, height: N) -> N {
        (rate * (height - self.top) - self.log_sum).exp_of_part()
    }
}

/// The levels of both kinds; `None` where there is no pair of one.
pub(crate) struct Levels<N> {
    pub positive: Option<Level<N>>,
    pub negative: Option<Level<N>>,
}

impl<N: Number> Levels<N> {
    /// Those of the heights of the columns of both kinds, each with its rate.
    pub(crate) fn of(
        anchor: &Anchor<N>,
        [positive, negative]: [N; 2],
        positive_height: impl Fn(usize) -> N,
        negative_height: impl Fn(usize) -> N,
    ) -> Self {
        let positives = anchor.positives.map(positive_height);
        let negatives = anchor.negatives.map(negative_height);
        Self {
            positive: Level::of(positive, &positives),
            negative: Level::of(negative, &negatives),
        }
    }

    /// Both, where there are pairs of either kind.
    pub(crate) fn both(&self) -> Option<[&Level<N>; 2]> {
        Some([self.positive.as_ref()?, self.negative.as_ref()?])
    }

    /// Gives the pairs of both kinds the slopes that come to these weights: rising with the
    /// distance of positives, falling with that of negatives.
    pub(crate) fn share(&self, anchor: &Anchor<N>, weights: [N; 2], terms: &mut AnchorTerms<N>) {
        let [positive, negative] = weights;
        let kinds = [
            (&anchor.positives, &self.positive, positive),
            (&anchor.negatives, &self.negative, -negative),
        ];
        for (columns, level, weight) in kinds {
            let Some(level) = level else { continue };
            let mut parts = &level.parts[..];
            for run in columns.runs() {
                let (own, rest) = parts.split_at(run.len());
                terms.slopes[run].copy_from_slice(own);
                parts = rest;
            }
            let of_sum = level.sum.divides();
            let share = |part: N| of_sum(part).within_one() * weight;
            N::change_at(&mut terms.slopes, columns, share);
        }
    }
}
