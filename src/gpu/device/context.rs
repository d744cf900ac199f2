//! A device with what the library keeps on it: options, layouts and pipelines.

use std::sync::Arc;

use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::dispatch_size::usual_operations;
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::tiles::Tiles;
use crate::gpu::device::baseline::check_baseline;
use crate::gpu::device::injection::Injections;
use crate::gpu::device::options::Options;
use crate::gpu::device::pipelines::Pipelines;
use crate::gpu::device::scope::Reports;
use crate::gpu::device::tier::names_of;
use crate::gpu::device::tuned::Tuned;
use crate::wgsl::tier::Tier;

/// A device and its queue, the caller's or one of its own, with the pipelines made so far. Clones
/// share them.
///
/// It never takes the device over: only the calls that take and return host memory submit
/// ([`Context::evaluate`] and the like), only those named `set_` write through the queue, and no
/// device-wide handler is set.
///
/// All buffers handed to it must be of its device. Those of another device of the same
/// `wgpu::Instance` are refused, and all devices that the library opens ([`Context::headless`],
/// [`Adapter::open`](crate::Adapter::open)) are of one. Of an instance of the caller's they cannot
/// be told apart: wgpu numbers the buffers of each instance from the start and offers nothing else
/// to know them by, so that a buffer of another instance stands for whichever one has its number.
///
/// A device of the GL backend should be used by one thread at a time, and so should all contexts on
/// GL that the library opens, which share one: wgpu panics in a thread that has to wait 6 seconds
/// for another one's work there.
#[derive(Clone, Debug)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    options: Options,
    tier: Tier,
    pipelines: Arc<Pipelines>,
    injections: Injections,
    reports: Reports,
    tuned: Tuned,
}

impl Inner {
    fn new(device: &wgpu::Device, queue: &wgpu::Queue, options: Options) -> Result<Self> {
        let best = || Tier::best(device.features(), &device.adapter_info());
        let tier = options.tier.unwrap_or_else(best);
        if !tier.fits(device.features(), &device.adapter_info()) {
            return Err(Error::MissingFeature {
                what: format!("tier {tier}"),
                feature: names_of(tier.features()),
            });
        }
        options.arithmetic.check_device(device)?;
        Ok(Self {
            device: device.clone(),
            queue: queue.clone(),
            options,
            tier,
            pipelines: Arc::default(),
            injections: Injections::default(),
            reports: Default::default(),
            tuned: Tuned::default(),
        })
    }

    /// Whether a kernel's pipeline is the same in both, on one device.
    fn compiles_as(&self, other: &Self) -> bool {
        self.tier == other.tier
            && self.options.checks == other.options.checks
            && self.options.pipeline_cache == other.options.pipeline_cache
    }
}

impl Context {
    /// A context on the caller's device, which needs WebGPU's default limits for compute and no
    /// feature.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLimit`] for a device below them.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self> {
        Self::configured(device, queue, Options::default())
    }

    /// A context on the caller's device, with options.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLimit`] for a device below WebGPU's default limits; [`Error::MissingFeature`]
    /// for a forced tier or an arithmetic that the device was not created for.
    ///
    /// Of which size the cooperative matrices of a device are, only its adapter tells:
    /// [`Arithmetic::Cooperative8`](crate::Arithmetic::Cooperative8) is for one that has these.
    pub fn configured(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        options: Options,
    ) -> Result<Self> {
        check_baseline(&device.limits())?;
        let inner = Inner::new(device, queue, options)?;
        Ok(Self { inner: Arc::new(inner) })
    }

    /// A context on the same device with other options. Where tier, checks and pipeline cache are
    /// the same, both have the same pipelines, each compiled once for whichever asks first.
    ///
    /// ```
    /// use wgpu_metric_learning::{Arithmetic, Context, Options};
    ///
    /// let context = Context::headless()?;
    /// let expanded = Options::default().with_arithmetic(Arithmetic::Expanded);
    /// let faster = context.with_options(expanded)?;
    /// assert_eq!(faster.device(), context.device());
    /// # Ok::<(), wgpu_metric_learning::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::MissingFeature`] for a forced tier or an arithmetic that the device was not created
    /// for.
    pub fn with_options(&self, options: Options) -> Result<Self> {
        let mut inner = Inner::new(self.device(), self.queue(), options)?;
        if inner.compiles_as(&self.inner) {
            inner.pipelines = Arc::clone(&self.inner.pipelines);
        }
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// The queue of the device.
    pub fn queue(&self) -> &wgpu::Queue {
        &self.inner.queue
    }

    /// The options it was made with.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The tier that runs.
    pub fn tier(&self) -> Tier {
        self.inner.tier
    }

    pub(crate) fn injections(&self) -> &Injections {
        &self.inner.injections
    }

    /// What wgpu has to say of calls that are over.
    pub(crate) fn reports(&self) -> &Reports {
        &self.inner.reports
    }

    pub(crate) fn tuned(&self) -> &Tuned {
        &self.inner.tuned
    }

    pub(crate) fn pipelines(&self) -> &Pipelines {
        &self.inner.pipelines
    }

    /// The tiles of plans of this shape, whose stripes have so many rows.
    pub(crate) fn tiles_for(&self, shape: &Shape, rows: u32) -> Tiles {
        let chosen = self.options().tiles.or_else(|| self.tuned().get(shape));
        let usual = || Tiles::usual(shape, rows, self.device_type());
        chosen.unwrap_or_else(usual).that_fit(shape)
    }

    /// What plans are made for.
    fn device_type(&self) -> wgpu::DeviceType {
        let own = || self.device().adapter_info().device_type;
        self.options().planned_for.unwrap_or_else(own)
    }

    /// Whether there are units that a few workgroups leave idle. A software adapter has as many as
    /// the processor has cores.
    pub(crate) fn has_many_units(&self) -> bool {
        self.device_type() != wgpu::DeviceType::Cpu
    }

    /// Roughly how many arithmetic operations a dispatch has at most, where it can be cut.
    pub(crate) fn operations_per_dispatch(&self) -> u64 {
        let usual = || usual_operations(self.device_type());
        self.options().operations_per_dispatch.unwrap_or_else(usual).max(1)
    }

    /// How many invocations share a row of so many columns.
    pub(crate) fn row_width_for(&self, columns: u32) -> RowWidth {
        let usual = || RowWidth::usual(self.device_type(), columns);
        self.options().row_width.unwrap_or_else(usual)
    }
}
