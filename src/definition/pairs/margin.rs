//! The margin loss of Wu, Manmatha, Smola and Krähenbühl (2017).

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Number, Term};
use crate::definition::urn::Urn;
use crate::loss::{Margin, Sampling};

pub(crate) struct Known {
    betas: Vec<f64>,
    dimensions: usize,
}

impl Definition for Margin {
    type Known<N: Number> = Known;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known {
        Known { betas: anchors.betas().to_vec(), dimensions: anchors.dimensions() }
    }

    /// Positive: max(0, d - beta + alpha); negative: max(0, beta - d + alpha).
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known) -> AnchorTerms<N> {
        let class = if self.beta_per_class { anchor.label as usize } else { 0 };
        let (beta, alpha) = (N::input(known.betas[class]), N::input(self.alpha));
        let mut terms = AnchorTerms::none(anchor);
        let mut losses = Vec::new();
        let mut beta_slope = N::ZERO;
        for &p in &anchor.positives {
            let term = (anchor.distances[p] - beta + alpha).hinge();
            losses.push(term.value);
            terms.slopes[p] = term.slope;
            beta_slope.gather(-term.slope);
            terms.nonzero_positive += term.nonzero;
        }
        let negative = |d: N| (beta - d + alpha).hinge();
        for term in self.negative_terms(anchor, known.dimensions, negative, &mut terms) {
            losses.push(term.value);
            beta_slope.gather(term.slope);
            terms.nonzero_negative += term.nonzero;
        }
        terms.terms = losses.len() as u64;
        terms.nonzero = [terms.nonzero_positive, terms.nonzero_negative].into_iter().sum();
        terms.beta = Some((class, beta_slope));
        terms.with_loss(losses.into_iter().sum())
    }
}

impl Margin {
    /// The terms of the sampled negatives, whose slopes go to `terms`.
    fn negative_terms<N: Number>(
        &self,
        anchor: &Anchor<N>,
        dimensions: usize,
        term: impl Fn(N) -> Term<N>,
        terms: &mut AnchorTerms<N>,
    ) -> Vec<Term<N>> {
        match self.sampling {
            Sampling::All => {
                let every = anchor.negatives.iter().map(|&n| {
                    let term = term(anchor.distances[n]);
                    terms.slopes[n] = -term.slope;
                    term
                });
                every.collect()
            }
            Sampling::DistanceWeighted => {
                let drawn = self.draws(anchor, dimensions).into_iter().map(|negative| {
                    let term = term(negative.distance);
                    terms.add_slope(&negative, -term.slope);
                    term
                });
                drawn.collect()
            }
        }
    }

    /// One negative for every positive; none where there are no negatives.
    fn draws<N: Number>(&self, anchor: &Anchor<N>, dimensions: usize) -> Vec<Choice<N>> {
        let Some(urn) = Urn::new(anchor, dimensions) else { return Vec::new() };
        let ranks = 0..anchor.positives.len() as u32;
        ranks.map(|rank| urn.draw([self.seed, anchor.index as u32, rank])).collect()
    }
}
