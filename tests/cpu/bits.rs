//! The same bits, whatever the number of threads and the workspace.

use support::bits::bits;
use support::ranking::every_measure;
use support::sample::{Layout, Random, Recipe, Sample, Values};
use wgpu_metric_learning::training::{Adam, CpuOptimizer, Linear};
use wgpu_metric_learning::{Contrastive, Cpu, Distance};

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

/// Rows of a stripe, as their bytes: of 280 columns 304 numbers are kept.
fn rows(rows: u64) -> Cpu {
    Cpu::default().with_workspace_bytes(4 * 304 * rows)
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

/// Measures, a projection and its gradient, and a step of an optimiser.
#[test]
fn every_number_of_threads_gives_the_same_bits_of_what_has_no_loss() {
    let pools = [1, 2, 3]
        .map(|count| rayon::ThreadPoolBuilder::new().num_threads(count).build().expect("a pool"));
    let sample = Sample::new(LARGE);
    let batch = sample.batches(&Contrastive::default().into())[0];
    let linear = Linear { rows: 280, inputs: 21, outputs: 5 };
    let weights = Random(4).numbers(21 * 5, 1.0);
    let cpu = rows(20);
    let [one, two, three] = pools.each_ref().map(|pool| {
        pool.install(|| {
            let measures = cpu.measure(&every_measure(), &batch).wait().expect("measures");
            let outputs = cpu.project(&linear, batch.embeddings(), &weights).expect("outputs");
            let gradient =
                cpu.project_back(&linear, batch.embeddings(), &outputs).expect("a gradient");
            let mut optimizer = CpuOptimizer::new(Adam::default(), weights.len()).expect("one");
            let mut parameters = weights.clone();
            optimizer.step(&mut parameters, &gradient).expect("a step");
            (measures, outputs, gradient, parameters)
        })
    });
    assert!(one == two && two == three);
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
