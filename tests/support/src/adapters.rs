//! The adapters of this machine, opened once per test binary: pipelines are made once for all its
//! tests.
//!
//! The tests of a binary take turns on an adapter: all contexts on GL share one, and wgpu panics in
//! a thread that has to wait too long for another one's work there. On another adapter another test
//! may be at work meanwhile.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use wgpu_metric_learning::{Adapter, Context, Options};

/// An adapter with a context on it.
pub struct Device {
    pub name: String,
    pub context: Context,
}

type Turn = MutexGuard<'static, ()>;

/// Whose turn it is, for each adapter.
fn turns() -> impl Iterator<Item = Turn> {
    static TURNS: OnceLock<Vec<Mutex<()>>> = OnceLock::new();
    let turns = TURNS.get_or_init(|| adapters().iter().map(|_| Mutex::new(())).collect());
    turns.iter().map(|turn| turn.lock().unwrap_or_else(PoisonError::into_inner))
}

thread_local! {
    /// The turns that the thread has on every adapter until it ends, where it has them.
    static HELD: RefCell<Vec<Turn>> = const { RefCell::new(Vec::new()) };
}

fn has_every_turn() -> bool {
    HELD.with_borrow(|held| !held.is_empty())
}

/// Makes the thread wait until no other one is at work on an adapter, and then the others until it
/// ends. A thread that goes through the adapters [one by one](one_by_one) must have done so before.
pub fn take_turn() {
    if !has_every_turn() {
        let all = turns().collect();
        HELD.set(all);
    }
}

static DEVICES: OnceLock<Vec<Device>> = OnceLock::new();

fn devices() -> &'static [Device] {
    DEVICES.get_or_init(|| {
        let options = Options::default();
        adapters().iter().map(|adapter| open(adapter, options.clone())).collect()
    })
}

/// Every adapter with the default options, all of them for one test until it ends; there is at
/// least one.
pub fn contexts() -> &'static [Device] {
    take_turn();
    devices()
}

/// A device, and the turn on its adapter as long as it is held.
pub struct OneDevice {
    device: &'static Device,
    _turn: Option<Turn>,
}

impl Deref for OneDevice {
    type Target = Device;

    fn deref(&self) -> &Device {
        self.device
    }
}

/// The devices of [`contexts`], each only as long as it is held: one test has one adapter while
/// another has the next.
pub fn one_by_one() -> impl Iterator<Item = OneDevice> {
    let has_all = has_every_turn();
    let devices = match DEVICES.get() {
        Some(devices) => devices,
        None => {
            let _opening: Vec<Turn> = if has_all { Vec::new() } else { turns().collect() };
            devices()
        }
    };
    let mut turns = (!has_all).then(turns);
    devices
        .iter()
        .map(move |device| OneDevice { device, _turn: turns.as_mut().and_then(Iterator::next) })
}

/// Every adapter with these options, in contexts of their own.
pub fn contexts_with(options: Options) -> Vec<Device> {
    take_turn();
    adapters().iter().map(|adapter| open(adapter, options.clone())).collect()
}

/// The best adapter with these options.
pub fn best_with(options: Options) -> Device {
    take_turn();
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
