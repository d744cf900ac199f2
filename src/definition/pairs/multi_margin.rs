//! The multi-class margin loss (Crammer and Singer 2001, Weston and Watkins 1999).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number};
use crate::loss::MultiMargin;

impl Definition for MultiMargin {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// sum over c != y of max(0, s_c - s_y + margin)^power, with the scores s = -d.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let mut terms = AnchorTerms::none(anchor);
        let own = anchor.label as usize;
        let share = if self.divide_by_classes {
            N::ONE / N::exact(anchor.distances.len() as f64)
        } else {
            N::ONE
        };
        let mut losses = Vec::new();
        let mut nonzero = Count::default();
        for &c in &anchor.negatives {
            let argument = anchor.distances[own] - anchor.distances[c] + N::input(self.margin);
            let term = argument.hinge().power(self.power);
            losses.push(term.value);
            terms.slopes[c] = -term.slope * share;
            nonzero += term.nonzero;
        }
        terms.slopes[own] = anchor.negatives.iter().map(|&c| -terms.slopes[c]).sum();
        terms.terms = 1;
        terms.nonzero = Count {
            value: u64::from(nonzero.value > 0),
            // Only where no class is beyond doubt.
            slack: u64::from(nonzero.slack > 0 && nonzero.slack >= nonzero.value),
        };
        terms.with_loss(losses.into_iter().sum::<N>() * share)
    }
}
