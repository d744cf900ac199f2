//! The adapters of this machine, opened once per test binary: pipelines are made once for all its
//! tests.

use std::sync::{Mutex, MutexGuard, PoisonError};

use wgpu_metric_learning::{Adapter, Context, Options};

/// An adapter with a context on it.
pub struct Device {
    pub name: String,
    pub context: Context,
}

/// Makes the thread wait until no other one has contexts, and then the others until it ends: all
/// contexts on GL share one, and wgpu panics in a thread that has to wait too long for another
/// one's work there.
pub fn take_turn() {
    static TURN: Mutex<()> = Mutex::new(());
    thread_local! {
        static HELD: MutexGuard<'static, ()> = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    }
    HELD.with(|_| ());
}

/// Every adapter with the default options; there is at least one. One test at a time has them.
pub fn contexts() -> MutexGuard<'static, Vec<Device>> {
    take_turn();
    static CONTEXTS: Mutex<Vec<Device>> = Mutex::new(Vec::new());
    let mut contexts = CONTEXTS.lock().unwrap_or_else(PoisonError::into_inner);
    if contexts.is_empty() {
        *contexts = contexts_with(Options::default());
    }
    contexts
}

/// Every adapter with these options, in contexts of their own.
pub fn contexts_with(options: Options) -> Vec<Device> {
    adapters().iter().map(|adapter| open(adapter, options.clone())).collect()
}

/// The best adapter with these options.
pub fn best_with(options: Options) -> Device {
    open(&adapters()[0], options)
}

fn adapters() -> Vec<Adapter> {
    take_turn();
    let adapters = Adapter::all();
    assert!(
        !adapters.is_empty(),
        "no GPU adapter found: install a Vulkan driver, a software one will do"
    );
    adapters
}

fn open(adapter: &Adapter, options: Options) -> Device {
    let info = adapter.info();
    let name = format!("{:?} {}", info.backend, info.name);
    let context = adapter.open(options).unwrap_or_else(|error| panic!("{name}: {error}"));
    Device { name, context }
}
