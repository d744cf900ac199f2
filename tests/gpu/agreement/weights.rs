//! Anchors, pairs and triplets with weights.

use std::collections::HashSet;

use support::adapters::best_with;
use support::agreement::Tally;
use support::bits::bits;
use support::changed::changed;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::{Batch, Distance, Evaluation, Input, Loss, Mining, Options};

const RECIPE: Recipe = Recipe {
    n: 37,
    m: 21,
    d: 5,
    layout: Layout::Balanced(5),
    values: Values::Ordinary,
    extreme_labels: false,
};

/// Every loss that takes weights, with every form and the minings that have a kernel of their own, by
/// distances in turn.
fn for_every_loss(mut check: impl FnMut(&Loss, &Sample)) {
    let sample = Sample::new(RECIPE);
    let mut seen = HashSet::new();
    for (turn, kind) in (0..losses(Distance::Euclidean, false, 1.0).len()).enumerate() {
        let distance = Distance::ALL[turn % Distance::ALL.len()];
        let loss = losses(distance, false, reach(distance, false, RECIPE.d, 1.0)).swap_remove(kind);
        let setting = match &loss {
            Loss::Triplet(triplet) => match triplet.mining {
                Mining::All | Mining::SemiHard | Mining::Hard | Mining::Explicit => {
                    triplet.mining.name()
                }
                _ => continue,
            },
            Loss::LiftedStructured(lifted) => lifted.form.name(),
            Loss::Contrastive(_) => loss.reduction().name(),
            _ => "",
        };
        if loss.takes_weights() && seen.insert((loss.name(), setting)) {
            check(&loss, &sample);
        }
    }
}

/// On the best adapter: the golden cases are on every one.
#[test]
fn every_loss_agrees() {
    let mut tally = Tally::on(vec![best_with(Options::default())]);
    for_every_loss(|loss, sample| {
        for batch in sample.weighted_batches(loss) {
            tally.hold(loss, &batch, "weights");
        }
    });
    tally.conclude(0.05);
}

/// Stripes of a few rows, on the best adapter, since the host cuts.
#[test]
fn cut_matrices_agree() {
    let few_rows = Options::default().with_workspace_bytes(8 * 40 * 16 + 4 * 37 * 5);
    let mut tally = Tally::on(vec![best_with(few_rows)]);
    for_every_loss(|loss, sample| {
        for batch in sample.weighted_batches(loss) {
            tally.hold(loss, &batch, "weights of a cut matrix");
        }
    });
    tally.conclude(0.05);
}

/// Whether its coefficients get their weights in another variant of its kernel, in which a driver may
/// fuse other multiplications and additions.
fn has_variant(loss: &Loss) -> bool {
    use Loss::{
        Circle, Clip, GeneralizedLiftedStructured, LiftedStructured, MultiSimilarity, Nca, NtXent,
        SupCon,
    };
    matches!(
        loss,
        Circle(_)
            | Clip(_)
            | GeneralizedLiftedStructured(_)
            | LiftedStructured(_)
            | MultiSimilarity(_)
            | Nca(_)
            | NtXent(_)
            | SupCon(_)
    )
}

/// Powers of two change exponents alone, and 0 leaves nothing but counts and distances. On the best
/// adapter: that others agree is held above.
#[test]
fn equal_weights_are_a_factor_to_the_bit() {
    let device = best_with(Options::default());
    let tables = [1.0, 4.0, 0.0].map(|weight| vec![weight; 3 * RECIPE.n]);
    for_every_loss(|loss, sample| {
        let evaluate = |batch: &Batch| device.context.evaluate(loss, batch).wait().unwrap();
        for batch in sample.batches(loss) {
            let count = batch.shape().with_weights().numbers(Input::Weights);
            let [of_ones, of_fours, of_zeros] = tables
                .each_ref()
                .map(|table| evaluate(&batch.with_weights(&table[..count]).unwrap()));
            if !has_variant(loss) {
                assert_eq!(bits(&evaluate(&batch)), bits(&of_ones), "{loss:?}");
            }
            assert_eq!(bits(&times(&of_ones, 4.0)), bits(&of_fours), "{loss:?}");
            // 0 may have a sign.
            let of_zeros = of_zeros.map(|number| number + 0.0);
            assert_eq!(bits(&times(&of_ones, 0.0).map(|x| x + 0.0)), bits(&of_zeros), "{loss:?}");
        }
    });
}

/// The result of a loss that is so many times as large on the same distances.
fn times(one: &Evaluation, factor: f32) -> Evaluation {
    changed(one.clone().map(|number| factor * number), |all| {
        all.mean_positive_distance = one.mean_positive_distance;
        all.mean_negative_distance = one.mean_negative_distance;
    })
}
