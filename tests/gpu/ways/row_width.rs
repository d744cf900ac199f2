//! How many invocations share a row: with many, results are right, on the best adapter. Few have the
//! short rows of all other tests, and of `agreement::digits` long ones too.

use support::adapters::{best_with, contexts_with};
use support::agreement::Tally;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::tuning::RowWidth;
use wgpu_metric_learning::{Contrastive, Distance, Options, Shape};

/// Columns, four at a time, that leave most of 256 invocations idle, and of references for more than
/// one round of them.
const N: usize = 70;
const M: usize = 1_100;
const D: usize = 6;

#[test]
fn wide_rows_are_right() {
    let recipe = Recipe {
        n: N,
        m: M,
        d: D,
        layout: Layout::Balanced(4),
        values: Values::Duplicates,
        extreme_labels: false,
    };
    let sample = Sample::new(recipe);
    let wide = Options::default().with_row_width(RowWidth::Wide);
    let mut tally = Tally::on(vec![best_with(wide)]);
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let (distance, normalize) = (Distance::ALL[kind % Distance::ALL.len()], kind % 4 == 3);
        let loss = &losses(distance, normalize, reach(distance, normalize, D, 1.0))[kind];
        for batch in sample.batches(loss) {
            tally.hold(loss, &batch, "rows of many invocations");
        }
    }
    tally.conclude(0.05);
}

#[test]
fn rows_are_of_the_width_that_is_asked_for() {
    for width in RowWidth::ALL {
        for device in contexts_with(Options::default().with_row_width(width)) {
            for shape in
                [Shape::batch(10, 3), Shape::reference(10, 20, 3), Shape::pair_indices(10, 3, 4)]
            {
                let plan = device.context.plan(Contrastive::default(), shape).expect("a plan");
                assert_eq!(plan.row_width(), Some(width), "{}: {shape:?}", device.name);
            }
        }
    }
}
