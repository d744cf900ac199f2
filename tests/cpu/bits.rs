//! The same bits, whatever the number of threads and the workspace.

use support::bits::bits;
use support::sample::{Layout, Recipe, Values};
use wgpu_metric_learning::{Cpu, Distance};

use super::for_every_variant;

/// More rows and columns than a block and a stripe hold.
const LARGE: Recipe = Recipe {
    n: 280,
    m: 141,
    d: 21,
    layout: Layout::Balanced(5),
    values: Values::Ordinary,
    extreme_labels: false,
};

/// Rows of a stripe, as their bytes.
fn rows(rows: u64) -> Cpu {
    Cpu::default().with_workspace_bytes(8 * 280 * rows)
}

#[test]
fn every_number_of_threads_gives_the_same_bits() {
    let pools = [1, 2, 3]
        .map(|count| rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("a pool"));
    for cpu in [Cpu::default(), rows(20)] {
        for_every_variant(Distance::Euclidean, false, LARGE, |loss, batch| {
            let [one, two, three] = pools
                .each_ref()
                .map(|pool| bits(&pool.install(|| cpu.evaluate(loss, batch).wait()).unwrap()));
            assert!(one == two && two == three, "{loss:?}");
        });
    }
}

#[test]
fn every_workspace_of_whole_parts_gives_the_same_bits() {
    for (distance, normalize) in [(Distance::SquaredEuclidean, true), (Distance::Manhattan, false)]
    {
        for_every_variant(distance, normalize, LARGE, |loss, batch| {
            let [few, more, many] =
                [64, 70, 200].map(|count| bits(&rows(count).evaluate(loss, batch).wait().unwrap()));
            assert!(few == more && more == many, "{loss:?}");
        });
    }
}
