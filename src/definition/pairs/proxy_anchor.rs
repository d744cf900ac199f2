//! The proxy-anchor loss (Kim, Kim, Cho and Kwak 2020).

use crate::definition::anchor::Anchor;
use crate::definition::levels::{Level, Levels};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, Term};
use crate::loss::{Distance, ProxyAnchor, Reduction};

/// A kind of terms of a class, the positive or the negative one.
struct Side<N> {
    top: N,
    log_sum: N,
    term: Term<N>,
}

/// What the slopes of a class's pairs of a kind are made of: those of its level, and the slope of its
/// term times the weight of the kind; 0 without a term.
#[derive(Clone, Copy, Default)]
struct End<N> {
    top: N,
    log_sum: N,
    slope: N,
}

/// The terms of a class: that of its own samples and that of all others, where there are any.
pub(crate) struct Class<N> {
    sides: [Option<Side<N>>; 2],
}

pub(crate) struct Known<N> {
    classes: Vec<Class<N>>,
    /// Of every class, by the kind.
    ends: [Vec<End<N>>; 2],
    /// Positive and negative terms; a class has a negative one even if it is 0.
    terms: [u64; 2],
    /// Those of them that are not 0 or, with thresholds, within.
    nonzero: [Count; 2],
    /// What positive terms are multiplied by, and negative ones.
    weights: [N; 2],
}

impl<N> Known<N> {
    /// All terms of a kind.
    fn sides(&self, kind: usize) -> impl Iterator<Item = &Side<N>> {
        self.classes.iter().filter_map(move |class| class.sides[kind].as_ref())
    }
}

impl ProxyAnchor {
    /// What a similarity is short of a distance: 1 - s of cosines, else -s.
    fn shift<N: Number>(&self) -> N {
        if self.distance == Distance::Cosine { N::ONE } else { N::ZERO }
    }

    /// The terms of a class, whose columns are the samples: log(1 + sum of exp(alpha height)) of
    /// the heights -(s - margin) of its own and s + margin of the others.
    fn class<N: Number>(&self, class: &Anchor<N>) -> Class<N> {
        let alpha = N::exact(self.alpha.into());
        let levels = Levels::of(
            class,
            [alpha; 2],
            |column| class.distance(column),
            |column| -class.distance(column),
        );
        let side = |level: Level<N>, shift: N| {
            let reach = (level.top + shift + N::input(self.margin)) + level.log_sum / alpha;
            let term = (alpha * reach).softplus().within(self.reduction.thresholds());
            Side { top: level.top, log_sum: level.log_sum, term }
        };
        let shift = self.shift::<N>();
        let sides = [(levels.positive, -shift), (levels.negative, shift)];
        Class { sides: sides.map(|(level, shift)| Some(side(level?, shift))) }
    }

    /// Over the terms of each kind, or those of them that count.
    fn weights<N: Number>(&self, terms: [u64; 2], nonzero: [Count; 2]) -> [N; 2] {
        match self.reduction {
            Reduction::Sum => [N::ONE; 2],
            Reduction::MeanNonZero | Reduction::MeanWithin(_) => nonzero.map(Count::reciprocal),
            _ => terms.map(|count| Count::exact(count).reciprocal()),
        }
    }
}

impl Definition for ProxyAnchor {
    type Known<N: Number> = Known<N>;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known<N> {
        let classes = anchors.map_columns(|class| self.class(&class));
        let kind = |kind: usize| {
            classes.iter().filter_map(move |class: &Class<N>| class.sides[kind].as_ref())
        };
        let mut nonzero = [0, 1].map(|one| kind(one).map(|side| side.term.nonzero).sum::<Count>());
        let without_negatives = (classes.len() - kind(1).count()) as u64;
        nonzero[1] += self.reduction.zeros_within(without_negatives);
        let terms = [kind(0).count() as u64, classes.len() as u64];
        let weights = self.weights(terms, nonzero);
        let ends = [0, 1].map(|kind| {
            let end = |side: &Side<N>| {
                let &Side { top, log_sum, term } = side;
                End { top, log_sum, slope: weights[kind] * term.slope }
            };
            let of = |class: &Class<N>| class.sides[kind].as_ref().map_or_else(End::default, end);
            classes.iter().map(of).collect()
        });
        Known { classes, ends, terms, nonzero, weights }
    }

    /// The slopes are a sample's own. The terms are those of classes, and the first sample brings
    /// them along.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let alpha = N::exact(self.alpha.into());
        let kinds = [(&anchor.positives, N::ONE), (&anchor.negatives, -N::ONE)];
        for (kind, (columns, sign)) in kinds.into_iter().enumerate() {
            let (ends, slopes) = (&known.ends[kind], &mut terms.slopes);
            // The exponents stand in the place of the slopes that they become.
            for run in columns.runs() {
                let pairs = ends[run.clone()].iter().zip(&anchor.distances[run.clone()]);
                for (exponent, (&End { top, log_sum, .. }, &d)) in slopes[run].iter_mut().zip(pairs)
                {
                    let d: N = d.into();
                    *exponent = alpha * (sign * d - top) - log_sum;
                }
            }
            N::change_at(slopes, columns, |exponent| exponent.exp_of_part());
            for run in columns.runs() {
                for (slope, end) in slopes[run.clone()].iter_mut().zip(&ends[run]) {
                    *slope = sign * (alpha * (end.slope * *slope));
                }
            }
        }
        if anchor.index > 0 {
            return terms;
        }
        let [positive, negative] = [0, 1].map(|kind| {
            let mut sum = N::Total::default();
            known.sides(kind).for_each(|side| sum += side.term.value);
            Into::<N>::into(sum)
        });
        terms.loss = positive + negative;
        terms.contribution = positive * known.weights[0] + negative * known.weights[1];
        terms.terms = known.terms.iter().sum();
        [terms.nonzero_positive, terms.nonzero_negative] = known.nonzero;
        terms.nonzero = known.nonzero.into_iter().sum();
        terms
    }

    /// The weights have done it.
    fn scale<N: Number>(&self, _: u64, _: Count) -> N {
        N::ONE
    }
}
