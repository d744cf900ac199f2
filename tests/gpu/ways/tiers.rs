//! Tiers: every adapter runs those that it has, with the same bits on every run, and says of the
//! others what it lacks.

use support::bits::bits;
use support::losses::{losses, reach};
use support::sample::{Layout, Recipe, Sample, Values};
use wgpu_metric_learning::tuning::Tier;
use wgpu_metric_learning::{Adapter, Distance, Error, Options};

const N: usize = 70;
const D: usize = 6;

#[test]
fn every_adapter_runs_its_tiers_and_no_other() {
    let recipe = Recipe {
        n: N,
        m: 40,
        d: D,
        layout: Layout::Balanced(4),
        values: Values::Ordinary,
        extreme_labels: false,
    };
    let sample = Sample::new(recipe);
    let loss = &losses(Distance::Euclidean, false, reach(Distance::Euclidean, false, D, 1.0))[0];
    for adapter in Adapter::all() {
        let name = format!("{:?} {}", adapter.info().backend, adapter.info().name);
        assert!(adapter.has(Tier::Baseline) && adapter.has(adapter.tier()), "{name}");
        for tier in Tier::ALL {
            let opened = adapter.open(Options::default().with_tier(tier));
            if !adapter.has(tier) {
                assert!(matches!(opened, Err(Error::MissingFeature { .. })), "{name}: {opened:?}");
                continue;
            }
            let context = opened.expect("a tier that it has");
            assert_eq!(context.tier(), tier, "{name}");
            for batch in sample.batches(loss) {
                let [one, other] = [0, 1]
                    .map(|_| bits(&context.evaluate(loss, &batch).wait().expect("nothing fails")));
                assert_eq!(one, other, "{name}: {tier}");
            }
        }
    }
}
