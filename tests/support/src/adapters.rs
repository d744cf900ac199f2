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

/// Every adapter with the default options; there is at least one. One test at a time has them:
/// wgpu's GL backend panics in a thread that has to wait too long for another one's work.
pub fn contexts() -> Contexts {
    Contexts(one_by_one().collect())
}

/// The adapters of [`contexts`], each locked when it is come to and as long as it is held: so that
/// one test has one adapter while another has the next.
pub fn one_by_one() -> impl Iterator<Item = MutexGuard<'static, Device>> {
    static DEVICES: OnceLock<Vec<Mutex<Device>>> = OnceLock::new();
    let open = || contexts_with(Options::default()).into_iter().map(Mutex::new).collect();
    let devices = DEVICES.get_or_init(open).iter();
    devices.map(|device| device.lock().unwrap_or_else(PoisonError::into_inner))
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
