//! A seed is data: drawing from another one compiles nothing.

use super::first_context;
use crate::gpu::Options;
use crate::loss::{Loss, Margin, Sampling};
use crate::reference::samples::Sample;

#[test]
fn another_seed_makes_no_pipeline() {
    let context = first_context(Options::default());
    let sample = Sample::new(19, 6, 1.0);
    let run = |seed| {
        let sampling = Sampling::DistanceWeighted;
        let loss: Loss = Margin { normalize: true, sampling, seed, ..Default::default() }.into();
        let evaluation =
            context.evaluate(&loss, &sample.batches(&loss)[0]).wait().expect("a valid sample");
        (evaluation.gradient, context.pipelines().kernels().len())
    };
    let [(one, kernels), (other, kernels_then)] = [1, 2].map(run);
    assert_ne!(one, other);
    assert_eq!(kernels, kernels_then);
}
