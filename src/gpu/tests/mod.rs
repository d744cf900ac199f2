//! Tests of what only the inside sees: that every kernel is listed, and every file of WGSL part of
//! one; the layouts that host and
//! kernels share; faults planted in the kernels, which the comparison with the reference has to
//! catch; and what is compiled when.

mod faults;
mod includes;
mod kernels;
mod layouts;
mod measures;
mod seeds;
mod training;

use super::{Adapter, Context, Options, Tier};

/// A context on every adapter of this machine, in every tier that it has.
fn contexts(options: Options) -> Vec<Context> {
    let adapters = Adapter::all();
    assert!(!adapters.is_empty(), "no adapter found: install a GPU driver, a software one will do");
    let open = |adapter: &Adapter, tier| {
        adapter.open(options.clone().with_tier(tier)).expect("the adapter opens")
    };
    let tiers = |adapter| {
        Tier::ALL
            .into_iter()
            .filter(move |&tier| Adapter::has(adapter, tier))
            .map(move |tier| (adapter, tier))
    };
    adapters.iter().flat_map(tiers).map(|(adapter, tier)| open(adapter, tier)).collect()
}
