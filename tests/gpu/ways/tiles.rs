//! Tiles of distances and gradients: whichever a plan has, its results are right, and the same to
//! the bit.

use support::adapters::{best_with, contexts, contexts_with, one_by_one};
use support::agreement::Tally;
use support::bits::bits;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::tuning::{Tile, Tiles};
use wgpu_metric_learning::{Contrastive, Distance, Error, Options, Shape, reference};

/// A large tile and a part of another, of rows and of dimensions.
const N: usize = 150;
const D: usize = 134;

fn sample(values: Values) -> Sample {
    Sample::new(Recipe {
        n: N,
        m: 70,
        d: D,
        layout: Layout::Balanced(4),
        values,
        extreme_labels: false,
    })
}

/// Every loss with tiles, on ordinary rows in one stripe and on duplicates in several, in turn. On
/// the best adapter, since what a tile computes is the same in every loss.
#[test]
fn tiles_do_not_change_a_bit() {
    let mut tally = Tally::new();
    let samples = [(Values::Ordinary, N as u64), (Values::Duplicates, 80)].map(|(values, rows)| {
        let workspace_bytes = 8 * rows * N.next_multiple_of(4) as u64;
        let devices = Tile::ALL.map(|tile| {
            let options = Options::default().with_tiles(Tiles::both(tile));
            best_with(options.with_workspace_bytes(workspace_bytes))
        });
        (sample(values), devices)
    });
    for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
        let (sample, devices) = &samples[kind % samples.len()];
        let (distance, normalize) = (Distance::ALL[kind % Distance::ALL.len()], kind % 4 == 3);
        let loss = &losses(distance, normalize, reach(distance, normalize, D, 1.0))[kind];
        for batch in sample.batches(loss) {
            let case = format!("{loss:?} {:?}", batch.shape());
            let results = devices
                .each_ref()
                .map(|device| device.context.evaluate(loss, &batch).wait().expect("nothing fails"));
            assert!(results.iter().all(|result| bits(result) == bits(&results[0])), "{case}");
            let expected = reference::evaluate_with_bounds(loss, &batch).expect("a valid sample");
            tally.compare(&expected, &results[0], case);
        }
    }
    tally.conclude(0.05);
}

/// Every tile, of direct differences and of products, agrees on every adapter.
#[test]
fn tiles_agree_on_every_adapter() {
    let sample = sample(Values::Ordinary);
    for tile in Tile::ALL {
        let _alone = contexts();
        let mut tally = Tally::on(contexts_with(Options::default().with_tiles(Tiles::both(tile))));
        for distance in [Distance::Euclidean, Distance::Cosine] {
            let loss = Contrastive { distance, ..Contrastive::default() }.into();
            for batch in sample.batches(&loss) {
                tally.hold(&loss, &batch, &format!("{tile:?}"));
            }
        }
        tally.conclude(0.0);
    }
}

#[test]
fn what_was_measured_is_remembered() {
    for device in one_by_one() {
        let shape = Shape::batch(200, 100);
        let found = device.context.autotune(&shape).expect("nothing fails");
        let plan = device.context.plan(Contrastive::default(), shape).expect("a plan");
        assert_eq!(plan.tiles(), Some(found), "{}", device.name);
        let listed = Shape::pair_indices(200, 100, 10);
        assert!(device.context.autotune(&listed).is_ok(), "{}", device.name);
        assert_eq!(
            device.context.plan(Contrastive::default(), listed).expect("a plan").tiles(),
            None
        );
        let empty = device.context.autotune(&Shape::batch(0, 3));
        assert!(matches!(empty, Err(Error::Empty { .. })), "{}: {empty:?}", device.name);
        let huge = device.context.autotune(&Shape::batch(1 << 16, 1 << 10));
        assert!(matches!(huge, Err(Error::DeviceLimit { .. })), "{}: {huge:?}", device.name);
    }
}

#[test]
fn chosen_tiles_are_not_measured() {
    let _alone = contexts();
    for tiles in Tile::ALL.map(Tiles::both) {
        for device in contexts_with(Options::default().with_tiles(tiles)) {
            assert_eq!(
                device.context.autotune(&Shape::reference(10, 20, 3)),
                Ok(tiles),
                "{}",
                device.name
            );
        }
    }
}
