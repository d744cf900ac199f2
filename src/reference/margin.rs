//! The margin loss of Wu, Manmatha, Smola and Krähenbühl (2017).

use super::bounded::Bounded;
use super::definition::{Anchor, Definition, Terms};
use super::problem::Problem;
use crate::loss::Margin;

impl Definition for Margin {
    /// The betas.
    type Known = Vec<f64>;

    fn survey(&self, problem: &Problem) -> Vec<f64> {
        problem.beta.clone()
    }

    /// Positive: max(0, d - beta + alpha); negative: max(0, beta - d + alpha).
    fn terms_of(&self, anchor: &Anchor, betas: &Vec<f64>) -> Terms {
        let class = if self.beta_per_class { anchor.label as usize } else { 0 };
        let (beta, alpha) = (Bounded::exact(betas[class]), Bounded::exact(self.alpha.into()));
        let mut terms = Terms::none(anchor);
        let mut losses = Vec::new();
        let mut beta_slope = Bounded::ZERO;
        for &p in &anchor.positives {
            let term = (anchor.distances[p] - beta + alpha).hinge();
            losses.push(term.value);
            terms.slopes[p] = term.slope;
            beta_slope.gather(-term.slope);
            terms.nonzero_positive += term.nonzero;
        }
        for &n in &anchor.negatives {
            let term = (beta - anchor.distances[n] + alpha).hinge();
            losses.push(term.value);
            terms.slopes[n] = -term.slope;
            beta_slope.gather(term.slope);
            terms.nonzero_negative += term.nonzero;
        }
        terms.terms = losses.len() as u64;
        terms.nonzero = [terms.nonzero_positive, terms.nonzero_negative].into_iter().sum();
        terms.beta = Some((class, beta_slope));
        terms.with_loss(losses.into_iter().sum())
    }
}
