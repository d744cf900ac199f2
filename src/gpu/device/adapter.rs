//! The adapters there are, for callers that own no device.

#[cfg(target_arch = "wasm32")]
mod browser;
#[cfg(not(target_arch = "wasm32"))]
mod machine;

#[cfg(target_arch = "wasm32")]
use browser::{named, searched};
#[cfg(not(target_arch = "wasm32"))]
use machine::{named, searched};

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::device::options::Options;
use crate::wgsl::tier::Tier;

/// An adapter of this machine: a GPU and a way to drive it.
///
/// wgpu's environment variables keep their meaning: `WGPU_BACKEND` (for instance `vulkan`, `gl`)
/// and `WGPU_ADAPTER_NAME` (part of a name, in any case) narrow the choice. An empty one is as good
/// as none.
///
/// All that the library opens itself is of one `wgpu::Instance`, made the first time it is needed
/// and kept until the process ends, and so is the list of its adapters: wgpu tells the buffers of
/// two devices apart only within one instance.
///
/// A browser has one adapter, which opens one device; it is asked for each time, and no thread may
/// wait for it: [`Adapter::find_async`] and [`Adapter::open_async`] do not.
#[derive(Clone, Debug)]
pub struct Adapter {
    adapter: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

impl Adapter {
    /// The adapter that [`find`](Self::find) finds, without blocking; in a browser the one that
    /// it gives for high performance.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`] where there is none.
    pub async fn find_async(text: Option<&str>) -> Result<Self> {
        Self::best(named().await, text)
    }

    fn best(all: Vec<Self>, text: Option<&str>) -> Result<Self> {
        let wanted = text.unwrap_or_default();
        let count = all.len();
        all.into_iter().find(|adapter| adapter.matches(wanted)).ok_or_else(|| Error::NoAdapter {
            searched: match text {
                Some(text) => {
                    format!("none of {count} has {text:?} in its name, driver or backend")
                }
                None => searched(),
            },
        })
    }

    /// Whether it only emulates a GPU: it computes on the CPU, as [`Cpu`](crate::Cpu) does without
    /// the detour.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
    }

    /// wgpu's own, for what a renderer asks of it.
    pub const fn wgpu(&self) -> &wgpu::Adapter {
        &self.adapter
    }

    /// What wgpu knows of it: name, driver, backend, type.
    pub const fn info(&self) -> &wgpu::AdapterInfo {
        &self.info
    }

    /// The limits of the adapter.
    pub fn limits(&self) -> wgpu::Limits {
        self.adapter.limits()
    }

    /// The tier that [`Adapter::open`] takes where none is forced.
    pub fn tier(&self) -> Tier {
        Tier::best(self.adapter.features(), &self.info)
    }

    /// Whether [`Adapter::open`] can be forced to this tier.
    pub fn has(&self, tier: Tier) -> bool {
        tier.fits(self.adapter.features(), &self.info)
    }

    /// Opens a device as [`open`](Self::open) does, without blocking. An adapter of a browser opens
    /// one, and is to be found again for another.
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open).
    pub async fn open_async(&self, options: Options) -> Result<Context> {
        self.open_experimental_async(options, wgpu::ExperimentalFeatures::disabled()).await
    }

    /// Opens a device as [`open_experimental`](Self::open_experimental) does, without blocking.
    ///
    /// # Errors
    ///
    /// Those of [`open_experimental`](Self::open_experimental).
    pub async fn open_experimental_async(
        &self,
        options: Options,
        experimental: wgpu::ExperimentalFeatures,
    ) -> Result<Context> {
        options.arithmetic.check_adapter(&self.adapter)?;
        let tier = options.tier.unwrap_or_else(|| self.tier());
        // What tier and arithmetic need, and what timings need where the adapter has it.
        let needed = tier.features() | options.arithmetic.features();
        let mut features = (needed | wgpu::Features::TIMESTAMP_QUERY) & self.adapter.features();
        if !experimental.is_enabled() {
            features = features - wgpu::Features::all_experimental_mask();
        }
        let (device, queue) = self
            .adapter
            .request_device(&wgpu::DeviceDescriptor {
                label: Some("metric-learning"),
                required_features: features,
                required_limits: self.adapter.limits(),
                experimental_features: experimental,
                ..Default::default()
            })
            .await
            .map_err(|error| Error::DeviceCreation { message: error.to_string() })?;
        Context::configured(&device, &queue, options)
    }

    fn matches(&self, text: &str) -> bool {
        let info = &self.info;
        [&info.name, &info.driver, &info.driver_info, info.backend.to_str()]
            .into_iter()
            .any(|part| contains(part, text))
    }
}

pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

impl Context {
    /// A context on a device of its own as [`headless`](Self::headless) makes it, without blocking.
    ///
    /// ```
    /// use wgpu_metric_learning::{Batch, Context, Result, Triplet};
    ///
    /// async fn loss(batch: &Batch<'_>) -> Result<f32> {
    ///     let context = Context::headless_async().await?;
    ///     Ok(context.evaluate(Triplet::default(), batch).await?.loss)
    /// }
    /// # let batch = Batch::new(&[0.0, 0.5, 1.0], [3, 1], &[0, 0, 1])?;
    /// # assert!(pollster::block_on(loss(&batch))? >= 0.0);
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`], [`Error::DeviceCreation`].
    pub async fn headless_async() -> Result<Self> {
        Adapter::find_async(None).await?.open_async(Options::default()).await
    }
}
