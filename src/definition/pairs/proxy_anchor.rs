//! The proxy-anchor loss (Kim, Kim, Cho and Kwak 2020).

use crate::definition::anchor::Anchor;
use crate::definition::levels::{Level, Levels};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, Term};
use crate::loss::{Distance, ProxyAnchor, Reduction};

/// A kind of terms of a class, the positive or the negative one.
struct Side<N> {
    level: Level<N>,
    term: Term<N>,
}

/// The terms of a class: that of its own samples and that of all others, where there are any.
pub(crate) struct Class<N> {
    sides: [Option<Side<N>>; 2],
}

pub(crate) struct Known<N> {
    classes: Vec<Class<N>>,
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
            let term = (alpha * reach).softplus();
            Side { level, term }
        };
        let shift = self.shift::<N>();
        let sides = [(levels.positive, -shift), (levels.negative, shift)];
        Class { sides: sides.map(|(level, shift)| Some(side(level?, shift))) }
    }

    /// Over the terms of each kind, or those of them that are not 0; a class has a negative term
    /// even if it is 0.
    fn weights<N: Number>(&self, counts: [u64; 2], classes: u64) -> [N; 2] {
        let [positive, negative] = match self.reduction {
            Reduction::MeanNonZero => counts,
            _ => [counts[0], classes],
        };
        match self.reduction {
            Reduction::Sum => [N::ONE; 2],
            _ => [positive, negative].map(|count| Count::exact(count).reciprocal()),
        }
    }
}

impl Definition for ProxyAnchor {
    type Known<N: Number> = Known<N>;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known<N> {
        let classes = anchors.map_columns(|class| self.class(&class));
        let mut known = Known { classes, weights: [N::ONE; 2] };
        let counts = [0, 1].map(|kind| known.sides(kind).count() as u64);
        known.weights = self.weights(counts, known.classes.len() as u64);
        known
    }

    /// The slopes are a sample's own. The terms are those of classes, and the first sample brings
    /// them along.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let alpha = N::exact(self.alpha.into());
        let kinds = [(&anchor.positives, N::ONE), (&anchor.negatives, -N::ONE)];
        for (kind, (columns, sign)) in kinds.into_iter().enumerate() {
            for column in columns.iter() {
                let Some(side) = &known.classes[column].sides[kind] else { continue };
                let part = side.level.part(alpha, sign * anchor.distance(column));
                let weight = known.weights[kind] * side.term.slope * part;
                terms.slopes[column] = sign * (alpha * weight);
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
        let [positives, negatives] = [0, 1].map(|kind| known.sides(kind).count() as u64);
        terms.terms = positives + known.classes.len() as u64;
        terms.nonzero_positive = Count::exact(positives);
        terms.nonzero_negative = Count::exact(negatives);
        terms.nonzero = Count::exact(positives + negatives);
        terms
    }

    /// The weights have done it.
    fn scale<N: Number>(&self, _: u64, _: Count) -> N {
        N::ONE
    }
}
