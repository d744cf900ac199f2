//! The adapters of this machine, opened for all tests of a binary, so that pipelines are made once.
//!
//! An adapter is opened as often as tests may be at work on it at a time, in *lanes*: a test that
//! needs one adapter at a time takes whichever lane is free. All contexts on GL share one, and wgpu
//! panics in a thread that has to wait too long for another one's work there: GL has one lane.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};

use wgpu::Backend;
use wgpu_metric_learning::{Adapter, Context, Error, Options, Result};

/// An adapter with a context on it.
pub struct Device {
    pub name: String,
    pub context: Context,
}

type Turn = MutexGuard<'static, ()>;

/// A context on an adapter for one test at a time.
struct Lane {
    adapter: Adapter,
    turn: Mutex<()>,
    device: OnceLock<Device>,
}

impl Lane {
    fn of(adapter: &Adapter) -> Vec<Self> {
        let lanes = if adapter.info().backend == Backend::Gl { 1 } else { 2 };
        let lane =
            |_| Self { adapter: adapter.clone(), turn: Mutex::new(()), device: OnceLock::new() };
        (0..lanes).map(lane).collect()
    }

    fn turn(&'static self) -> Turn {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn_if_free(&'static self) -> Option<Turn> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The device of the lane.
    fn device(&'static self) -> &'static Device {
        self.device.get_or_init(|| open(&self.adapter, Options::default()))
    }

    /// The same device with other options, and with the pipelines that there are; another device for
    /// options that need what it lacks.
    fn with(&'static self, options: Options) -> Device {
        let Device { name, context } = self.device();
        match context.with_options(options.clone()) {
            Ok(context) => Device { name: name.clone(), context },
            Err(_) => open(&self.adapter, options),
        }
    }
}

/// The lanes of each adapter.
static LANES: LazyLock<Vec<Vec<Lane>>> =
    LazyLock::new(|| adapters().iter().map(Lane::of).collect());

thread_local! {
    /// The turns that the thread has on every lane until it ends, where it has them.
    static HELD: RefCell<Vec<Turn>> = const { RefCell::new(Vec::new()) };
}

fn has_every_turn() -> bool {
    HELD.with_borrow(|held| !held.is_empty())
}

/// Makes the thread wait until no other one is at work on an adapter, and then the others until it
/// ends. A thread that goes through the adapters [one by one](one_by_one) must have done so before.
pub fn take_turn() {
    if !has_every_turn() {
        let all = LANES.iter().flatten().map(Lane::turn).collect();
        HELD.set(all);
    }
}

/// Every adapter with the default options, all of them for one test until it ends; there is at
/// least one.
pub fn contexts() -> Vec<&'static Device> {
    take_turn();
    LANES.iter().map(|lanes| lanes[0].device()).collect()
}

/// A device, and the turn on its lane as long as it is held.
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

/// A device on every adapter in turn, each only as long as it is held: one test has one of them
/// while another has the next.
pub fn one_by_one() -> impl Iterator<Item = OneDevice> {
    LANES.iter().map(|lanes| one_of(lanes))
}

/// The device on the adapter whose turn it is, as long as it is held.
pub fn nth(turn: usize) -> OneDevice {
    one_of(&LANES[turn % LANES.len()])
}

fn one_of(lanes: &'static [Lane]) -> OneDevice {
    let (lane, turn) = if has_every_turn() { (&lanes[0], None) } else { free(lanes) };
    OneDevice { device: lane.device(), _turn: turn }
}

/// A lane that no test is at work in, with the turn on it.
fn free(lanes: &'static [Lane]) -> (&'static Lane, Option<Turn>) {
    let free = lanes.iter().find_map(|lane| Some((lane, Some(lane.turn_if_free()?))));
    free.unwrap_or_else(|| (&lanes[0], Some(lanes[0].turn())))
}

/// Every adapter with these options, on the devices of all tests where they have what it takes.
pub fn contexts_with(options: Options) -> Vec<Device> {
    take_turn();
    LANES.iter().map(|lanes| lanes[0].with(options.clone())).collect()
}

/// Every adapter, on devices of its own.
pub fn other_contexts() -> Vec<Device> {
    take_turn();
    adapters().iter().map(|adapter| open(adapter, Options::default())).collect()
}

/// The best adapter with these options, on a device of all tests where that has what it takes.
pub fn best_with(options: Options) -> Device {
    let best = &LANES[0][0];
    if best.adapter.info().backend == Backend::Gl {
        take_turn();
    }
    best.with(options)
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
    let name = name_of(adapter);
    let context = open_on(adapter, options).unwrap_or_else(|error| panic!("{name}: {error}"));
    Device { name, context }
}

/// Whether the best adapter can be opened with these options.
pub fn best_opens(options: Options) -> bool {
    let best = &adapters()[0];
    if best.info().backend == Backend::Gl {
        take_turn();
    }
    open_on(best, options).is_ok()
}

/// Every adapter that can be opened with these options, in contexts of their own, and why others
/// cannot.
pub fn contexts_that_open(options: Options) -> (Vec<Device>, Vec<Error>) {
    take_turn();
    let mut refusals = Vec::new();
    let mut devices = Vec::new();
    for adapter in adapters() {
        match open_on(&adapter, options.clone()) {
            Ok(context) => devices.push(Device { name: name_of(&adapter), context }),
            Err(error) => refusals.push(error),
        }
    }
    (devices, refusals)
}

/// Opens an adapter with the experimental features that an arithmetic needs.
#[allow(unsafe_code, reason = "wgpu asks who enables experimental features to answer for them")]
fn open_on(adapter: &Adapter, options: Options) -> Result<Context> {
    // SAFETY: a test that asks for such an arithmetic is to find what is wrong with it.
    let experimental = unsafe { wgpu::ExperimentalFeatures::enabled() };
    adapter.open_experimental(options, experimental)
}

fn name_of(adapter: &Adapter) -> String {
    format!("{:?} {}", adapter.info().backend, adapter.info().name)
}
