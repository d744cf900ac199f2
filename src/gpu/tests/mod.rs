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
use crate::loss::Loss;
use crate::reference::samples::representatives;
use crate::wgsl::terms::TermsKernel;

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

/// One loss of every kind that has a file or constants of its own among the kernels. Distances,
/// normalisations and reductions come in turn, so that each of them is there with some kind.
fn one_of_each_kind() -> Vec<Loss> {
    let mut kinds: Vec<(TermsKernel, Vec<Loss>)> = Vec::new();
    for loss in representatives() {
        let terms = loss.description().terms_kernel();
        let is_same =
            |kind: &TermsKernel| (kind.shader, &kind.constants) == (terms.shader, &terms.constants);
        match kinds.iter_mut().find(|(kind, _)| is_same(kind)) {
            Some((_, losses)) => losses.push(loss),
            None => kinds.push((terms, vec![loss])),
        }
    }
    let in_turn = kinds.iter().enumerate();
    in_turn.map(|(turn, (_, losses))| losses[turn % losses.len()].clone()).collect()
}
