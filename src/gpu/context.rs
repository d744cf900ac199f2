//! A device with what the library keeps on it: options, layouts and pipelines.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::adapter::Adapter;
use super::faults::Faults;
use super::kernel::{Kernel, Room};
use super::linear::LinearPlan;
use super::measure::MeasurePlan;
use super::objective::ObjectivePlan;
use super::optimizer::OptimizerPlan;
use super::plan::Plan;
use super::row_width::RowWidth;
use super::scope::scoped;
use super::tier::{Checks, Tier, names_of};
use super::tiles::{Tiles, Tuned};
use crate::loss::Loss;
use crate::measures::Retrieval;
use crate::objective::Weighted;
use crate::shape::Shape;
use crate::training::{Linear, Optimizer};
use crate::{Error, Result};

/// How a context works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Bytes of the workspace that holds a stripe of distances and their coefficients, and beside
    /// them the gradient by columns of a cut matrix where that is at most a fourth of it: at
    /// least 8 per column of the matrix. Measures, and triplets of one per anchor outside of
    /// objectives, have no stripe of coefficients: at least 4. A larger one means fewer
    /// dispatches, and one that holds the whole matrix of a batch less work. The result is the
    /// same to the bit for every one that holds at least 16 rows and not the whole matrix.
    /// Default 32 MiB, which stays in a large GPU's cache and holds batches of up to 2,048
    /// rows, or without coefficients 2,896.
    pub workspace_bytes: u64,
    /// Arithmetic operations of a dispatch, roughly, beyond which its workgroups are shared out
    /// among several: what a device that others use as well, or that a watchdog looks after,
    /// does without a break. The result is the same to the bit. Default 805 million, which takes
    /// less than a tenth of a second on a software adapter with 2 cores.
    pub operations_per_dispatch: u64,
    /// The tier to run; `None` takes the best that the device has. Default `None`.
    pub tier: Option<Tier>,
    /// The tiles of distances and gradients; `None` takes those that [`Context::autotune`] has
    /// found, or the usual ones. Default `None`.
    pub tiles: Option<Tiles>,
    /// How many invocations share a row where a loss goes through it; `None` takes the usual ones.
    /// Default `None`.
    pub row_width: Option<RowWidth>,
    /// Whether shaders carry run-time checks. Default `Trusted`.
    pub checks: Checks,
    /// How long a blocking call waits for the GPU before it gives up. Default 10 minutes.
    pub timeout: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workspace_bytes: 32 << 20,
            operations_per_dispatch: 3 << 28,
            tier: None,
            tiles: None,
            row_width: None,
            checks: Checks::default(),
            timeout: Duration::from_secs(600),
        }
    }
}

/// A device and its queue, the caller's or one of its own, with the pipelines made so far. Clones
/// share them.
///
/// It never takes the device over: only the calls that take and return host memory submit
/// ([`Context::evaluate`] and the like), only those named `set_` write through the queue, and no
/// device-wide handler is set.
///
/// All buffers handed to it must be of the same `wgpu::Instance`: wgpu tells devices of one
/// instance apart, but not those of two. A device of the GL backend should be used by one thread at
/// a time: wgpu panics where a thread has to wait for another to finish long work on it.
#[derive(Clone, Debug)]
pub struct Context {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    device: wgpu::Device,
    queue: wgpu::Queue,
    options: Options,
    tier: Tier,
    pipeline_cache: Option<wgpu::PipelineCache>,
    pipelines: Mutex<Vec<(Kernel, Pipeline)>>,
    faults: Faults,
    tuned: Tuned,
}

/// A pipeline with the layout of its bind group.
#[derive(Clone, Debug)]
pub(crate) struct Pipeline {
    pub pipeline: wgpu::ComputePipeline,
    pub layout: wgpu::BindGroupLayout,
}

impl Context {
    /// On a device of the caller's. It needs WebGPU's default limits for compute and no feature.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLimit`] for a device below them.
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue) -> Result<Self> {
        Self::with_options(device, queue, Options::default())
    }

    /// On a device of the caller's, with options.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceLimit`]; [`Error::MissingFeature`] for a forced tier that the device was not
    /// created for.
    pub fn with_options(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        options: Options,
    ) -> Result<Self> {
        Self::make(device, queue, options, None)
    }

    /// On a device of the caller's, with options and a cache for compiled pipelines, whose data the
    /// caller may keep for the next start of the application. The device needs
    /// [`wgpu::Features::PIPELINE_CACHE`], without which there is no such cache.
    ///
    /// # Errors
    ///
    /// Those of [`Context::with_options`].
    pub fn with_pipeline_cache(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        options: Options,
        cache: &wgpu::PipelineCache,
    ) -> Result<Self> {
        Self::make(device, queue, options, Some(cache))
    }

    fn make(
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        options: Options,
        cache: Option<&wgpu::PipelineCache>,
    ) -> Result<Self> {
        check_baseline(&device.limits())?;
        let tier =
            options.tier.unwrap_or_else(|| Tier::best(device.features(), &device.adapter_info()));
        if !tier.fits(device.features(), &device.adapter_info()) {
            return Err(Error::MissingFeature {
                what: format!("tier {tier}"),
                feature: names_of(tier.features()),
            });
        }
        let (device, queue, pipeline_cache) = (device.clone(), queue.clone(), cache.cloned());
        let (pipelines, faults, tuned) = (Mutex::default(), Faults::default(), Tuned::default());
        let inner =
            Inner { device, queue, options, tier, pipeline_cache, pipelines, faults, tuned };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// On a device of its own, on the best adapter of this machine: see [`Adapter`] for others.
    ///
    /// # Errors
    ///
    /// [`Error::NoAdapter`], [`Error::DeviceCreation`].
    pub fn headless() -> Result<Self> {
        Adapter::find(None)?.open(Options::default())
    }

    /// Makes everything that evaluating `loss` on inputs of this shape needs: pipelines, workspace,
    /// outputs. Every limit is checked here. Submits nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Loss::check`] and [`Shape::check`]; [`Error::Workspace`] where the budget does
    /// not hold one row; [`Error::DeviceLimit`], [`Error::OutOfMemory`], [`Error::Gpu`].
    pub fn plan(&self, loss: impl Into<Loss>, shape: Shape) -> Result<Plan> {
        Plan::new(self, loss.into(), shape)
    }

    /// Makes everything that evaluating a weighted sum of losses needs, as [`Context::plan`] does
    /// for one. Losses that share their distances share a workspace; each other one has its
    /// own.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`] for an objective without a loss or a set without one, [`Error::Parameter`]
    /// for a weight that is not finite, [`Error::Set`] for losses of one set with other numbers
    /// of rows or columns; those of [`Context::plan`].
    pub fn plan_objective(&self, objective: &[Weighted<Shape>]) -> Result<ObjectivePlan> {
        ObjectivePlan::new(self, objective)
    }

    /// Makes everything that measuring retrieval on inputs of this shape needs, as
    /// [`Context::plan`] does for a loss.
    ///
    /// # Errors
    ///
    /// Those of [`Retrieval::check`] and [`Shape::check`], and of [`Context::plan`] for the
    /// workspace and the device.
    pub fn plan_measures(&self, retrieval: &Retrieval, shape: Shape) -> Result<MeasurePlan> {
        MeasurePlan::new(self, retrieval, shape)
    }

    /// Makes everything that the steps of an optimiser over so many parameters need, as
    /// [`Context::plan`] does for a loss.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for a parameter of the optimiser outside its range, [`Error::Empty`],
    /// [`Error::TooLarge`]; [`Error::DeviceLimit`], [`Error::OutOfMemory`], [`Error::Gpu`].
    pub fn plan_optimizer(
        &self,
        optimizer: impl Into<Optimizer>,
        parameters: usize,
    ) -> Result<OptimizerPlan> {
        OptimizerPlan::new(self, optimizer.into(), parameters)
    }

    /// Makes everything that a linear projection of these sizes needs, as [`Context::plan`] does
    /// for a loss.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], [`Error::TooLarge`], [`Error::TooLong`] for more than a million rows or
    /// inputs; [`Error::DeviceLimit`], [`Error::OutOfMemory`], [`Error::Gpu`].
    pub fn plan_linear(&self, linear: Linear) -> Result<LinearPlan> {
        LinearPlan::new(self, linear)
    }

    /// The device.
    pub fn device(&self) -> &wgpu::Device {
        &self.inner.device
    }

    /// Its queue.
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

    pub(crate) fn faults(&self) -> &Faults {
        &self.inner.faults
    }

    pub(crate) fn tuned(&self) -> &Tuned {
        &self.inner.tuned
    }

    pub(crate) fn pipeline_cache(&self) -> Option<&wgpu::PipelineCache> {
        self.inner.pipeline_cache.as_ref()
    }

    /// The kernel's pipeline, made the first time it is asked for.
    pub(crate) fn pipeline(&self, kernel: &Kernel) -> Pipeline {
        let mut pipelines = self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, pipeline)) = pipelines.iter().find(|(known, _)| known == kernel) {
            return pipeline.clone();
        }
        let layout = self.layout(&pipelines, kernel.room);
        let pipeline = self.create_pipeline(kernel, &layout);
        let made = Pipeline { pipeline, layout };
        pipelines.push((kernel.clone(), made.clone()));
        made
    }

    fn layout(&self, pipelines: &[(Kernel, Pipeline)], room: Room) -> wgpu::BindGroupLayout {
        match pipelines.iter().find(|(known, _)| known.room == room) {
            Some((_, pipeline)) => pipeline.layout.clone(),
            None => room.bind_group_layout(&self.inner.device),
        }
    }

    /// Every kernel that a pipeline was made of.
    #[cfg(test)]
    pub(crate) fn kernels(&self) -> Vec<Kernel> {
        let pipelines = self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        pipelines.iter().map(|(kernel, _)| kernel.clone()).collect()
    }

    /// Forgets the pipelines of a shader.
    #[cfg(test)]
    pub(crate) fn forget(&self, path: &str) {
        let mut pipelines = self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        pipelines.retain(|(kernel, _)| kernel.shader.path != path);
    }

    /// Makes a plan, with wgpu's errors as values.
    pub(crate) fn planning<T>(&self, make: impl FnOnce() -> Result<T>) -> Result<T> {
        self.or_forget(|| scoped(self.device(), "planning", make))
    }

    /// Forgets the pipelines made within `work` if it fails: one of them may be invalid.
    pub(crate) fn or_forget<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let before = self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner).len();
        let result = work();
        if result.is_err() {
            self.inner.pipelines.lock().unwrap_or_else(PoisonError::into_inner).truncate(before);
        }
        result
    }
}

/// A limit that the baseline needs: never more than WebGPU's default.
struct Needed {
    name: &'static str,
    value: u64,
    of: fn(&wgpu::Limits) -> u64,
}

/// Checks that these limits are enough for the baseline.
pub(crate) fn check_baseline(limits: &wgpu::Limits) -> Result<()> {
    match BASELINE.iter().find(|needed| (needed.of)(limits) < needed.value) {
        Some(&Needed { name, value, of }) => Err(Error::DeviceLimit {
            what: "the baseline of the kernels",
            needed: value,
            name,
            limit: of(limits),
        }),
        None => Ok(()),
    }
}

/// What every kernel may take for granted.
const BASELINE: &[Needed] = &[
    Needed {
        name: "maxStorageBuffersPerShaderStage",
        value: 8,
        of: |limits| limits.max_storage_buffers_per_shader_stage.into(),
    },
    Needed {
        name: "maxUniformBuffersPerShaderStage",
        value: 3,
        of: |limits| limits.max_uniform_buffers_per_shader_stage.into(),
    },
    Needed {
        name: "maxDynamicUniformBuffersPerPipelineLayout",
        value: 1,
        of: |limits| limits.max_dynamic_uniform_buffers_per_pipeline_layout.into(),
    },
    Needed {
        name: "maxComputeWorkgroupStorageSize",
        value: 16384,
        of: |limits| limits.max_compute_workgroup_storage_size.into(),
    },
    Needed {
        name: "maxComputeInvocationsPerWorkgroup",
        value: 256,
        of: |limits| limits.max_compute_invocations_per_workgroup.into(),
    },
    Needed {
        name: "maxComputeWorkgroupSizeX",
        value: 256,
        of: |limits| limits.max_compute_workgroup_size_x.into(),
    },
    Needed {
        name: "maxComputeWorkgroupsPerDimension",
        value: 65535,
        of: |limits| limits.max_compute_workgroups_per_dimension.into(),
    },
];
