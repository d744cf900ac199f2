//! Tiles of distances and gradients: whichever a plan has, its results are right, and the same to
//! the bit.

use support::adapters::{contexts, contexts_with, one_by_one};
use support::agreement::Tally;
use support::bits::bits;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::tuning::{Tile, Tiles};
use wgpu_metric_learning::{Contrastive, Distance, Error, Options, Shape};

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

/// Tiles in one stripe and in several, with duplicates and without.
#[test]
fn tiles_do_not_change_a_bit() {
    let mut tally = Tally::new();
    for (values, rows) in [(Values::Ordinary, N as u64), (Values::Duplicates, 80)] {
        let sample = sample(values);
        let workspace_bytes = 8 * rows * N.next_multiple_of(4) as u64;
        let options =
            |tiles| Options::default().with_tiles(tiles).with_workspace_bytes(workspace_bytes);
        let devices = Tile::ALL.map(|tile| contexts_with(options(Tiles::both(tile))));
        for kind in 0..losses(Distance::Euclidean, false, 1.0).len() {
            let (distance, normalize) = (Distance::ALL[kind % 5], kind % 4 == 3);
            let loss = &losses(distance, normalize, reach(distance, normalize, D, 1.0))[kind];
            for batch in sample.batches(loss) {
                tally.hold(loss, &batch, &format!("{values:?}"));
                for at in 0..devices[0].len() {
                    let results: Vec<_> = devices
                        .iter()
                        .map(|devices| {
                            bits(
                                &devices[at]
                                    .context
                                    .evaluate(loss, &batch)
                                    .wait()
                                    .expect("nothing fails"),
                            )
                        })
                        .collect();
                    let is_same = results.iter().all(|result| *result == results[0]);
                    assert!(
                        is_same,
                        "{}: {loss:?} {:?} {values:?}",
                        devices[0][at].name,
                        batch.shape()
                    );
                }
            }
        }
    }
    tally.conclude(0.05);
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
