//! Which negative pairs a batch gives.

use serde::{Deserialize, Serialize};

use crate::names::named;

/// Which pairs are the terms of [`Margin`](crate::Margin). All positive pairs always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sampling {
    /// Every negative pair.
    #[default]
    All,
    /// One drawn negative for every (anchor, positive), so that all distances are about as
    /// frequent. It needs the distance `Euclidean` with `normalize`.
    ///
    /// On unit rows of D numbers, a negative at distance d is drawn with the weight
    ///
    /// log w(d) = (2 - D) log d + ((3 - D) / 2) log(1 - d^2 / 4), with d at least 0.5,
    ///
    /// relative to the anchor's largest, and with weight 0 at 1.4 or farther. Where all negatives
    /// of the anchor are there, they weigh the same. A negative drawn twice counts twice; an
    /// anchor without negatives keeps its positive pairs and draws none. No gradient flows
    /// through the weights.
    ///
    /// Among the anchor's negatives in the order of their index, the drawn one is the first up to
    /// and with which the sum of the weights is greater than u times the sum of all. The u are
    /// in [0, 1): the upper 24 bits, over 2^24, of the first word of pcg3d(seed, index of the
    /// anchor, rank of the positive), where the rank counts the anchor's positives in the order of
    /// their index. So they are the same on every device, and a draw can differ only where the
    /// rounding of a weight decides.
    ///
    /// Sources: Wu, Manmatha, Smola and Krähenbühl, "Sampling Matters in Deep Embedding Learning",
    /// ICCV 2017; pcg3d: Jarzynski and Olano, "Hash Functions for GPU Rendering", Journal of
    /// Computer Graphics Techniques 9(3), 2020.
    DistanceWeighted,
}

named! {
    /// Every sampling.
    Sampling, "sampling":
    All,
    DistanceWeighted,
}
