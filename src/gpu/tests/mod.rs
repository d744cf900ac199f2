//! Tests of what only the inside sees: that every kernel is listed, and every file of WGSL part of
//! one; the layouts that host and kernels share; faults planted in the kernels, which the
//! comparison with the reference has to catch; and what is compiled when.

mod faults;
mod includes;
mod kernels;
mod layouts;
mod measures;
mod search;
mod seeds;
mod training;
mod verification;

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Adapter, Context, Options, Tier};
use crate::loss::{Loss, Mining};
use crate::reference::samples::{losses, representatives};
use crate::wgsl::include::planted;
use crate::wgsl::terms::TermsKernel;

/// A context on every adapter of this machine, in every tier that it has.
fn contexts(options: Options) -> Vec<Context> {
    in_order().into_iter().map(|(adapter, tier)| open(&adapter, tier, &options)).collect()
}

/// The first of them, for what one adapter shows as well as all.
fn first_context(options: Options) -> Context {
    let (adapter, tier) = in_order().swap_remove(0);
    open(&adapter, tier, &options)
}

/// A context on one device of the first adapter for each of these options.
fn first_contexts<const N: usize>(options: [Options; N]) -> [Context; N] {
    let first = first_context(Options::default());
    let another = |options: Options| first.with_options(options.with_tier(first.tier()));
    options.map(|options| another(options).expect("what any adapter has"))
}

/// A context with the experimental features that these options ask for, where an adapter has them.
#[allow(unsafe_code, reason = "wgpu asks who enables experimental features to answer for them")]
fn cooperative_context(options: Options) -> Option<Context> {
    // SAFETY: a test that asks for such an arithmetic is to find what is wrong with it.
    let experimental = unsafe { wgpu::ExperimentalFeatures::enabled() };
    let open = |adapter: &Adapter| adapter.open_experimental(options.clone(), experimental).ok();
    Adapter::all().iter().find_map(open)
}

/// Does this with a fault planted: a text of a shader, and what stands in its place. Pipelines of these
/// contexts without it are set aside meanwhile: to compile them anew for each fault would take longest.
fn with_fault<'c, T>(
    contexts: impl IntoIterator<Item = &'c Context>,
    [path, text, fault]: [&'static str; 3],
    work: impl FnOnce() -> T,
) -> T {
    let set_aside = |context: &'c Context| (context, context.pipelines().replace(path, Vec::new()));
    let aside: Vec<_> = contexts.into_iter().map(set_aside).collect();
    let result = planted(path, text, fault, work);
    // Contexts of one device have the same pipelines, which the first of them has set aside.
    for (context, whole) in aside.into_iter().rev() {
        context.pipelines().replace(path, whole);
    }
    result
}

fn in_order() -> Vec<(Adapter, Tier)> {
    let adapters = Adapter::all();
    assert!(!adapters.is_empty(), "no adapter found: install a GPU driver, a software one will do");
    let tiers = |adapter: Adapter| {
        Tier::ALL
            .into_iter()
            .filter(|&tier| adapter.has(tier))
            .map(|tier| (adapter.clone(), tier))
            .collect::<Vec<_>>()
    };
    adapters.into_iter().flat_map(tiers).collect()
}

fn open(adapter: &Adapter, tier: Tier, options: &Options) -> Context {
    if adapter.info().backend == wgpu::Backend::Gl {
        take_turn();
    }
    adapter.open(options.clone().with_tier(tier)).expect("the adapter opens")
}

/// Makes the thread wait until no other test has contexts on GL, and then the others until it ends:
/// all of them share one, and wgpu panics in a thread that has to wait too long for another one's
/// work there.
fn take_turn() {
    static TURN: Mutex<()> = Mutex::new(());
    thread_local! {
        static HELD: MutexGuard<'static, ()> = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    }
    HELD.with(|_| ());
}

/// Every setting of a loss of many pairs and of one of chosen pairs, for the kernels that all losses
/// share; then one loss of every kind that has a file or constants of its own among the kernels,
/// the distances, normalisations and reductions in turn.
fn one_of_each_kind() -> Vec<Loss> {
    let many = |loss: &Loss| matches!(loss, Loss::Contrastive(one) if one.power == 2);
    let chosen =
        |loss: &Loss| matches!(loss, Loss::Triplet(one) if one.mining == Mining::Hard && !one.soft);
    let mut all: Vec<_> = losses().into_iter().filter(|one| many(one) || chosen(one)).collect();
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
    all.extend(in_turn.map(|(turn, (_, losses))| losses[turn % losses.len()].clone()));
    all
}
