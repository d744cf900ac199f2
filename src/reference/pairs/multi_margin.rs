//! The multi-class margin loss (Crammer and Singer 2001, Weston and Watkins 1999).

use crate::loss::MultiMargin;
use crate::reference::anchor::Anchor;
use crate::reference::bounded::{Bounded, Count};
use crate::reference::definition::{AnchorTerms, Definition};
use crate::reference::problem::Problem;

impl Definition for MultiMargin {
    type Known = ();

    fn survey(&self, _: &Problem) {}

    /// sum over c != y of max(0, s_c - s_y + margin)^power, with the scores s = -d.
    fn terms_of(&self, anchor: &Anchor, (): &()) -> AnchorTerms {
        let mut terms = AnchorTerms::none(anchor);
        let own = anchor.label as usize;
        let share = if self.divide_by_classes {
            Bounded::exact(1.0) / Bounded::exact(anchor.distances.len() as f64)
        } else {
            Bounded::exact(1.0)
        };
        let mut losses = Vec::new();
        let mut nonzero = Count::default();
        for &c in &anchor.negatives {
            let argument =
                anchor.distances[own] - anchor.distances[c] + Bounded::input(self.margin);
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
        terms.with_loss(losses.into_iter().sum::<Bounded>() * share)
    }
}
