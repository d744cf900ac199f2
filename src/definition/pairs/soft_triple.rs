//! The soft triple loss (Qian, Shang, Sun, Hu, Li and Jin 2019).

use crate::definition::anchor::Anchor;
use crate::definition::classes::{Own, Shares, cross_entropy};
use crate::definition::columns::Columns;
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::definition::softmax::Softmax;
use crate::loss::SoftTriple;

impl SoftTriple {
    /// sum over k of q_k d_k, with q the softmax of -d_k / gamma. `parts` become its summands.
    fn class<N: Number>(
        &self,
        anchor: &Anchor<N>,
        centers: &Columns,
        parts: &mut [N],
        shares: &mut Shares<N>,
    ) -> Option<N> {
        let gamma = N::exact(self.gamma.into());
        let softmax = Softmax::of(anchor, centers, N::ONE / gamma, parts)?;
        let share = |column: usize| {
            let part: N = (parts[column] / softmax.sum).within_one();
            (column, part * (N::ONE - softmax.apart(anchor.distance(column)) / gamma))
        };
        shares.extend(centers.iter().map(share));
        Some(softmax.mean())
    }
}

impl Definition for SoftTriple {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// log(sum over c of exp(scale t_c)) - scale t_y, with t_y = S_y - margin.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let own = |d| Own::at(d + N::input(self.margin));
        let mut parts = vec![N::ZERO; anchor.distances.len()];
        let class = |anchor: &Anchor<N>, centers: &Columns, shares: &mut Shares<N>| {
            self.class(anchor, centers, &mut parts, shares)
        };
        let scale = N::exact(self.scale.into());
        let terms = cross_entropy(anchor, self.centers_per_class, class, own, scale);
        AnchorTerms { learned: Vec::new(), ..terms }
    }
}
