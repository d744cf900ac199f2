//! The soft triple loss (Qian, Shang, Sun, Hu, Li and Jin 2019).

use crate::definition::anchor::Anchor;
use crate::definition::classes::{Classes, Own, cross_entropy};
use crate::definition::loss::{AnchorTerms, Anchors, Definition};
use crate::definition::number::Number;
use crate::definition::softmax::Softmin;
use crate::loss::SoftTriple;

impl SoftTriple {
    /// sum over k of q_k d_k, with q the softmax of -d_k / gamma.
    fn classes<N: Number>(&self, anchor: &Anchor<N>, centers: usize) -> Classes<N> {
        let rate = N::ONE / N::exact(self.gamma.into());
        // The exponentials stand in the place of the derivatives that they become.
        let mut shares = vec![N::ZERO; anchor.distances.len()];
        let softmins = Softmin::of_groups(anchor, centers, rate, &mut shares);
        let groups = shares.chunks_exact_mut(centers).zip(anchor.distances.chunks_exact(centers));
        for ((shares, distances), softmin) in groups.zip(&softmins) {
            let of_sum = N::ONE / softmin.sum;
            for (share, &d) in shares.iter_mut().zip(distances) {
                let part: N = (*share * of_sum).within_one();
                *share = part * (N::ONE - softmin.apart(d.into()) * rate);
            }
        }
        Classes { distances: softmins.iter().map(Softmin::mean).collect(), shares }
    }
}

impl Definition for SoftTriple {
    type Known<N: Number> = ();

    fn survey<N: Number>(&self, _: &impl Anchors<N>) {}

    /// log(sum over c of exp(scale t_c)) - scale t_y, with t_y = S_y - margin.
    fn terms_of<N: Number>(&self, anchor: &Anchor<N>, (): &()) -> AnchorTerms<N> {
        let own = |d| Own::at(d + N::input(self.margin));
        let classes = |anchor: &Anchor<N>, centers| self.classes(anchor, centers);
        let scale = N::exact(self.scale.into());
        let terms = cross_entropy(anchor, self.centers_per_class, classes, own, scale);
        AnchorTerms { learned: Vec::new(), ..terms }
    }
}
