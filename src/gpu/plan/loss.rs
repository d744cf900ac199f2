//! Everything that evaluating one loss on inputs of one shape needs, made once.

use crate::data::input::Input;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::stripes::Kept;
use crate::gpu::cut::tiles::Tiles;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::{Pending, Sources};
use crate::gpu::dispatch::record::{Record, recorded};
use crate::gpu::dispatch::trace::{TraceName, span};
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::outputs;
use crate::gpu::pairs::outputs::{Handover, Outputs};
use crate::gpu::pairs::passes::dispatches_of;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::gpu::pairs::prepare;
use crate::gpu::pairs::validity;
use crate::loss::Loss;

/// Everything that evaluating one loss on inputs of one shape needs: pipelines, workspace, outputs.
///
/// Plan once, [bind](Plan::bind) the input buffers once, [record](Plan::record) as often as needed.
/// Recordings of one plan in one submission run in their order and share workspace and outputs: the
/// last one's stay.
///
/// Faults in the inputs (a number that is not finite, a label that chooses nothing) and results
/// beyond f32 are found on the GPU. [`read_back`](Plan::read_back) tells of them, as an
/// [`Error`](crate::Error). For applications that leave their results on the GPU the loss is not a
/// number then, every gradient is 0, and [`status`](Plan::status) says what was wrong.
#[derive(Debug)]
pub struct Plan {
    pub(crate) program: Program,
    basis: Basis,
    /// The loss, alone.
    parts: [PlannedLoss; 1],
    status: wgpu::Buffer,
}

impl Plan {
    pub(crate) fn new(context: &Context, loss: Loss, shape: Shape) -> Result<Self> {
        shape.check()?;
        loss.check(&shape)?;
        let shape = shape.with_centers(loss.description().centers_per_class());
        let name = TraceName::new([&loss], shape);
        let _span = span!("plan", &name);
        context.planning(|| {
            let kept = Kept::for_terms(&loss.description().terms_kernel());
            let arithmetic = context.options().arithmetic;
            let (distance, normalize) = (loss.distance(), loss.normalize());
            let basis = Basis::new(context, shape, distance, normalize, kept, arithmetic)?;
            let parts = [PlannedLoss::new(&basis, loss, 1.0, &[])?];
            let status = validity::status(&Allocator::new(context))?;
            let mut program = Program::new(context, name, dispatches_of(&basis, &parts)?);
            let buffers = &parts[0].buffers;
            let gradients = std::iter::once(&buffers.gradient).chain(buffers.own_gradients());
            let losses = [(&basis, &parts[0])].into_iter();
            program.extend(validity::dispatches(context, &status, losses, gradients)?);
            Ok(Self { program, basis, parts, status })
        })
    }

    /// Checks the caller's buffers and binds them.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`](crate::Error::Buffer) for a range that is too small, misaligned, of the
    /// wrong usage or of another device, [`Error::Missing`](crate::Error::Missing) for an input that the shape or
    /// the loss asks for, [`Error::Unsupported`](crate::Error::Unsupported) for targets or
    /// labels that the loss does not take and [`Error::NotTaken`](crate::Error::NotTaken) for
    /// any other input that it does not.
    pub fn bind(&self, inputs: &Inputs<'_>) -> Result<Binding> {
        self.bind_to(inputs, &Outputs::default())
    }

    /// Binds inputs, and outputs to which each recording hands the gradients at its end.
    ///
    /// # Errors
    ///
    /// Those of [`Plan::bind`]; [`Error::Buffer`](crate::Error::Buffer) for an output of a gradient
    /// that the plan does not have, or that overlaps an input, another output or the plan's own
    /// gradient.
    pub fn bind_to(&self, inputs: &Inputs<'_>, outputs: &Outputs<'_>) -> Result<Binding> {
        let mode = self.basis.shape.mode();
        let has = |input| inputs.get(input).is_some();
        self.loss().check_truth(mode, has(Input::Targets), has(Input::Labels))?;
        inputs.check_taken(&[mode], |input| self.loss().takes(self.shape(), input))?;
        outputs::check_apart(std::slice::from_ref(inputs), std::slice::from_ref(outputs))?;
        self.program.bind(|| {
            let surroundings = prepare::surroundings(&self.basis, &self.parts, inputs)?;
            Ok(surroundings.with_outputs(self.hand_over(outputs)?))
        })
    }

    fn hand_over(&self, outputs: &Outputs<'_>) -> Result<Vec<Dispatch>> {
        let Outputs { gradient, gradient_references, .. } = outputs;
        let mut handover = Handover::default();
        let d = self.shape().dimensions();
        handover.add("gradient", [self.gradient()], d, gradient)?;
        handover.add(
            "gradient of references",
            self.gradient_references(),
            d,
            gradient_references,
        )?;
        handover.add("gradient of beta", self.gradient_beta(), 1, &outputs.gradient_beta)?;
        handover.add("gradient of scale", self.gradient_scale(), 1, &outputs.gradient_scale)?;
        handover.add("gradient of bias", self.gradient_bias(), 1, &outputs.gradient_bias)?;
        handover.dispatches(self.context(), &self.status)
    }

    /// Replaces the seed of a loss that draws, for every submission after this call, whenever it
    /// was recorded: a training draws afresh in each step without another plan. [`Plan::loss`]
    /// keeps the seed it was planned with.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`](crate::Error::Unsupported) for a loss that draws nothing;
    /// [`Error::Gpu`](crate::Error::Gpu), [`Error::OutOfMemory`](crate::Error::OutOfMemory).
    pub fn set_seed(&self, seed: u32) -> Result<()> {
        let context = self.context();
        scoped(context, "setting the seed", || self.part().set_seed(context.queue(), seed))
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been
    /// submitted. Creates a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Gpu`](crate::Error::Gpu),
    /// [`Error::DeviceLimit`](crate::Error::DeviceLimit).
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending> {
        let mut sources = Sources::default();
        sources.of_loss(&self.basis, self.part(), true);
        Pending::new(self.context(), encoder, sources, |read| read.staged(0).evaluation())
    }

    /// Records the copy of the loss, its counts and mean distances alone, as
    /// [`read_back`](Self::read_back) does of everything: some hundred bytes, whatever the shape.
    /// The evaluation has no gradient, and no sums of anchors.
    ///
    /// # Errors
    ///
    /// Those of [`read_back`](Self::read_back).
    pub fn read_back_loss(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending> {
        let mut sources = Sources::default();
        sources.of_totals(&self.basis, self.part());
        Pending::new(self.context(), encoder, sources, |read| read.staged(0).evaluation())
    }

    /// The gradient with respect to the embeddings, scores, predictions, logits or weights, N x D
    /// f32, tight; usage `STORAGE | COPY_SRC`, as all outputs have it. It is what the last
    /// recording made of its inputs: of faulty ones 0.
    pub fn gradient(&self) -> &wgpu::Buffer {
        &self.part().buffers.gradient
    }

    /// The gradient with respect to the references or prototypes, M x D f32, where there are any
    /// that are not fixed.
    pub fn gradient_references(&self) -> Option<&wgpu::Buffer> {
        self.part().buffers.gradient_references.as_ref()
    }

    /// The gradient with respect to each beta, for Wu's margin.
    pub fn gradient_beta(&self) -> Option<&wgpu::Buffer> {
        self.part().gradient_learned(Input::Beta)
    }

    /// The gradient with respect to the scale, one number, for losses that have one.
    pub fn gradient_scale(&self) -> Option<&wgpu::Buffer> {
        self.part().gradient_learned(Input::Scale)
    }

    /// The gradient with respect to the bias, one number, for losses that have one.
    pub fn gradient_bias(&self) -> Option<&wgpu::Buffer> {
        self.part().gradient_learned(Input::Bias)
    }

    /// The reduced loss is the first f32 of this buffer: not a number where the last recording came
    /// to no valid result.
    pub fn loss_value(&self) -> &wgpu::Buffer {
        &self.part().buffers.totals
    }

    /// What is to be said of the last recording, in the one u32 of this buffer:
    /// [`VALID`](crate::status::VALID) or what was wrong, in the bits of [`status`](crate::status);
    /// 0 as long as none has run.
    pub fn status(&self) -> &wgpu::Buffer {
        &self.status
    }

    /// Device memory that the plan holds, in bytes: workspace, prepared rows and outputs. Its
    /// uniforms, of some kilobytes, are not counted, nor are the caller's buffers.
    pub fn memory_bytes(&self) -> u64 {
        self.basis.matrix.bytes + self.part().buffers.bytes
    }

    /// The tiles of distances and gradients, where the mode has any.
    pub fn tiles(&self) -> Option<Tiles> {
        self.shape().mode().has_tiles().then_some(self.basis.tiles)
    }

    /// How many invocations share a row of the matrix, where the mode has one.
    pub fn row_width(&self) -> Option<RowWidth> {
        (self.shape().mode() != Mode::Pointwise).then_some(self.basis.row_width)
    }

    /// The loss that is evaluated.
    pub fn loss(&self) -> &Loss {
        &self.part().loss
    }

    /// The shape of the inputs.
    pub fn shape(&self) -> &Shape {
        &self.basis.shape
    }

    fn part(&self) -> &PlannedLoss {
        &self.parts[0]
    }
}

recorded!(Plan);

impl Context {
    /// Makes everything that evaluating `loss` on inputs of this shape needs: pipelines, workspace,
    /// outputs. Every limit is checked here. Submits nothing.
    ///
    /// # Errors
    ///
    /// Those of [`Loss::check`] and [`Shape::check`]; [`Error::Workspace`](crate::Error::Workspace)
    /// where the budget does not hold one row;
    /// [`Error::DeviceLimit`](crate::Error::DeviceLimit),
    /// [`Error::OutOfMemory`](crate::Error::OutOfMemory), [`Error::Gpu`](crate::Error::Gpu).
    pub fn plan(&self, loss: impl Into<Loss>, shape: Shape) -> Result<Plan> {
        Plan::new(self, loss.into(), shape)
    }
}
