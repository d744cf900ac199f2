//! The adapters of this machine, which tells of them at once.

use std::cmp::Reverse;
use std::sync::LazyLock;

use super::{Adapter, contains};
use crate::error::{Error, Result};
use crate::gpu::device::baseline::check_baseline;
use crate::gpu::device::context::Context;
use crate::gpu::device::options::Options;

impl Adapter {
    /// Every adapter that the kernels run on, the best first: discrete GPUs, then integrated,
    /// virtual and other ones, then software; Vulkan, Metal and DX12 before GL.
    pub fn all() -> Vec<Self> {
        usable(listed())
    }

    fn check(&self) -> Result<()> {
        check_baseline(&self.adapter.limits())
    }

    /// Every adapter that is too small for the kernels, with the [`Error::DeviceLimit`] that says
    /// why.
    pub fn unusable() -> Vec<(Self, Error)> {
        listed()
            .into_iter()
            .filter_map(|adapter| adapter.check().err().map(|error| (adapter, error)))
            .collect()
    }

    fn of(instance: &wgpu::Instance) -> Vec<Self> {
        let mut listed: Vec<_> =
            pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
                .into_iter()
                .map(|adapter| Self { info: adapter.get_info(), adapter })
                .collect();
        listed.sort_by_key(|adapter| Reverse(adapter.rank()));
        listed
    }

    /// The best adapter whose name, driver or backend contains `text` in any case; without text the
    /// best of all.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`] where there is none.
    pub fn find(text: Option<&str>) -> Result<Self> {
        Self::best(Self::all(), text)
    }

    /// The best adapter of the caller's instance whose name, driver or backend contains `text`;
    /// with a surface of that instance among
    /// those that can present to it.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`] where there is none.
    pub fn find_in(
        instance: &wgpu::Instance,
        text: Option<&str>,
        surface: Option<&wgpu::Surface<'_>>,
    ) -> Result<Self> {
        let mut all = usable(with_wanted_name(Self::of(instance)));
        all.retain(|adapter| {
            surface.is_none_or(|surface| adapter.adapter.is_surface_supported(surface))
        });
        Self::best(all, text)
    }

    /// Opens a device of its own on it, with all the limits that the adapter has.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLimit`] for one of [`Adapter::unusable`], [`Error::DeviceCreation`],
    /// [`Error::MissingFeature`] for a forced tier that the adapter does not have, and for an
    /// arithmetic that [`open_experimental`](Self::open_experimental) is for.
    pub fn open(&self, options: Options) -> Result<Context> {
        pollster::block_on(self.open_async(options))
    }

    /// Opens a device as [`open`](Self::open) does, with the experimental features of wgpu that the
    /// options ask for: [`Arithmetic::Cooperative8`](crate::Arithmetic::Cooperative8). Whoever makes
    /// the token, which is unsafe, answers for what wgpu says of them.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open); [`Error::MissingFeature`] for an arithmetic that the adapter
    /// does not have.
    pub fn open_experimental(
        &self,
        options: Options,
        experimental: wgpu::ExperimentalFeatures,
    ) -> Result<Context> {
        pollster::block_on(self.open_experimental_async(options, experimental))
    }

    fn rank(&self) -> (u32, bool) {
        let kind = match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => 4,
            wgpu::DeviceType::IntegratedGpu => 3,
            wgpu::DeviceType::VirtualGpu => 2,
            wgpu::DeviceType::Other => 1,
            wgpu::DeviceType::Cpu => 0,
        };
        (kind, self.info.backend != wgpu::Backend::Gl)
    }
}

impl Context {
    /// A context on a device of its own, on the best adapter of this machine: see [`Adapter`] for
    /// others.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`], [`Error::DeviceCreation`].
    pub fn headless() -> Result<Self> {
        Adapter::find(None)?.open(Options::default())
    }
}

/// The variables that narrow the choice, as wgpu knows them.
const BACKEND: &str = "WGPU_BACKEND";
const ADAPTER_NAME: &str = "WGPU_ADAPTER_NAME";

/// What the environment says; an empty text says nothing.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.trim().is_empty())
}

/// Where adapters are looked for, and what narrows it.
pub(super) fn searched() -> String {
    let backend = variable(BACKEND);
    if let Some(unknown) = backend.as_ref().filter(|text| backends(text).is_empty()) {
        return format!("{BACKEND} is {unknown:?}, and that is none of vulkan, metal, dx12 and gl");
    }
    let set = [(BACKEND, backend), (ADAPTER_NAME, variable(ADAPTER_NAME))];
    let narrowed = set
        .map(|(name, text)| text.map(|text| format!(", with {name}={text:?}")).unwrap_or_default());
    format!("on Vulkan, Metal, DX12 and GL{}", narrowed.concat())
}

fn backends(text: &str) -> wgpu::Backends {
    wgpu::Backends::from_comma_list(text)
}

/// The adapters of the library's instance, the best first.
///
/// They are listed once. Each listing of the GL backend would have locks of its own around the one
/// EGL context of the instance, which then two threads could use at a time.
static LISTED: LazyLock<Vec<Adapter>> = LazyLock::new(|| {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    if variable(BACKEND).is_none() {
        descriptor.backends = wgpu::Backends::all();
    }
    Adapter::of(&wgpu::Instance::new(descriptor))
});

fn listed() -> Vec<Adapter> {
    with_wanted_name(LISTED.clone())
}

pub(super) async fn named() -> Vec<Adapter> {
    Adapter::all()
}

fn usable(mut adapters: Vec<Adapter>) -> Vec<Adapter> {
    adapters.retain(|adapter| adapter.check().is_ok());
    adapters
}

fn with_wanted_name(mut adapters: Vec<Adapter>) -> Vec<Adapter> {
    let wanted = variable(ADAPTER_NAME).unwrap_or_default();
    adapters.retain(|adapter| contains(&adapter.info.name, &wanted));
    adapters
}
