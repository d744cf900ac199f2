//! Everything that evaluating one loss on inputs of one shape needs, made once.

use std::sync::atomic::{AtomicU64, Ordering};

use super::buffers::Buffers;
use super::context::Context;
use super::dispatch::Step;
use super::inputs::{Binding, Inputs};
use super::pointwise;
use super::readback::Pending;
use super::scope::scoped;
use super::steps::{Builder, TILE};
use super::stripes::Stripes;
use crate::loss::Loss;
use crate::shape::{Mode, Shape};
use crate::{Error, Result};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Everything that evaluating one loss on inputs of one shape needs: pipelines, workspace, outputs.
///
/// Plan once, [bind](Plan::bind) the input buffers once, [record](Plan::record) as often as needed. Recordings of one plan in one
/// submission run in their order and share workspace and outputs: the last one's stay.
#[derive(Debug)]
pub struct Plan {
    id: u64,
    context: Context,
    loss: Loss,
    shape: Shape,
    buffers: Buffers,
    steps: Vec<Step>,
}

impl Plan {
    pub(crate) fn new(context: &Context, loss: Loss, shape: Shape) -> Result<Self> {
        shape.check()?;
        loss.check(&shape)?;
        let plan = if shape.mode() == Mode::Pointwise { pointwise::plan } else { plan_pairs };
        let (buffers, steps) =
            context.or_forget(|| scoped(context.device(), "planning", || plan(context, &loss, &shape)))?;
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Ok(Self { id, context: context.clone(), loss, shape, buffers, steps })
    }

    /// Checks the caller's buffers and binds them.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a range that is too small, misaligned or of the wrong usage, [`Error::Missing`] for an input that the
    /// shape or the loss asks for, [`Error::Unsupported`] for targets or labels that the loss does not take, [`Error::Gpu`] for a buffer that wgpu refuses, for instance of another device.
    pub fn bind(&self, inputs: &Inputs<'_>) -> Result<Binding> {
        self.context.or_forget(|| scoped(self.context.device(), "binding inputs", || Binding::new(self, inputs)))
    }

    /// Records the evaluation as one compute pass. Creates nothing, writes nothing from the host, submits nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a binding of another plan.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, binding: &Binding) -> Result<()> {
        let descriptor = wgpu::ComputePassDescriptor { label: Some("metric-learning"), timestamp_writes: None };
        self.record_into(&mut encoder.begin_compute_pass(&descriptor), binding)
    }

    /// The same into a compute pass of the caller's. It leaves its own pipeline and bind group 0 set.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a binding of another plan.
    pub fn record_into(&self, pass: &mut wgpu::ComputePass<'_>, binding: &Binding) -> Result<()> {
        self.steps(binding)?.for_each(|step| step.record(pass));
        Ok(())
    }

    /// Every dispatch in its order.
    pub(crate) fn steps<'a>(&'a self, binding: &'a Binding) -> Result<impl Iterator<Item = &'a Step>> {
        if binding.plan != self.id {
            return Err(Error::Buffer { what: "binding", problem: "it was made by another plan".into() });
        }
        Ok(binding.steps.iter().chain(&self.steps))
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been submitted. Creates a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`], [`Error::DeviceLimit`].
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending> {
        scoped(self.context.device(), "reading back", || Pending::new(self, encoder))
    }

    /// The gradient with respect to the embeddings or scores, N x D f32, tight; usage `STORAGE | COPY_SRC`.
    pub fn gradient(&self) -> &wgpu::Buffer {
        &self.buffers.gradient
    }

    /// The gradient with respect to the references or prototypes, M x D f32, where there are any that are not fixed.
    pub fn gradient_references(&self) -> Option<&wgpu::Buffer> {
        self.buffers.gradient_references.as_ref()
    }

    /// The gradient with respect to each beta, for Wu's margin.
    pub fn gradient_beta(&self) -> Option<&wgpu::Buffer> {
        self.buffers.gradient_beta.as_ref()
    }

    /// The reduced loss is the first f32 of this buffer.
    pub fn loss_value(&self) -> &wgpu::Buffer {
        &self.buffers.totals
    }

    /// The loss that is evaluated.
    pub fn loss(&self) -> &Loss {
        &self.loss
    }

    /// The shape of the inputs.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The context it was made in.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// How many dispatches a recording has.
    pub fn dispatches(&self, binding: &Binding) -> usize {
        self.steps.len() + binding.steps.len()
    }

    pub(crate) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    pub(crate) fn id(&self) -> u64 {
        self.id
    }
}

/// Buffers, and the steps after those of the binding.
fn plan_pairs(context: &Context, loss: &Loss, shape: &Shape) -> Result<(Buffers, Vec<Step>)> {
    let limits = context.device().limits();
    check_tiles(shape, &limits)?;
    let binding = limits.max_storage_buffer_binding_size;
    let stripes = Stripes::new(shape, context.options().workspace_bytes, binding)?;
    let buffers = Buffers::new(context, loss, shape, &stripes)?;
    let steps = Builder::new(context, loss, shape, &stripes, &buffers)?.build()?;
    Ok((buffers, steps))
}

/// The tiles of a stripe are dispatched in two dimensions.
fn check_tiles(shape: &Shape, limits: &wgpu::Limits) -> Result<()> {
    let needed = shape.queries().max(shape.references()).div_ceil(TILE as usize) as u64;
    let limit = limits.max_compute_workgroups_per_dimension.into();
    if needed <= limit {
        return Ok(());
    }
    Err(Error::DeviceLimit {
        what: "a workgroup for every 64 rows",
        needed,
        name: "maxComputeWorkgroupsPerDimension",
        limit,
    })
}
