//! Everything that evaluating one loss on inputs of one shape needs, made once.

use super::basis::Basis;
use super::buffers::Buffers;
use super::context::Context;
use super::inputs::{BetaInput, Binding, Inputs};
use super::readback::Pending;
use super::scope::scoped;
use super::steps::Builder;
use crate::loss::{Loss, SEED};
use crate::shape::Shape;
use crate::{Error, Result};

/// Everything that evaluating one loss on inputs of one shape needs: pipelines, workspace, outputs.
///
/// Plan once, [bind](Plan::bind) the input buffers once, [record](Plan::record) as often as needed. Recordings of one plan in one
/// submission run in their order and share workspace and outputs: the last one's stay.
#[derive(Debug)]
pub struct Plan {
    basis: Basis,
    loss: Loss,
    buffers: Buffers,
}

impl Plan {
    pub(crate) fn new(context: &Context, loss: Loss, shape: Shape) -> Result<Self> {
        shape.check()?;
        loss.check(&shape)?;
        context.planning(|| {
            let mut basis = Basis::new(context, shape, loss.distance(), loss.normalize())?;
            let buffers = Buffers::new(context, &loss, &shape, &basis.stripes)?;
            basis.steps = Builder::new(&basis, &loss, &buffers)?.build()?;
            Ok(Self { basis, loss, buffers })
        })
    }

    /// Checks the caller's buffers and binds them.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a range that is too small, misaligned or of the wrong usage, [`Error::Missing`] for an input that the
    /// shape asks for, [`Error::Gpu`] for a buffer that wgpu refuses, for instance of another device.
    pub fn bind(&self, inputs: &Inputs<'_>) -> Result<Binding> {
        let beta = self.loss.description().beta();
        self.basis.bind(inputs, beta.map(|beta| BetaInput { beta, buffer: &self.buffers.beta }))
    }

    /// Records the evaluation as one compute pass. Creates nothing, writes nothing from the host, submits nothing.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a binding of another plan.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, binding: &Binding) -> Result<()> {
        self.basis.record(encoder, binding)
    }

    /// The same into a compute pass of the caller's. It leaves its own pipeline and bind group 0 set.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a binding of another plan.
    pub fn record_into(&self, pass: &mut wgpu::ComputePass<'_>, binding: &Binding) -> Result<()> {
        self.basis.record_into(pass, binding)
    }

    /// Replaces the seed of a loss that draws, for every submission after this call, whenever it was recorded: a training draws
    /// afresh in each step without another plan. [`Plan::loss`] keeps the seed it was planned with.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a loss that draws nothing; [`Error::Gpu`], [`Error::OutOfMemory`].
    pub fn set_seed(&self, seed: u32) -> Result<()> {
        let parameters = self.loss.description().terms().parameters;
        let Some(place) = parameters.iter().position(|&(name, _)| name == SEED) else {
            let (what, reason) = ("a seed".into(), "it draws nothing".into());
            return Err(Error::Unsupported { loss: self.loss.name(), what, reason });
        };
        let offset = (place * size_of::<u32>()) as u64;
        scoped(self.context().device(), "setting the seed", || {
            self.context().queue().write_buffer(&self.buffers.parameters, offset, bytemuck::bytes_of(&seed));
            Ok(())
        })
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been submitted. Creates a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`], [`Error::DeviceLimit`].
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending> {
        Pending::of_plan(self, encoder)
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
        &self.basis.shape
    }

    /// The context it was made in.
    pub fn context(&self) -> &Context {
        &self.basis.context
    }

    /// How many dispatches a recording has.
    pub fn dispatches(&self, binding: &Binding) -> usize {
        self.basis.dispatches(binding)
    }

    pub(crate) fn buffers(&self) -> &Buffers {
        &self.buffers
    }

    pub(crate) fn basis(&self) -> &Basis {
        &self.basis
    }
}
