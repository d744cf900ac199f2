//! The multi-class margin loss (Crammer and Singer 2001, Weston and Watkins 1999).

use crate::definition::anchor::Anchor;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::{Count, Number, Term};
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
        let own_distance = anchor.distance(own);
        let mut loss = N::Total::default();
        let nonzero = terms.add(anchor, &anchor.negatives, &mut loss, |d| {
            let argument = own_distance - d + N::input(self.margin);
            let term = argument.hinge().power(self.power);
            Term { slope: -term.slope * share, ..term }
        });
        let mut slope = N::Total::default();
        N::sum_at(&terms.slopes, &anchor.negatives, &mut slope, |slope| -slope);
        terms.slopes[own] = slope.into();
        terms.terms = 1;
        terms.nonzero = Count {
            value: u64::from(nonzero.value > 0),
            // Only where no class is beyond doubt.
            slack: u64::from(nonzero.slack > 0 && nonzero.slack >= nonzero.value),
        };
        terms.with_loss(loss.into() * share)
    }
}
