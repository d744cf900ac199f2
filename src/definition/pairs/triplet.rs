//! The triplet loss (Schroff, Kalenichenko and Philbin 2015; Hermans, Beyer and Leibe 2017).

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::columns::Columns;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, ROUNDING, SMALLEST, Term, chain, tree};
use crate::loss::{Difficulty, Thresholds, Triplet, Triplets};

impl Definition for Triplet {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        match (self.mining.triplets(), self.soft) {
            (Triplets::Every, false) if self.reduction.thresholds().is_none() => {
                self.every_hinge(anchor)
            }
            (Triplets::Every, _) => self.every_term(anchor),
            (Triplets::OnePerAnchor { positive, negative }, _) => {
                self.one_per_anchor(anchor, positive, negative)
            }
            (Triplets::OnePerPositive, _) => self.semi_hard(anchor),
            (Triplets::Listed, _) => self.listed(anchor),
        }
    }
}

impl Triplet {
    /// max(0, d_ap - d_an + margin), or log(1 + exp(d_ap - d_an)).
    pub(crate) fn term<N: Number>(&self, positive: N, negative: N) -> Term<N> {
        let term = match self.soft {
            false => (positive + N::input(self.margin) - negative).hinge(),
            true => (positive - negative).softplus(),
        };
        term.within(self.reduction.thresholds())
    }

    /// The pairs of a list, two by two: the positive and the negative of each triplet.
    fn listed<N: Number>(&self, anchor: &Anchor<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let mut losses = Vec::new();
        for (p, n) in anchor.positives.iter().zip(anchor.negatives.iter()) {
            let term = anchor.weighed(p, self.term(anchor.distance(p), anchor.distance(n)));
            losses.push(term.value);
            terms.slopes[p] = term.slope;
            terms.slopes[n] = -term.slope;
            terms.nonzero += term.nonzero;
        }
        terms.terms = losses.len() as u64;
        terms.with_loss(losses.into_iter().sum())
    }

    /// One positive with one negative.
    fn one_per_anchor<N: Number>(
        &self,
        anchor: &Anchor<N>,
        positive: Difficulty,
        negative: Difficulty,
    ) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let Some(positive) = choose_positive(anchor, positive) else { return terms };
        let Some(negative) = choose_negative(anchor, negative, positive.distance) else {
            return terms;
        };
        let term = self.term(positive.distance, negative.distance);
        terms.add_slope(&positive, term.slope);
        terms.add_slope(&negative, -term.slope);
        terms.terms = 1;
        terms.nonzero = term.nonzero;
        terms.with_loss(term.value)
    }

    /// Every positive with the nearest negative that is farther, or the farthest where none is.
    fn semi_hard<N: Number>(&self, anchor: &Anchor<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let Some(negatives) = Ranking::new(anchor) else { return terms };
        let mut losses = Vec::new();
        for p in anchor.positives.iter() {
            let positive = anchor.distance(p);
            let negative = negatives.beyond(positive);
            let term = self.term(positive, negative.distance);
            losses.push(term.value);
            terms.slopes[p] = term.slope;
            terms.add_slope(&negative, -term.slope);
            terms.nonzero += term.nonzero;
        }
        if self.soft {
            round_sums(&mut terms, &anchor.negatives, anchor.positives.len());
        }
        terms.terms = losses.len() as u64;
        terms.with_loss(losses.into_iter().sum())
    }

    /// Every positive with every negative, one by one.
    fn every_term<N: Number>(&self, anchor: &Anchor<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let mut loss = N::ZERO;
        let reach = if self.soft { 0.0 } else { self.reach(anchor) };
        for p in anchor.positives.iter() {
            for n in anchor.negatives.iter() {
                // Of hinges the kernels hold sums of distances and thresholds against each other.
                let positive = anchor.distance(p);
                let positive = N::new(positive.value(), positive.error() + 2.0 * ROUNDING * reach);
                let term = self.term(positive, anchor.distance(n));
                loss.gather(term.value);
                terms.slopes[p].gather(term.slope);
                terms.slopes[n].gather(-term.slope);
                terms.nonzero += term.nonzero;
            }
        }
        let (positives, negatives) = (anchor.positives.len(), anchor.negatives.len());
        round_sums(&mut terms, &anchor.positives, negatives);
        round_sums(&mut terms, &anchor.negatives, positives);
        terms.terms = (positives * negatives) as u64;
        let most = (terms.nonzero.value + terms.nonzero.slack) as f64;
        // And they take the loss from sums of those.
        let error = 4.0 * most * reach * tree(positives * negatives);
        let loss = loss.widened(chain(positives * negatives));
        terms.with_loss(N::new(loss.value(), loss.error() + error))
    }

    /// How large the sums are of a distance with the margin or a threshold, at most.
    fn reach<N: Number>(&self, anchor: &Anchor<N>) -> f64 {
        if !N::IS_BOUNDED {
            return 0.0;
        }
        let pairs = anchor.positives.iter().chain(anchor.negatives.iter());
        let farthest = pairs.map(|pair| anchor.distance(pair).magnitude()).fold(0.0, f64::max);
        let Thresholds { low, high } = self.reduction.thresholds().unwrap_or_default();
        let thresholds = [low, high].into_iter().flatten().map(|one| f64::from(one.abs()));
        farthest + f64::from(self.margin.abs()) + thresholds.fold(0.0, f64::max)
    }

    /// Every positive with every negative: max(0, d_ap - d_an + margin).
    ///
    /// The inner loop is nothing but the definition: there are N K M triplets.
    fn every_hinge<N: Number>(&self, anchor: &Anchor<N>) -> AnchorTerms<N> {
        let positives: Vec<_> =
            anchor.positives.iter().map(|p| anchor.distance(p) + N::input(self.margin)).collect();
        let mut columns = Tallies::of(anchor);
        let rows: Vec<Count> = positives.iter().map(|&threshold| columns.add(threshold)).collect();

        let mut terms = AnchorTerms::none(anchor);
        let mut error = 0.0;
        // The kernels take the loss from sums of thresholds and of distances: it is rounded
        // relative to those.
        let rounding = tree(positives.len() * anchor.negatives.len());
        for ((p, threshold), count) in anchor.positives.iter().zip(positives).zip(rows) {
            error += count.value as f64 * rounding * threshold.value().abs();
            error += (count.value + count.slack) as f64 * threshold.error();
            terms.slopes[p] = N::new(count.value as f64, count.slack as f64);
            terms.nonzero += count;
        }
        for (column, n) in anchor.negatives.iter().enumerate() {
            let count = columns.count(column);
            error += count.value as f64 * rounding * columns.distances[column].abs();
            error += (count.value + count.slack) as f64 * columns.errors[column];
            terms.slopes[n] = N::new(-(count.value as f64), count.slack as f64);
        }
        // A difference of normal numbers may be none.
        error += terms.nonzero.value as f64 * SMALLEST;
        terms.terms = (anchor.positives.len() * anchor.negatives.len()) as u64;
        terms.with_loss(N::new(columns.losses.iter().sum(), error))
    }
}

/// The farthest positive is the hardest.
fn choose_positive<N: Number>(anchor: &Anchor<N>, difficulty: Difficulty) -> Option<Choice<N>> {
    match difficulty {
        Difficulty::Hard => Choice::farthest(anchor, &anchor.positives),
        Difficulty::SemiHard | Difficulty::Easy => Choice::nearest(anchor, &anchor.positives),
    }
}

/// The nearest negative is the hardest, a semi-hard one is the nearest beyond the positive. The
/// error of the positive's distance covers every positive that f32 could pick, so that the choice
/// covers the negative of each.
fn choose_negative<N: Number>(
    anchor: &Anchor<N>,
    difficulty: Difficulty,
    positive: N,
) -> Option<Choice<N>> {
    match difficulty {
        Difficulty::Hard => Choice::nearest(anchor, &anchor.negatives),
        Difficulty::SemiHard => Ranking::new(anchor).map(|negatives| negatives.beyond(positive)),
        Difficulty::Easy => Choice::farthest(anchor, &anchor.negatives),
    }
}

/// The negatives of an anchor, and what each collects over the positives.
struct Tallies {
    distances: Vec<f64>,
    errors: Vec<f64>,
    losses: Vec<f64>,
    nonzero: Vec<u64>,
    ambiguous: Vec<u64>,
}

impl Tallies {
    fn of<N: Number>(anchor: &Anchor<N>) -> Self {
        let distances = || anchor.negatives.iter().map(|n| anchor.distance(n).widened(ROUNDING));
        let count = anchor.negatives.len();
        Self {
            distances: distances().map(|distance| distance.value()).collect(),
            errors: distances().map(|distance| distance.error()).collect(),
            losses: vec![0.0; count],
            nonzero: vec![0; count],
            ambiguous: vec![0; count],
        }
    }

    /// Adds the triplets of one positive, at d_ap + margin, to every negative, and counts the
    /// non-zero ones.
    fn add<N: Number>(&mut self, threshold: N) -> Count {
        let mut count = Count::default();
        let negatives = self.distances.iter().zip(&self.errors);
        let sums = self.losses.iter_mut().zip(&mut self.nonzero).zip(&mut self.ambiguous);
        for ((distance, error), ((loss, nonzero), ambiguous)) in negatives.zip(sums) {
            let argument = threshold.value() - distance;
            let active = u64::from(argument > 0.0);
            let doubtful = u64::from(N::IS_BOUNDED && argument.abs() <= threshold.error() + error);
            *loss += argument.max(0.0);
            *nonzero += active;
            *ambiguous += doubtful;
            count.value += active;
            count.slack += doubtful;
        }
        count
    }

    fn count(&self, column: usize) -> Count {
        Count { value: self.nonzero[column], slack: self.ambiguous[column] }
    }
}

/// Accounts for adding up `count` slopes of one sign in each of these columns.
fn round_sums<N: Number>(terms: &mut AnchorTerms<N>, columns: &Columns, count: usize) {
    for column in columns.iter() {
        terms.slopes[column] = terms.slopes[column].widened(chain(count));
    }
}

/// The negatives of an anchor from the nearest to the farthest, the lower index first where several
/// are equal.
struct Ranking<'a, N: Number> {
    anchor: &'a Anchor<'a, N>,
    order: Vec<usize>,
    largest_error: f64,
    farthest: Choice<N>,
}

impl<'a, N: Number> Ranking<'a, N> {
    fn new(anchor: &'a Anchor<'a, N>) -> Option<Self> {
        let farthest = Choice::farthest(anchor, &anchor.negatives)?;
        let mut order = anchor.negatives_in_order();
        let value = |n: usize| anchor.distance(n).value();
        order.sort_by(|&a, &b| value(a).total_cmp(&value(b)));
        let largest_error = order.iter().map(|&n| anchor.distance(n).error()).fold(0.0, f64::max);
        Some(Self { anchor, order, largest_error, farthest })
    }

    /// The nearest negative with d_an > d_ap, or the farthest where there is none.
    fn beyond(&self, positive: N) -> Choice<N> {
        let start =
            self.order.partition_point(|&n| self.anchor.distance(n).value() <= positive.value());
        let index = self.order.get(start).copied().unwrap_or(self.farthest.index);
        Choice::of(self.anchor, index, self.plausible(positive, start))
    }

    /// Every negative that may count as farther and may then be the nearest of those; where none is
    /// farther beyond doubt, also those that may be the farthest of all.
    fn plausible(&self, positive: N, start: usize) -> Vec<usize> {
        if !N::IS_BOUNDED {
            return Vec::new();
        }
        let distance = |n: usize| self.anchor.distance(n);
        let lead = |n: usize| distance(n) - positive;
        let reach = positive.error() + self.largest_error;
        let near = self.order[..start].iter().rev();
        let near = near
            .take_while(|&&n| -lead(n).value() <= 2.0 * reach)
            .filter(|&&n| lead(n).is_ambiguous());
        let mut plausible: Vec<_> = near.copied().collect();
        let mut ceiling = f64::INFINITY;
        for &n in &self.order[start..] {
            if distance(n).value() - self.largest_error > ceiling {
                break;
            }
            if !lead(n).is_ambiguous() {
                ceiling = ceiling.min(distance(n).value() + distance(n).error());
            }
            if distance(n).value() - distance(n).error() <= ceiling {
                plausible.push(n);
            }
        }
        if ceiling == f64::INFINITY {
            plausible.extend(&self.farthest.plausible);
            plausible.sort_unstable();
            plausible.dedup();
        }
        plausible
    }
}
