//! Everything that evaluating a weighted sum of losses needs, made once.

use crate::data::input::Input;
use crate::data::objective::{ObjectiveEvaluation, Weighted, check};
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::stripes::Kept;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::device::scope::scoped;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::{Binding, Surroundings};
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::{Field, Pending, Read, Sources, Staged};
use crate::gpu::dispatch::record::{Record, recorded};
use crate::gpu::dispatch::trace::{TraceName, span};
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::outputs;
use crate::gpu::pairs::outputs::{Handover, Outputs};
use crate::gpu::pairs::passes::dispatches_of;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::gpu::pairs::prepare;
use crate::gpu::pairs::validity;
use crate::loss::Loss;
use crate::wgsl::layout::Accumulate;

/// Everything that evaluating a weighted sum of losses needs: pipelines, workspace, outputs. It is
/// used as a [`Plan`](crate::Plan) is.
///
/// Losses over the same set of rows, of the same shape and with the same distance on rows that are
/// both normalized or both not, share the prepared rows and every distance.
#[derive(Debug)]
pub struct ObjectivePlan {
    pub(crate) program: Program,
    groups: Vec<Group>,
    /// The losses with their weights, in their order.
    losses: Vec<Weighted<Shape>>,
    /// The group of each loss, and its place there.
    places: Vec<[usize; 2]>,
    /// The gradient of every set.
    sums: Vec<wgpu::Buffer>,
    total_loss: wgpu::Buffer,
    status: wgpu::Buffer,
    /// The size of the sums, the total loss and the status.
    bytes: u64,
}

/// Losses that share a basis.
#[derive(Debug)]
pub(crate) struct Group {
    basis: Basis,
    parts: Vec<PlannedLoss>,
    set: usize,
}

impl ObjectivePlan {
    pub(crate) fn new(context: &Context, objective: &[Weighted<Shape>]) -> Result<Self> {
        let sets = check(objective, |shape| *shape)?;
        let name =
            TraceName::new(objective.iter().map(|weighted| &weighted.loss), objective[0].inputs);
        let _span = span!("plan", &name);
        context.planning(|| Self::make(context, objective, &sets, name))
    }

    fn make(
        context: &Context,
        objective: &[Weighted<Shape>],
        sets: &[[usize; 2]],
        name: TraceName,
    ) -> Result<Self> {
        let allocator = Allocator::new(context);
        let sums: Result<Vec<_>> = sets
            .iter()
            .map(|[n, d]| allocator.storage("gradient of the objective", (n * d) as u64 * 4))
            .collect();
        let (groups, places) = grouped(context, objective)?;
        let mut plan = Self {
            program: Program::new(context, name, Vec::new()),
            groups,
            losses: objective.to_vec(),
            places,
            sums: sums?,
            total_loss: allocator.storage("loss of the objective", 4)?,
            status: validity::status(&allocator)?,
            bytes: allocator.bytes(),
        };
        let dispatches = plan.make_dispatches()?;
        plan.program.extend(dispatches);
        Ok(plan)
    }

    /// Group by group; each loss is added as soon as its group is done, in the order of the
    /// objective among themselves.
    fn make_dispatches(&self) -> Result<Vec<Dispatch>> {
        let mut dispatches = Vec::new();
        for group in &self.groups {
            dispatches.extend(dispatches_of(&group.basis, &group.parts)?);
        }
        let mut seen = vec![false; self.sums.len()];
        for (at, (weighted, &[group, part])) in self.losses.iter().zip(&self.places).enumerate() {
            let is_first = !std::mem::replace(&mut seen[weighted.set], true);
            dispatches.extend(self.accumulate(
                &self.groups[group],
                part,
                [is_first, at == 0],
                weighted.weight,
            )?);
        }
        let of_losses = self.parts().flat_map(|(_, part)| part.buffers.own_gradients());
        let gradients = self.sums.iter().chain(of_losses);
        let context = self.context();
        let status = &self.status;
        dispatches.extend(validity::dispatches(context, status, self.parts(), gradients)?);
        dispatches.extend(validity::withdraw(context, status, &self.total_loss, f32::NAN)?);
        Ok(dispatches)
    }

    fn accumulate(
        &self,
        group: &Group,
        part: usize,
        [is_first, is_first_of_all]: [bool; 2],
        weight: f32,
    ) -> Result<Vec<Dispatch>> {
        let sum = &self.sums[group.set];
        let count = (sum.size() / 4) as u32;
        let accumulate = Accumulate {
            first: 0,
            count,
            is_first: is_first.into(),
            is_first_of_all: is_first_of_all.into(),
            weight,
        };
        let context = &group.basis.context;
        let buffers = &group.parts[part].buffers;
        let state = &group.basis.matrix.state;
        let bound =
            [&buffers.gradient, &buffers.totals, sum, &self.total_loss, state].map(Bound::all);
        catalogue::accumulate().dispatches(
            context,
            "accumulate",
            accumulate,
            &bound,
            Workgroups::for_values(count, 1),
        )
    }

    /// Checks the caller's buffers and binds them: the inputs of every set, in the order of their
    /// numbers.
    ///
    /// # Errors
    ///
    /// Those of [`Plan::bind`](crate::Plan::bind), and [`Error::Length`] for more or fewer inputs
    /// than sets.
    pub fn bind(&self, inputs: &[Inputs<'_>]) -> Result<Binding> {
        self.bind_to(inputs, &vec![Outputs::default(); self.sums.len()])
    }

    /// Binds inputs, and outputs to which each recording hands the gradients at its end: the
    /// outputs of every set, in the order of their numbers. A set's gradients with respect to
    /// references, beta, scale and bias are the sums over its losses. Where one loss is not valid,
    /// no set's gradient is handed on.
    ///
    /// # Errors
    ///
    /// Those of [`Plan::bind_to`](crate::Plan::bind_to), and [`Error::Length`] for more or
    /// fewer inputs or outputs than sets.
    pub fn bind_to(&self, inputs: &[Inputs<'_>], outputs: &[Outputs<'_>]) -> Result<Binding> {
        let expected = self.sums.len();
        for (what, actual) in
            [("the inputs of the sets", inputs.len()), ("the outputs of the sets", outputs.len())]
        {
            if actual != expected {
                return Err(Error::Length { what, expected, actual });
            }
        }
        self.check_truths(inputs)?;
        for (set, inputs) in inputs.iter().enumerate() {
            let of_set = || self.losses.iter().filter(|weighted| weighted.set == set);
            let modes: Vec<_> = of_set().map(|weighted| weighted.inputs.mode()).collect();
            inputs.check_taken(&modes, |input| {
                of_set().any(|weighted| weighted.loss.takes(&weighted.inputs, input))
            })?;
        }
        outputs::check_apart(inputs, outputs)?;
        self.program.bind(|| {
            let mut surroundings = Surroundings::default();
            for Group { basis, parts, set } in &self.groups {
                surroundings.extend(prepare::surroundings(basis, parts, &inputs[*set])?);
            }
            Ok(surroundings.with_outputs(self.hand_over(outputs)?))
        })
    }

    fn hand_over(&self, outputs: &[Outputs<'_>]) -> Result<Vec<Dispatch>> {
        let mut handover = Handover::default();
        for (set, (sum, outputs)) in self.sums.iter().zip(outputs).enumerate() {
            let parts = || {
                self.groups
                    .iter()
                    .filter(move |group| group.set == set)
                    .flat_map(|group| &group.parts)
            };
            let references = parts().filter_map(|part| part.buffers.gradient_references.as_ref());
            let learned = |input| parts().filter_map(move |part| part.gradient_learned(input));
            let [betas, scales, biases] = [Input::Beta, Input::Scale, Input::Bias].map(learned);
            let of_set = self.losses.iter().find(|weighted| weighted.set == set);
            let d = of_set.map_or(1, |weighted| weighted.inputs.dimensions());
            handover.add("gradient", [sum], d, &outputs.gradient)?;
            handover.add(
                "gradient of references",
                longest_first(references),
                d,
                &outputs.gradient_references,
            )?;
            handover.add("gradient of beta", longest_first(betas), 1, &outputs.gradient_beta)?;
            handover.add("gradient of scale", scales, 1, &outputs.gradient_scale)?;
            handover.add("gradient of bias", biases, 1, &outputs.gradient_bias)?;
        }
        handover.dispatches(self.context(), &self.status)
    }

    /// Every loss on its basis.
    fn parts(&self) -> impl Iterator<Item = (&Basis, &PlannedLoss)> {
        self.groups
            .iter()
            .flat_map(|group| group.parts.iter().map(move |part| (&group.basis, part)))
    }

    /// The inputs of a set are for all its losses: each takes what it needs, and has to find it
    /// there.
    fn check_truths(&self, inputs: &[Inputs<'_>]) -> Result<()> {
        self.losses.iter().try_for_each(|Weighted { loss, inputs: shape, set, .. }| {
            let takes_targets = loss.takes(shape, Input::Targets);
            let has_targets = inputs[*set].get(Input::Targets).is_some() && takes_targets;
            let has_labels = inputs[*set].get(Input::Labels).is_some() && loss.truth().has_labels();
            loss.check_truth(shape.mode(), has_targets, has_labels)
        })
    }

    /// Replaces the seed of a loss that draws, as [`Plan::set_seed`](crate::Plan::set_seed) does.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] for a loss that draws nothing, [`Error::NoLoss`] for a loss that
    /// there is not.
    pub fn set_seed(&self, loss: usize, seed: u32) -> Result<()> {
        let missing = Error::NoLoss { loss, limit: self.losses.len() };
        let part = self.part(loss).ok_or(missing)?;
        let context = self.context();
        scoped(context, "setting the seed", || part.set_seed(context.queue(), seed))
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been
    /// submitted. Creates a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`], [`Error::DeviceLimit`].
    pub fn read_back(
        &self,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Pending<ObjectiveEvaluation>> {
        self.pending(encoder, true)
    }

    /// Records the copies of the losses, their counts and mean distances alone, as
    /// [`read_back`](Self::read_back) does of everything: some hundred bytes a loss, whatever the
    /// shape. The evaluations have no gradients, and no sums of anchors.
    ///
    /// # Errors
    ///
    /// Those of [`read_back`](Self::read_back).
    pub fn read_back_loss(
        &self,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Pending<ObjectiveEvaluation>> {
        self.pending(encoder, false)
    }

    fn pending(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        has_tables: bool,
    ) -> Result<Pending<ObjectiveEvaluation>> {
        let mut sources = Sources::default();
        for &[group, part] in &self.places {
            let Group { basis, parts, .. } = &self.groups[group];
            match has_tables {
                true => sources.of_loss(basis, &parts[part], false),
                false => sources.of_totals(basis, &parts[part]),
            }
        }
        for (set, sum) in self.sums.iter().enumerate() {
            // A sum has the rows of any loss over its set; the total loss is beside the first.
            let loss =
                self.losses.iter().position(|weighted| weighted.set == set).unwrap_or_default();
            let totals = self.loss_value_of(loss).map(|totals| (Field::Totals, totals));
            let total_loss = (set == 0).then_some((Field::TotalLoss, &self.total_loss));
            let sum = has_tables.then_some((Field::Sum, sum));
            sources.add(self.losses[loss].inputs, total_loss.into_iter().chain(totals).chain(sum));
        }
        Pending::new(self.context(), encoder, sources, evaluation)
    }

    /// The gradient of the weighted sum with respect to the rows of a set, N x D f32, tight; usage
    /// `STORAGE | COPY_SRC`. `None` for a set that there is not.
    pub fn gradient(&self, set: usize) -> Option<&wgpu::Buffer> {
        self.sums.get(set)
    }

    /// The weighted gradient of a loss with respect to its references or prototypes, M x D f32,
    /// where there are any that are not fixed.
    pub fn gradient_references(&self, loss: usize) -> Option<&wgpu::Buffer> {
        self.part(loss)?.buffers.gradient_references.as_ref()
    }

    /// The weighted gradient of a loss with respect to each beta, for Wu's margin.
    pub fn gradient_beta(&self, loss: usize) -> Option<&wgpu::Buffer> {
        self.part(loss)?.gradient_learned(Input::Beta)
    }

    /// The weighted gradient of a loss with respect to its scale, one number, where it has one.
    pub fn gradient_scale(&self, loss: usize) -> Option<&wgpu::Buffer> {
        self.part(loss)?.gradient_learned(Input::Scale)
    }

    /// The weighted gradient of a loss with respect to its bias, one number, where it has one.
    pub fn gradient_bias(&self, loss: usize) -> Option<&wgpu::Buffer> {
        self.part(loss)?.gradient_learned(Input::Bias)
    }

    /// What is to be said of the last recording, as [`Plan::status`](crate::Plan::status) has it:
    /// valid where every loss is, else what was wrong with any.
    pub fn status(&self) -> &wgpu::Buffer {
        &self.status
    }

    /// The weighted sum of the losses is the one f32 of this buffer; not a number where one of them
    /// came to no valid result, and every gradient is 0 then.
    pub fn loss_value(&self) -> &wgpu::Buffer {
        &self.total_loss
    }

    /// The value of one of the losses, not weighted, is the first f32 of this buffer. `None` for a
    /// loss that there is not.
    pub fn loss_value_of(&self, loss: usize) -> Option<&wgpu::Buffer> {
        Some(&self.part(loss)?.buffers.totals)
    }

    /// Device memory that the plan holds, as [`Plan::memory_bytes`](crate::Plan::memory_bytes)
    /// says.
    pub fn memory_bytes(&self) -> u64 {
        let of_parts =
            |group: &Group| group.parts.iter().map(|part| part.buffers.bytes).sum::<u64>();
        self.bytes
            + self
                .groups
                .iter()
                .map(|group| group.basis.matrix.bytes + of_parts(group))
                .sum::<u64>()
    }

    /// The losses with their weights and shapes.
    pub fn losses(&self) -> &[Weighted<Shape>] {
        &self.losses
    }

    fn part(&self, loss: usize) -> Option<&PlannedLoss> {
        let &[group, part] = self.places.get(loss)?;
        self.groups[group].parts.get(part)
    }
}

recorded!(ObjectivePlan);

/// The first of them is written: it has to reach as far as any.
pub(crate) fn longest_first<'a>(
    buffers: impl Iterator<Item = &'a wgpu::Buffer>,
) -> Vec<&'a wgpu::Buffer> {
    let mut buffers: Vec<_> = buffers.collect();
    buffers.sort_by_key(|buffer| std::cmp::Reverse(buffer.size()));
    buffers
}

/// The groups, and of each loss its group and its place there.
pub(crate) fn grouped(
    context: &Context,
    objective: &[Weighted<Shape>],
) -> Result<(Vec<Group>, Vec<[usize; 2]>)> {
    let mut groups: Vec<Group> = Vec::new();
    let mut places = Vec::new();
    for Weighted { weight, loss, inputs: shape, set } in objective {
        let (distance, normalize) = (loss.distance(), loss.normalize());
        let shape = &shape.with_centers(loss.description().centers_per_class());
        let fits =
            |group: &Group| group.set == *set && group.basis.carries(shape, distance, normalize);
        let at = groups.iter().position(fits).unwrap_or(groups.len());
        if at == groups.len() {
            // The next losses of the group may have coefficients, though this one has none.
            let kept = Kept::DistanceAndCoefficient;
            let arithmetic = context.options().arithmetic;
            let basis = Basis::new(context, *shape, distance, normalize, kept, arithmetic)?;
            groups.push(Group { basis, parts: Vec::new(), set: *set });
        }
        let group = &mut groups[at];
        places.push([at, group.parts.len()]);
        let part = PlannedLoss::new(&group.basis, Loss::clone(loss), *weight, &group.parts)?;
        group.parts.push(part);
    }
    Ok((groups, places))
}

/// The result: in what is read the losses come first, then the sets.
pub(crate) fn evaluation(read: &Read<'_>) -> Result<ObjectiveEvaluation> {
    let results: Vec<_> = (0..read.results()).map(|result| read.staged(result)).collect();
    let count = results
        .iter()
        .position(|staged| staged.part(Field::TotalLoss).is_some())
        .unwrap_or(results.len());
    let (losses, sums) = results.split_at(count);
    // The faults of the inputs before what follows from them.
    losses.iter().try_for_each(|staged| staged.check())?;
    let losses = losses.iter().map(|staged| staged.evaluation()).collect::<Result<_>>()?;
    let loss = sums.first().and_then(|staged| staged.floats(Field::TotalLoss)).unwrap_or_default();
    let loss = loss.first().copied().unwrap_or_default();
    if !loss.is_finite() {
        return Err(Error::Overflow { what: "the loss" });
    }
    let gradient = |staged: &Staged<'_>| {
        let shape = staged.sized()?;
        Ok(staged
            .first_floats(Field::Sum, shape.queries() * shape.dimensions())
            .unwrap_or_default())
    };
    let gradients = sums.iter().map(gradient).collect::<Result<_>>()?;
    Ok(ObjectiveEvaluation { loss, losses, gradients })
}

impl Context {
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
}
