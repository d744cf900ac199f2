//! Ranks of one batch on Vulkan, on GL and on the CPU: together they are within the bounds.

use support::adapters::contexts;
use support::losses::{losses, thresholded};
use support::sample::{Layout, Recipe, Sample, Values};
use support::sharded::{assembled, evaluate, shards};
use wgpu_metric_learning::{Batch, Cpu, Distance, Engine, Loss, Mode, reference};

/// One loss of each kind of travel, beside the one that draws.
const NAMES: [&str; 6] = ["Contrastive", "Triplet", "NtXent", "SigLip", "LiftedStructured", "Clip"];

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
    let hold = |loss: &Loss, batch: &Batch| {
        let found = evaluate(loss, &shards(batch, &cut), |rank, loss, batch| {
            engines[rank].evaluate(loss, batch).wait()
        });
        let found: Result<Vec<_>, _> = found.into_iter().collect();
        let found = assembled(found.unwrap_or_else(|error| panic!("{loss:?}: {error}")));
        let expected = reference::evaluate_with_bounds(loss, batch).unwrap();
        let comparison = expected.compare(&found);
        assert!(comparison.agrees(), "{loss:?} by {} engines\n{comparison}", engines.len());
    };
    let mut all = losses(Distance::Euclidean, true, 1.0);
    let drawing = all.pop().expect("the last one draws");
    let named = NAMES.map(|name| all.iter().find(|loss| loss.name() == name).expect("a loss"));
    let mut held = 0;
    for loss in named.into_iter().chain([&drawing]) {
        for batch in sample.batches(loss) {
            if matches!(batch.shape().mode(), Mode::Batch | Mode::Reference) {
                hold(loss, &batch);
                hold(&thresholded(loss, &batch), &batch);
                held += 1;
            }
        }
    }
    assert!(held > NAMES.len() + 1, "{held} batches");
}
