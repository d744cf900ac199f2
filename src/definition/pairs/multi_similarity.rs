//! The multi-similarity loss (Wang, Han, Huang, Dong and Scott 2019).

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::columns::Columns;
use crate::definition::levels::{Level, Levels};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number};
use crate::loss::MultiSimilarity;

/// Whether each pair of a kind is taken: 1 or 0, or in doubt.
struct Taken<N> {
    pairs: Vec<N>,
    /// Whether any is.
    any: N,
}

impl<N: Number> Taken<N> {
    /// Those whose lead is above 0, of which `first` is the largest; `None` where there is none,
    /// beyond doubt.
    fn of(leads: impl Iterator<Item = N>, first: N) -> Option<Self> {
        let any = first.hinge().slope;
        // Where by its value none is, those in doubt are what f32 may take.
        let taken = |lead: N| match lead.hinge().slope {
            doubtful if any.value() == 0.0 && doubtful.error() > 0.0 => N::new(1.0, 1.0),
            other => other,
        };
        let pairs: Vec<N> = leads.map(taken).collect();
        pairs.iter().any(|pair| pair.value() > 0.0).then_some(Self { pairs, any })
    }

    fn all(count: usize) -> Option<Self> {
        (count > 0).then(|| Self { pairs: vec![N::ONE; count], any: N::ONE })
    }
}

impl MultiSimilarity {
    /// The positives and the negatives that are taken. With `epsilon` a positive must be farther
    /// than the nearest negative less it, a negative nearer than the farthest positive and it.
    fn taken<N: Number>(&self, anchor: &Anchor<N>) -> [Option<Taken<N>>; 2] {
        let (positives, negatives) = (&anchor.positives, &anchor.negatives);
        let Some(epsilon) = self.epsilon else {
            return [positives, negatives].map(|kind| Taken::all(kind.len()));
        };
        let ends = (Choice::farthest(anchor, positives), Choice::nearest(anchor, negatives));
        let (Some(farthest), Some(nearest)) = ends else { return [None, None] };
        let epsilon = N::input(epsilon);
        let beyond = |d: N| (d + epsilon) - nearest.distance;
        let within = |d: N| farthest.distance - (d - epsilon);
        [
            Taken::of(
                positives.iter().map(|p| beyond(anchor.distance(p))),
                beyond(farthest.distance),
            ),
            Taken::of(
                negatives.iter().map(|n| within(anchor.distance(n))),
                within(nearest.distance),
            ),
        ]
    }
}

/// log(1 + sum of exp(rate * (height + base))) / rate, and its derivative by the distance of all
/// pairs together; 0 without a level.
fn term<N: Number>(level: Option<&Level<N>>, rate: N, base: N) -> [N; 2] {
    let Some(level) = level else { return [N::ZERO; 2] };
    let reach = (level.top + base) + level.log_sum / rate;
    let term = (rate * reach).softplus();
    [term.value / rate, term.slope]
}

/// Whether anything is taken.
fn any<N: Number>(taken: &[Option<Taken<N>>]) -> Count {
    let any = || taken.iter().flatten().map(|taken| taken.any);
    let is_certain = any().any(|any| any == N::ONE);
    Count {
        value: u64::from(any().any(|any| any.value() > 0.0)),
        slack: u64::from(!is_certain && any().next().is_some()),
    }
}

impl Definition for MultiSimilarity {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// log(1 + sum over p of exp(alpha (d_p - base))) / alpha
    /// + log(1 + sum over n of exp(beta (base - d_n))) / beta.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let [alpha, beta] = [self.alpha, self.beta].map(|rate| N::exact(rate.into()));
        let base = N::input(self.base);
        let taken = self.taken(anchor);
        let level = |kind: usize, rate, height: &dyn Fn(N) -> N, columns: &Columns| {
            let heights = columns.map(|j| height(anchor.distance(j)));
            Level::of_taken(rate, &heights, &taken[kind].as_ref()?.pairs)
        };
        let levels = Levels {
            positive: level(0, alpha, &|d| d, &anchor.positives),
            negative: level(1, beta, &|d| -d, &anchor.negatives),
        };
        let [positive, negative] = [
            term(levels.positive.as_ref(), alpha, -base),
            term(levels.negative.as_ref(), beta, base),
        ];
        let has = taken.each_ref().map(|taken| taken.as_ref().map_or(N::ZERO, |taken| taken.any));
        levels.share(anchor, [has[0] * positive[1], has[1] * negative[1]], &mut terms);
        terms.terms = u64::from(!anchor.positives.is_empty() || !anchor.negatives.is_empty());
        terms.nonzero = any(&taken);
        terms.with_loss(has[0] * positive[0] + has[1] * negative[0])
    }
}
