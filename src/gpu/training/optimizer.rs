//! Everything that the steps of an optimiser need, made once.

use crate::data::shape::{Shape, countable};
use crate::error::{Error, Result};
use crate::gpu::device::allocate::{Allocator, filled};
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::bound::{Bound, Checker};
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::{Field, Pending, Sources, Staged};
use crate::gpu::dispatch::record::{Record, recorded};
use crate::gpu::dispatch::trace::TraceName;
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::catalogue;
use crate::training::{Checkpoint, LEARNING_RATE, Optimizer, Rule};
use crate::wgsl::layout::{Progress, Start, fault_place};

/// Everything that the steps of an optimiser need: pipelines, what it remembers of every parameter,
/// and how many steps there were.
///
/// Plan once, [bind](Self::bind) parameters and gradient once, [record](Self::record) once for
/// every step: several recordings in one submission are several steps. Each set of parameters has a
/// plan of its own.
///
/// A parameter stays as it is in a step, with all that is remembered of it, where its gradient is
/// NaN or infinite or the step would take the parameter or a moment beyond f32. So parameters that
/// are finite stay so. [`read_back`](Self::read_back) tells.
#[derive(Debug)]
pub struct OptimizerPlan {
    program: Program,
    optimizer: Optimizer,
    parameters: usize,
    settings: wgpu::Buffer,
    moments: wgpu::Buffer,
    progress: wgpu::Buffer,
}

impl OptimizerPlan {
    pub(crate) fn new(context: &Context, optimizer: Optimizer, parameters: usize) -> Result<Self> {
        optimizer.check()?;
        if parameters == 0 {
            return Err(Error::Empty { what: "the number of parameters" });
        }
        let rule = optimizer.rule();
        countable("moments", parameters, rule.moments)?;
        let allocator = Allocator::new(context);
        let name = TraceName::of_plan("Optimizer", Shape::pointwise(parameters, 1));
        context.planning(|| {
            Ok(Self {
                program: Program::new(context, name, Vec::new()),
                optimizer,
                parameters,
                settings: settings(context, &rule, parameters as u32)?,
                moments: allocator
                    .filled_by_copies("moments", (parameters * rule.moments) as u64 * 4)?,
                progress: allocator.filled_by_copies("progress", size_of::<Progress>() as u64)?,
            })
        })
    }

    /// Checks the caller's buffers and binds them: as many f32 of each as the plan has parameters,
    /// with the usage `STORAGE` and an offset that is a multiple of the device's
    /// `min_storage_buffer_offset_alignment`. The parameters are written in place.
    ///
    /// # Errors
    ///
    /// [`Error::Buffer`] for a range that is too small, misaligned, of the wrong usage or of
    /// another device, and for a gradient in the buffer of the parameters.
    pub fn bind(
        &self,
        parameters: wgpu::BufferSlice<'_>,
        gradient: wgpu::BufferSlice<'_>,
    ) -> Result<Binding> {
        self.program.bind(|| {
            let check = Checker::new(self.context());
            let gradient =
                check.bound_beside("gradient", &gradient, self.parameters, parameters.buffer())?;
            let parameters = check.bound("parameters", &parameters, self.parameters)?;
            Ok(self.make_dispatches(parameters, gradient)?.into())
        })
    }

    /// Counts the step, then makes it.
    fn make_dispatches(&self, parameters: Bound<'_>, gradient: Bound<'_>) -> Result<Vec<Dispatch>> {
        let [moments, progress, settings] =
            [&self.moments, &self.progress, &self.settings].map(Bound::all);
        let bound = [gradient, parameters, moments, progress, settings];
        let [begin, step] = catalogue::optimizer(&self.optimizer.rule());
        let once = Workgroups { count: 1, most: 1, cost: 1 };
        let mut dispatches =
            begin.dispatches(self.context(), "begin step", Start::default(), &bound, once)?;
        let all = Workgroups::for_values(self.parameters as u32, 16);
        dispatches.extend(step.dispatches(
            self.context(),
            "step",
            Start::default(),
            &bound,
            all,
        )?);
        Ok(dispatches)
    }

    /// Replaces the learning rate, for every submission after this call, whenever it was recorded.
    /// [`Self::optimizer`] keeps the one it was planned with.
    ///
    /// # Errors
    ///
    /// [`Error::Parameter`] for one outside its range; [`Error::Gpu`], [`Error::OutOfMemory`].
    pub fn set_learning_rate(&self, learning_rate: f32) -> Result<()> {
        let rule = self.optimizer.rule();
        rule.check_learning_rate(learning_rate)?;
        let place =
            rule.settings.iter().position(|&(name, _)| name == LEARNING_RATE).unwrap_or_default()
                + 1;
        let context = self.context();
        scoped(context, "setting the learning rate", || {
            let bytes = learning_rate.to_bits().to_ne_bytes();
            context.queue().write_buffer(&self.settings, (place * 4) as u64, &bytes);
            Ok(())
        })
    }

    /// Records that the optimiser forgets: the next step is its first. Parameters stay as they are.
    pub fn reset(&self, encoder: &mut wgpu::CommandEncoder) {
        encoder.clear_buffer(&self.moments, 0, None);
        encoder.clear_buffer(&self.progress, 0, None);
    }

    /// Records the copy that read-back needs and returns what to wait on once it has been
    /// submitted: how many steps there were since the beginning or the last
    /// [reset](Self::reset), or, as [`Error::StepsLeftOut`], that some parameters were left out.
    /// Creates a buffer of 32 bytes.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`].
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<u32>> {
        let mut sources = Sources::default();
        sources.add(Shape::pointwise(self.parameters, 1), [(Field::Progress, &self.progress)]);
        Pending::new(self.context(), encoder, sources, |read| read.staged(0).steps())
    }

    /// What it remembers, for a read-back: see [`remembered`].
    pub(crate) fn sources(&self) -> [(Field, &wgpu::Buffer); 2] {
        [(Field::Progress, &self.progress), (Field::Moments, &self.moments)]
    }

    /// Goes to where the optimiser remembers what a checkpoint of as many parameters has.
    pub(crate) fn restore(&self, checkpoint: &Checkpoint) {
        let kept = self.optimizer.rule().moments;
        let moments = checkpoint.moments.iter().flat_map(|moments| &moments[..kept]);
        let moments: Vec<f32> = moments.map(|&moment| moment as f32).collect();
        let means_of_one = checkpoint.moments_of_one.map(|moment| moment as f32);
        let progress = Progress { steps: checkpoint.steps, means_of_one, ..Default::default() };
        let queue = self.context().queue();
        queue.write_buffer(&self.moments, 0, bytemuck::cast_slice(&moments));
        queue.write_buffer(&self.progress, 0, bytemuck::bytes_of(&progress));
    }

    /// The optimiser.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// How many parameters there are.
    pub fn parameters(&self) -> usize {
        self.parameters
    }
}

recorded!(OptimizerPlan);

/// The uniform of the settings: the number of parameters, then what the optimiser has, padded to
/// whole vectors. The learning rate among them may be written again.
pub(crate) fn settings(context: &Context, rule: &Rule, count: u32) -> Result<wgpu::Buffer> {
    let mut words: Vec<u32> =
        std::iter::once(count).chain(rule.settings.iter().map(|&(_, word)| word)).collect();
    words.resize(words.len().next_multiple_of(4), 0);
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    filled(context, "metric-learning settings", bytemuck::cast_slice(&words), usage)
}

/// What an optimiser remembers of each of so many parameters, what it would of a gradient that was
/// always 1, and how many steps there were.
pub(crate) fn remembered(
    read: &Staged<'_>,
    parameters: usize,
) -> Result<(Vec<[f64; 2]>, [f64; 2], u32)> {
    let steps = read.steps()?;
    let moments = read.floats(Field::Moments).ok_or(Error::NotComputed)?;
    let kept = moments.len() / parameters;
    let of_parameter = |of: &[f32]| [of[0], of.get(1).copied().unwrap_or_default()].map(f64::from);
    let moments = moments.chunks_exact(kept).map(of_parameter).collect();
    Ok((moments, read.progress().means_of_one.map(f64::from), steps))
}

impl Staged<'_> {
    fn progress(&self) -> Progress {
        bytemuck::pod_read_unaligned(self.part(Field::Progress).unwrap_or(&[]))
    }

    fn steps(&self) -> Result<u32> {
        let Progress { steps, left_out, first_left_out, .. } = self.progress();
        match fault_place(first_left_out) {
            Some(first) => Err(Error::StepsLeftOut { left_out, first, steps }),
            None => Ok(steps),
        }
    }
}

impl Context {
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
}
