//! Tests of what only the inside sees: every kernel in every variant, translated; the layouts that host and kernels share;
//! and faults planted in the kernels, which the comparison with the reference has to catch.

mod faults;
mod layouts;
mod translations;

use super::{Adapter, Context, Options};

/// A context on every adapter of this machine.
fn contexts(options: Options) -> Vec<Context> {
    let adapters = Adapter::all();
    assert!(!adapters.is_empty(), "no adapter found: install a GPU driver, a software one will do");
    adapters.iter().map(|adapter| adapter.open(options).expect("the adapter opens")).collect()
}
