//! The mean of terms within thresholds.

use std::collections::HashSet;

use support::adapters::best_with;
use support::agreement::Tally;
use support::bits::bits;
use support::losses::{losses, reach, thresholded};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::{
    Batch, Distance, Loss, Mining, Options, Reduction, Shape, Thresholds, Triplet,
};

const RECIPE: Recipe = Recipe {
    n: 37,
    m: 29,
    d: 5,
    layout: Layout::Balanced(5),
    values: Values::Ordinary,
    extreme_labels: false,
};

/// Every loss that takes thresholds, with the settings that have a kernel of their own, by distances in
/// turn, on every batch that it takes, with weights and without.
fn for_every_loss(mut check: impl FnMut(&Loss, &Batch)) {
    let sample = Sample::new(RECIPE);
    let mut seen = HashSet::new();
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let distance = Distance::ALL[kind % Distance::ALL.len()];
        let loss = losses(distance, false, reach(distance, false, RECIPE.d, 1.0)).swap_remove(kind);
        let setting = match &loss {
            Loss::Triplet(Triplet { mining, soft, .. }) => match mining {
                Mining::All | Mining::SemiHard | Mining::Hard | Mining::Explicit => {
                    format!("{mining:?} {soft}")
                }
                _ => continue,
            },
            Loss::LiftedStructured(loss) => format!("{:?}", loss.form),
            Loss::Margin(loss) => format!("{:?} {}", loss.sampling, loss.beta_per_class),
            _ => String::new(),
        };
        if loss.takes_thresholds() && seen.insert((loss.name(), setting)) {
            let batches = sample.batches(&loss).into_iter();
            batches.chain(sample.weighted_batches(&loss)).for_each(|batch| check(&loss, &batch));
        }
    }
    assert!(seen.len() > 28, "{seen:?}");
}

/// On the best adapter, whole and in stripes of a few rows: the golden cases are on every one.
#[test]
fn every_loss_agrees() {
    let few_rows = Options::default().with_workspace_bytes(8 * 40 * 16 + 4 * 37 * 5);
    for options in [Options::default(), few_rows] {
        let mut tally = Tally::on(vec![best_with(options)]);
        for_every_loss(|loss, batch| {
            tally.hold(&thresholded(loss, batch), batch, "thresholds");
        });
        tally.conclude(0.1);
    }
}

/// Thresholds that leave nothing out are none, and those that leave nothing in have nothing in the
/// result but counts and distances.
#[test]
fn thresholds_of_everything_and_of_nothing() {
    let device = best_with(Options::default());
    for_every_loss(|loss, batch| {
        let evaluate = |reduction| {
            let loss = loss.clone().with_reduction(reduction);
            device.context.evaluate(loss, batch).wait().unwrap()
        };
        let within = |low, high| evaluate(Reduction::MeanWithin(Thresholds { low, high }));
        let nothing = within(Some(1e30), None);
        assert_eq!([nothing.loss, nothing.nonzero_terms as f32], [0.0, 0.0], "{loss:?}");
        let references = nothing.gradient_references.iter().flatten();
        assert!(nothing.gradient.iter().chain(references).all(|&slope| slope == 0.0), "{loss:?}");
        let everything = within(None, Some(f32::MAX));
        assert_eq!(bits(&within(None, None)), bits(&everything), "{loss:?} without thresholds");
        let mean = evaluate(Reduction::Mean);
        assert_eq!(everything.nonzero_terms, mean.terms, "{loss:?}");
        // The means of both kinds of Contrastive are apart, and SigLip sums up in another way.
        if !matches!(loss, Loss::Contrastive(_) | Loss::SigLip(_)) {
            let same = support::changed::changed(everything, |all| {
                all.nonzero_terms = mean.nonzero_terms;
                all.nonzero_positive_terms = mean.nonzero_positive_terms;
                all.nonzero_negative_terms = mean.nonzero_negative_terms;
            });
            assert_eq!(bits(&same), bits(&mean), "{loss:?} on {:?}", Shape::mode(batch.shape()));
        }
    });
}
