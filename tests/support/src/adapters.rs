//! The adapters of this machine, opened once per test binary: pipelines are made once for all its
//! tests.

use std::ops::Index;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use wgpu_metric_learning::{Adapter, Context, Options};

/// An adapter with a context on it.
pub struct Device {
    pub name: String,
    pub context: Context,
}

/// Every adapter with the default options, all of them for one test.
pub struct Contexts(Vec<MutexGuard<'static, Device>>);

impl Contexts {
    pub fn iter(&self) -> impl Iterator<Item = &Device> {
        self.0.iter().map(|device| &**device)
    }
}

impl Index<usize> for Contexts {
    type Output = Device;

    fn index(&self, at: usize) -> &Device {
        &self.0[at]
    }
}

/// Makes the thread wait until no other one has contexts on GL, and then the others until it ends:
/// they all share one, and wgpu panics in a thread that has to wait too long for another one's work
/// there. It is not to be called with an adapter of [`one_by_one`] in hand.
pub fn take_turn_on_gl() {
    static TURN: Mutex<()> = Mutex::new(());
    thread_local! {
        static HELD: MutexGuard<'static, ()> = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    }
    HELD.with(|_| ());
}

/// Every adapter with the default options; there is at least one. One test at a time has them.
pub fn contexts() -> Contexts {
    take_turn_on_gl();
    Contexts(one_by_one().collect())
}

/// The adapters of [`contexts`], each locked when it is come to and as long as it is held: so that
/// one test has one adapter while another has the next.
pub fn one_by_one() -> impl Iterator<Item = MutexGuard<'static, Device>> {
    static DEVICES: OnceLock<Vec<Mutex<Device>>> = OnceLock::new();
    let open_one = |adapter: &Adapter| Mutex::new(open(adapter, Options::default()));
    let devices = DEVICES.get_or_init(|| adapters().iter().map(open_one).collect());
    devices.iter().zip(adapters()).map(|(device, adapter)| {
        if is_gl(&adapter) {
            take_turn_on_gl();
        }
        device.lock().unwrap_or_else(PoisonError::into_inner)
    })
}

/// Every adapter with these options, in contexts of their own.
pub fn contexts_with(options: Options) -> Vec<Device> {
    take_turn_on_gl();
    adapters().iter().map(|adapter| open(adapter, options.clone())).collect()
}

/// The best adapter with these options.
pub fn best_with(options: Options) -> Device {
    let best = &adapters()[0];
    if is_gl(best) {
        take_turn_on_gl();
    }
    open(best, options)
}

fn is_gl(adapter: &Adapter) -> bool {
    adapter.info().backend == wgpu::Backend::Gl
}

fn adapters() -> Vec<Adapter> {
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
