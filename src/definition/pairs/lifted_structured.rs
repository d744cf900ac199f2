//! The lifted structured loss (Oh Song, Xiang, Jegelka and Savarese 2016).
//!
//! With the level of a row, l_i = log sum over k in N(i) of exp(margin - d_ik), the pair's log of
//! two sums is the log-sum-exp of two levels: J_ij = log(exp(l_i) + exp(l_j)) + d_ij. `Exact` has
//! the largest in place of every log-sum-exp.

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, Term};
use crate::loss::{Form, LiftedStructured};

/// The level of every row; `None` where a row has no negative.
type Levels<N> = Vec<Option<N>>;

/// The levels, and the weights where rows have any, in the order of the batch.
pub(crate) struct Known<N> {
    levels: Levels<N>,
    weights: Vec<f32>,
    /// The column that the first row is.
    first_column: usize,
}

impl<N: Number> Known<N> {
    /// The row of the batch that a positive is.
    fn row_of(&self, anchor: &Anchor<N>, positive: usize) -> usize {
        anchor.name_of(positive) - self.first_column
    }

    /// A number of the pair (i, j) times the weight of the pair: the mean of both ends'.
    fn weighed(&self, [i, j]: [usize; 2], number: N) -> N {
        if self.weights.is_empty() {
            return number;
        }
        let [own, other] = [i, j].map(|row| N::input(self.weights[row]));
        N::exact(0.5) * (own + other) * number
    }
}

impl LiftedStructured {
    /// margin - d_ik of a negative k.
    fn exponent<N: Number>(&self, d: N) -> N {
        N::input(self.margin) - d
    }

    fn level<N: Number>(&self, anchor: &Anchor<N>) -> Option<N> {
        let negatives = &anchor.negatives;
        match self.form {
            Form::Smooth => N::log_sum_exp_at(&anchor.distances, negatives, |d| self.exponent(d)),
            Form::Exact => {
                negatives.iter().map(|k| self.exponent(anchor.distance(k))).reduce(N::max)
            }
        }
    }

    /// The two levels of a pair as one; `None` where neither end has a negative.
    fn join<N: Number>(&self, one: Option<N>, other: Option<N>) -> Option<N> {
        match (one, other, self.form) {
            (Some(one), Some(other), Form::Smooth) => Some(one.log_add_exp(other)),
            (Some(one), Some(other), Form::Exact) => Some(one.max(other)),
            (one, other, _) => one.or(other),
        }
    }

    /// max(0, J) of a pair, or 0 where its half square, the term, is not within thresholds.
    fn height<N: Number>(&self, reach: N) -> Term<N> {
        let hinge = reach.hinge();
        let (value, slope) = (N::exact(0.5) * (hinge.value * hinge.value), hinge.value);
        let term = Term { value, slope, ..hinge }.within(self.reduction.thresholds());
        Term { value: term.slope, ..term }
    }

    /// The derivative of the joined levels of i and j by the level of i.
    fn part<N: Number>(&self, i: usize, j: usize, levels: &Levels<N>) -> N {
        let (Some(own), Some(other)) = (levels[i], levels[j]) else { return N::ONE };
        let lead = own - other;
        match self.form {
            Form::Smooth => lead.sigmoid(),
            Form::Exact => {
                // Between equals the lower index goes first.
                let wins = lead.value() > 0.0 || (lead.value() == 0.0 && i < j);
                N::new(f64::from(u8::from(wins)), f64::from(u8::from(lead.is_ambiguous())))
            }
        }
    }

    /// Hands the derivative by the anchor's level on to its negatives.
    fn spread<N: Number>(
        &self,
        anchor: &Anchor<N>,
        level: N,
        pressure: N,
        terms: &mut AnchorTerms<N>,
    ) {
        match self.form {
            Form::Smooth => {
                let slope = |d: N| -((self.exponent(d) - level).exp_of_part() * pressure);
                N::map_at(&anchor.distances, &anchor.negatives, &mut terms.slopes, slope);
            }
            Form::Exact => {
                if let Some(nearest) = Choice::nearest(anchor, &anchor.negatives) {
                    terms.add_slope(&nearest, -pressure);
                }
            }
        }
    }
}

impl Definition for LiftedStructured {
    type Known<N: Number> = Known<N>;

    const WEIGHS_PAIRS: bool = true;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known<N> {
        let found = anchors.map_anchors(|anchor| (anchor.name, self.level(&anchor)));
        let mut levels = vec![None; found.len()];
        found.into_iter().for_each(|(row, level)| levels[row] = level);
        let weights = anchors.weights().to_vec();
        Known { levels, weights, first_column: anchors.first_column() }
    }

    /// The pairs (i, j) with i < j, and what every pair of i presses on the negatives of i.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known<N>) -> AnchorTerms<N> {
        let (i, levels) = (anchor.name, &known.levels);
        let mut terms = AnchorTerms::none(anchor);
        let (mut losses, mut pressures) = (Vec::new(), Vec::new());
        for p in anchor.positives.iter() {
            let j = known.row_of(anchor, p);
            terms.terms += u64::from(i < j);
            let Some(joined) = self.join(levels[i], levels[j]) else {
                terms.nonzero += self.reduction.zeros_within(u64::from(i < j));
                continue;
            };
            let term = self.height(joined + anchor.distance(p));
            let slope = known.weighed([i, j], term.value);
            pressures.push(slope * self.part(i, j, levels));
            if i < j {
                losses.push(term.value * slope * N::exact(0.5));
                terms.slopes[p] = slope;
                terms.nonzero += term.nonzero;
            }
        }
        if let Some(level) = levels[i] {
            self.spread(anchor, level, pressures.into_iter().sum(), &mut terms);
        }
        terms.with_loss(losses.into_iter().sum())
    }
}
