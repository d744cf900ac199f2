//! The margin loss of Wu, Manmatha, Smola and Krähenbühl (2017).

use crate::definition::anchor::Anchor;
use crate::definition::choice::Choice;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number};
use crate::definition::urn::Urn;
use crate::loss::{Margin, Sampling};

pub(crate) struct Known {
    betas: Vec<f64>,
    dimensions: usize,
    first_row: usize,
}

impl Definition for Margin {
    type Known<N: Number> = Known;

    fn survey<N: Number>(&self, anchors: &impl Anchors<N>) -> Known {
        Known {
            betas: anchors.learned().to_vec(),
            dimensions: anchors.dimensions(),
            first_row: anchors.first_row(),
        }
    }

    /// Positive: max(0, d - beta + alpha); negative: max(0, beta - d + alpha).
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, known: &Known) -> AnchorTerms<N> {
        let class = if self.beta_per_class { anchor.label as usize } else { 0 };
        let (beta, alpha) = (N::input(known.betas[class]), N::input(self.alpha));
        let mut terms = AnchorTerms::none(anchor);
        let mut loss = N::Total::default();
        let positives = &anchor.positives;
        let thresholds = self.reduction.thresholds();
        let positive = |d: N| (d - beta + alpha).hinge();
        let negative = |d: N| (beta - d + alpha).hinge();
        let of_positives = terms.add_within(anchor, positives, &mut loss, thresholds, positive);
        // Every slope is 1 by the distance, and the other way round by beta.
        let mut beta_slope = N::ZERO;
        positives.iter().for_each(|p| beta_slope.gather(-terms.slopes[p]));
        let (drawn, of_negatives) = match self.sampling {
            Sampling::All => {
                let all = &anchor.negatives;
                let falling = |d| negative(d).negated();
                let nonzero = terms.add_within(anchor, all, &mut loss, thresholds, falling);
                all.iter().for_each(|n| beta_slope.gather(-terms.slopes[n]));
                (all.len(), nonzero)
            }
            Sampling::DistanceWeighted => {
                let mut nonzero = Count::default();
                let draws = self.draws(anchor, known);
                for drawn in &draws {
                    let term = negative(drawn.distance).within(thresholds);
                    loss += term.value;
                    terms.add_slope(drawn, -term.slope);
                    beta_slope.gather(term.slope);
                    nonzero += term.nonzero;
                }
                (draws.len(), nonzero)
            }
        };
        terms.terms = (positives.len() + drawn) as u64;
        terms.nonzero = [of_positives, of_negatives].into_iter().sum();
        (terms.nonzero_positive, terms.nonzero_negative) = (of_positives, of_negatives);
        if !anchor.weights.is_empty() {
            let pairs = positives.iter().chain(anchor.negatives.iter());
            beta_slope = pairs.map(|pair| -terms.slopes[pair]).sum();
        }
        terms.learned = vec![(class, beta_slope)];
        terms.with_loss(loss.into())
    }
}

impl Margin {
    /// One negative for every positive; none where there are no negatives.
    fn draws<N: Number>(&self, anchor: &Anchor<N>, known: &Known) -> Vec<Choice<N>> {
        let Some(urn) = Urn::new(anchor, known.dimensions) else { return Vec::new() };
        let row = (known.first_row + anchor.name) as u32;
        let ranks = 0..anchor.positives.len() as u32;
        ranks.map(|rank| urn.draw([self.seed, row, rank])).collect()
    }
}
