//! The CoSENT loss (Su 2022).

use crate::definition::anchor::Anchor;
use crate::definition::levels::Level;
use crate::definition::list::PART;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, ULP};
use crate::loss::CoSent;

/// The log-sum-exps that a pair meets: over all comparisons in which it is the one that should be
/// more similar, and over all in which it should be less.
#[derive(Clone, Copy)]
pub(crate) struct Compared<N> {
    pub with_lower: Option<N>,
    pub with_higher: Option<N>,
}

/// All comparisons of a list.
pub(crate) struct Known<N> {
    /// Of every pair, in the order of the list.
    compared: Vec<Compared<N>>,
    /// Over all comparisons; `None` where there are none.
    all: Option<Level<N>>,
}

impl<N: Number> Known<N> {
    pub(crate) fn of(compared: Vec<Compared<N>>) -> Self {
        let met: Vec<N> = compared.iter().filter_map(|compared| compared.with_lower).collect();
        Self { all: Level::of(N::ONE, &met), compared }
    }
}

impl CoSent {
    /// The log-sum-exp of scale (d - d_o) over the distances d_o of others, or of scale (d_o - d):
    /// `sign` is 1 or -1.
    fn over<N: Number>(&self, sign: f64, d: N, others: &[N]) -> Option<N> {
        let (scale, sign) = (N::exact(self.scale.into()), N::exact(sign));
        let heights: Vec<N> = others.iter().map(|&other| -(sign * other)).collect();
        let level = Level::of_scan(scale, &heights)?;
        Some(scale * (sign * d + level.top) + level.log_sum)
    }
}

impl Definition for CoSent {
    type Known<N: Number> = Known<N>;

    /// Every pair with every other one.
    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known<N> {
        let distances = distances(anchors);
        let targets = anchors.targets();
        let pairs = || distances.iter().copied().zip(targets);
        let compared = anchors.map_anchors(|part| {
            let own = part.distances.iter().zip(&targets[first(&part)..]);
            let compared = own.map(|(&d, target)| {
                let others = |is_other: &dyn Fn(&f32) -> bool| -> Vec<N> {
                    pairs().filter(|(_, other)| is_other(other)).map(|(d, _)| d).collect()
                };
                Compared {
                    with_lower: self.over(1.0, d.into(), &others(&|other| other < target)),
                    with_higher: self.over(-1.0, d.into(), &others(&|other| other > target)),
                }
            });
            compared.collect::<Vec<_>>()
        });
        Known::of(compared.concat())
    }

    /// log(1 + exp(L)), with L the log-sum-exp over all comparisons; the first part of the list has
    /// it.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known<N>) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let Some(all) = &known.all else { return terms };
        let term = (all.top + all.log_sum).softplus();
        // Kernels make it of two factors.
        let part = |met| all.part(N::ONE, met).widened(4.0 * ULP);
        let share = |met: Option<N>| met.map_or(N::ZERO, part);
        let scale = N::exact(self.scale.into());
        for (slope, pair) in terms.slopes.iter_mut().zip(&known.compared[first(anchor)..]) {
            let shares = share(pair.with_lower) - share(pair.with_higher);
            // Kernels apply the scale later.
            *slope = (scale * (term.slope * shares)).widened(3.0 * ULP);
        }
        if anchor.index > 0 {
            return terms;
        }
        terms.terms = 1;
        terms.nonzero = Count::exact(1);
        terms.with_loss(term.value)
    }
}

/// The distances of all pairs, in the order of the list.
pub(crate) fn distances<N: Number>(anchors: &impl Anchors<N>) -> Vec<N> {
    let of_part = |part: Anchor<N>| part.distances.iter().map(|&d| d.into()).collect::<Vec<N>>();
    anchors.map_anchors(of_part).concat()
}

/// The place in the list of the first pair of a part.
fn first<N: Number>(part: &Anchor<N>) -> usize {
    part.index * PART
}
