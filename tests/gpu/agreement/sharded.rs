//! Ranks of one batch on Vulkan, on GL and on the CPU: together they are within the bounds.

use support::adapters::contexts;
use support::losses::losses;
use support::sample::{Layout, Recipe, Sample, Values};
use support::sharded::{assembled, evaluate, shards};
use wgpu_metric_learning::{Cpu, Distance, Engine, Loss, Mode, reference};

/// One loss of each kind of travel.
const NAMES: [&str; 5] = ["Contrastive", "Triplet", "NtXent", "LiftedStructured", "Clip"];

#[test]
fn ranks_on_different_adapters_come_to_one_result() {
    let devices = contexts();
    let gpus = devices.iter().map(|device| Engine::Gpu(device.context.clone()));
    let engines: Vec<_> = gpus.chain([Engine::Cpu(Cpu::default())]).collect();
    // Uneven: 1, 2, 3, ... shares.
    let cut: Vec<_> = (1..=engines.len()).collect();
    let recipe = Recipe {
        n: 40,
        m: 33,
        d: 19,
        layout: Layout::Balanced(5),
        values: Values::Ordinary,
        extreme_labels: true,
    };
    let sample = Sample::new(recipe);
    let mut held = 0;
    for name in NAMES {
        let all = losses(Distance::Euclidean, true, 1.0).into_iter();
        let loss: Loss = all.into_iter().find(|loss| loss.name() == name).expect("a loss");
        for batch in sample.batches(&loss) {
            if !matches!(batch.shape().mode(), Mode::Batch | Mode::Reference) {
                continue;
            }
            let found = evaluate(&loss, &shards(&batch, &cut), |rank, loss, batch| {
                engines[rank].evaluate(loss, batch).wait()
            });
            let found: Result<Vec<_>, _> = found.into_iter().collect();
            let found = assembled(found.unwrap_or_else(|error| panic!("{loss:?}: {error}")));
            let expected = reference::evaluate_with_bounds(&loss, &batch).unwrap();
            let comparison = expected.compare(&found);
            assert!(comparison.agrees(), "{loss:?} by {} engines\n{comparison}", engines.len());
            held += 1;
        }
    }
    assert!(held > NAMES.len(), "{held} batches");
}
