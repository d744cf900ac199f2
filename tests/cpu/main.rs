//! The engine of the CPU: its results are those of the reference, within its bounds, and the same
//! bits for every workspace and number of threads. Needs no device.

mod agreement;
mod bits;
#[path = "../gpu/properties/case.rs"]
mod case;
mod properties;
mod prototypes;
mod queries;
mod runs;
mod search;
mod sharded;
mod training;
mod verification;

use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::{Batch, Distance, Loss};

/// Every loss over pairs in every variant with the batches of the sample that it takes.
fn for_every_variant(
    distance: Distance,
    normalize: bool,
    recipe: Recipe,
    mut check: impl FnMut(&Loss, &Batch),
) {
    let reach = reach(distance, normalize, recipe.d, recipe.values.magnitude());
    let sample = Sample::new(recipe);
    for loss in losses(distance, normalize, reach) {
        sample.batches(&loss).iter().for_each(|batch| check(&loss, batch));
    }
}

/// N = 40, D = 19, M = 33.
fn small(layout: Layout, values: Values) -> Recipe {
    Recipe { n: 40, m: 33, d: 19, layout, values, extreme_labels: false }
}
