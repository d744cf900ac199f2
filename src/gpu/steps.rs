//! The dispatches of a plan, in their order: prepare is made with the inputs (inputs.rs), everything after it here.
//!
//! For each pass and each stripe of rows: distance, terms, gradient; between the passes and after them: finish.

use super::buffers::{Buffers, Set, filled};
use super::context::Context;
use super::kernel::{Kernel, Room, Slot};
use super::layout::{Finish, Stripe};
use super::stripes::Stripes;
use crate::batch::{Mode, Shape};
use crate::loss::{Loss, Statistics, Terms};
use crate::shader::shader;
use crate::{Distance, Result};

/// One dispatch, with everything it needs.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub label: &'static str,
    pub pipeline: wgpu::ComputePipeline,
    pub bind_group: wgpu::BindGroup,
    pub offset: Option<u32>,
    pub groups: [u32; 3],
    /// Roughly how many arithmetic operations it takes.
    pub cost: u64,
}

impl Step {
    pub(crate) fn record(&self, pass: &mut wgpu::ComputePass<'_>) {
        pass.push_debug_group(self.label);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(0, &self.bind_group, self.offset.as_slice());
        pass.dispatch_workgroups(self.groups[0], self.groups[1], self.groups[2]);
        pass.pop_debug_group();
    }
}

/// Folds a number of workgroups to two dimensions.
pub(crate) fn folded(groups: u32) -> [u32; 3] {
    const MOST: u32 = 65535;
    if groups <= MOST { [groups, 1, 1] } else { [MOST, groups.div_ceil(MOST), 1] }
}

/// What the matrix is made of, as `shaders/shared/distance.wgsl` numbers it: a distance, or scores.
fn matrix_kind(loss: &Loss, shape: &Shape) -> f64 {
    let kind = if shape.mode() == Mode::Scores { Distance::ALL.len() as u32 } else { loss.distance() as u32 };
    kind.into()
}

/// Whether the kernels work on unit rows.
pub(crate) fn on_unit_rows(loss: &Loss, shape: &Shape) -> bool {
    shape.mode() != Mode::Scores && (loss.normalize() || loss.distance().is_of_unit_rows())
}

/// Makes the steps after prepare.
pub(crate) struct Builder<'a> {
    context: &'a Context,
    loss: &'a Loss,
    terms: Terms,
    shape: &'a Shape,
    stripes: &'a Stripes,
    buffers: &'a Buffers,
    uniforms: Uniforms,
    parameters: wgpu::Buffer,
    steps: Vec<Step>,
}

impl<'a> Builder<'a> {
    pub(crate) fn new(
        context: &'a Context,
        loss: &'a Loss,
        shape: &'a Shape,
        stripes: &'a Stripes,
        buffers: &'a Buffers,
    ) -> Result<Self> {
        let terms = loss.description().terms();
        let mut values: Vec<f32> = terms.parameters.iter().map(|&(_, value)| value).collect();
        values.resize(values.len().next_multiple_of(4), 0.0);
        let parameters = filled(
            context.device(),
            "metric-learning parameters",
            bytemuck::cast_slice(&values),
            wgpu::BufferUsages::UNIFORM,
        )?;
        let portions = terms.positives_per_dispatch.map_or(1, |most| shape.references().div_ceil(most)) as u32;
        let uniforms = Uniforms::new(context.device(), shape, stripes, portions)?;
        Ok(Self { context, loss, terms, shape, stripes, buffers, uniforms, parameters, steps: Vec::new() })
    }

    /// Every pass over every stripe, then the finish.
    pub(crate) fn build(mut self) -> Result<Vec<Step>> {
        let has_statistics = self.terms.statistics != Statistics::None;
        if has_statistics {
            for (stripe, (_, rows)) in self.stripes.iter().enumerate() {
                self.distance(stripe, rows);
                self.terms("statistics", stripe, rows, 0);
            }
        }
        if self.terms.statistics == Statistics::Totals {
            self.totals(false);
        }
        for (stripe, (_, rows)) in self.stripes.iter().enumerate() {
            // What one stripe holds is still there from the pass before.
            if !(has_statistics && self.stripes.is_single()) {
                self.distance(stripe, rows);
            }
            for portion in 0..self.uniforms.portions {
                self.terms("main", stripe, rows, portion);
            }
            self.gradient(stripe, rows);
        }
        self.totals(true);
        self.finish()?;
        Ok(self.steps)
    }

    fn distance(&mut self, stripe: usize, rows: u32) {
        let Buffers { queries, distances, state, .. } = self.buffers;
        let other = self.buffers.other();
        let groups = if self.shape.mode() == Mode::Scores {
            folded((rows * (self.stripes.stride / 4)).div_ceil(256))
        } else {
            [self.columns().div_ceil(64), rows.div_ceil(64), 1]
        };
        let shader = if self.shape.mode() == Mode::Scores {
            shader!("distance/scores.wgsl")
        } else {
            shader!("distance/pairwise.wgsl")
        };
        let constants = self.matrix_constants(Vec::new());
        let buffers = [&queries.points, &other.points, &queries.norms, &other.norms, state, distances];
        let cost = self.pair_cost(rows);
        self.on_stripe("distance", Kernel::new(Room::Distance, shader, constants), stripe, 0, &buffers, groups, cost);
    }

    fn terms(&mut self, entry: &'static str, stripe: usize, rows: u32, portion: u32) {
        let Buffers { queries, distances, coefficients, rows: row_sums, row_statistics, totals, beta, .. } =
            self.buffers;
        let labels = [&queries.labels, &self.buffers.other().labels];
        let mut constants = self.terms.constants.clone();
        constants.push(("DISTANCE", matrix_kind(self.loss, self.shape)));
        let kernel = Kernel { entry, ..Kernel::new(Room::Terms, self.terms.shader, constants) };
        let parameters = self.parameters.clone();
        let buffers =
            [&parameters, labels[0], labels[1], distances, coefficients, row_sums, row_statistics, totals, beta];
        let cost = u64::from(rows) * u64::from(self.stripes.stride) * 32;
        self.on_stripe("terms", kernel, stripe, portion, &buffers, folded(rows), cost);
    }

    fn gradient(&mut self, stripe: usize, rows: u32) {
        let Buffers { queries, coefficients, unused, transposed, references, .. } = self.buffers;
        if self.shape.mode() == Mode::Scores {
            let groups = folded((rows * self.columns()).div_ceil(256));
            let kernel = Kernel::new(Room::Gradient, shader!("gradient/scores.wgsl"), Vec::new());
            let buffers = [unused, unused, coefficients, &queries.gradient];
            self.on_stripe("gradient", kernel, stripe, 0, &buffers, groups, self.pair_cost(rows));
            return;
        }
        let other = self.buffers.other();
        self.gradient_half(stripe, rows, false, [&queries.points, &other.points, coefficients, &queries.gradient]);
        // The references have a gradient of their own; in batch mode both halves are the embeddings'.
        if let Some(by_columns) = references.as_ref().map(|set| &set.gradient).or(transposed.as_ref()) {
            self.gradient_half(stripe, rows, true, [&other.points, &queries.points, coefficients, by_columns]);
        }
    }

    fn gradient_half(&mut self, stripe: usize, rows: u32, is_transposed: bool, buffers: [&wgpu::Buffer; 4]) {
        let owners = if is_transposed { self.columns() } else { rows };
        let vectors = self.shape.dimensions().div_ceil(4) as u32;
        let groups = [vectors.div_ceil(16), owners.div_ceil(64), 1];
        let constants = self.matrix_constants(vec![("TRANSPOSED", f64::from(u8::from(is_transposed)))]);
        let kernel = Kernel::new(Room::Gradient, shader!("gradient/pairwise.wgsl"), constants);
        let label = if is_transposed { "gradient by columns" } else { "gradient" };
        self.on_stripe(label, kernel, stripe, 0, &buffers, groups, self.pair_cost(rows));
    }

    fn totals(&mut self, last: bool) {
        let constants = vec![
            ("REDUCTION", f64::from(self.loss.reduction() as u32)),
            ("SPLIT_MEAN", f64::from(u8::from(self.terms.split_mean))),
            ("LAST", f64::from(u8::from(last))),
        ];
        let kernel = Kernel::new(Room::FinishTotals, shader!("finish/totals.wgsl"), constants);
        let Buffers { rows, totals, state, .. } = self.buffers;
        self.push("totals", kernel, &[rows, totals, state], None, [1, 1, 1], self.shape.queries() as u64 * 16);
    }

    fn finish(&mut self) -> Result<()> {
        let Buffers { queries, references, transposed, rows, totals, gradient_beta, .. } = self.buffers;
        if let (Some(gradient), Some(beta)) = (gradient_beta, self.loss.description().beta()) {
            let constants = vec![("BETA_PER_CLASS", f64::from(u8::from(beta.per_class)))];
            let kernel = Kernel::new(Room::FinishBeta, shader!("finish/beta.wgsl"), constants);
            let betas = self.shape.betas().max(1) as u32;
            let cost = u64::from(betas) * self.shape.queries() as u64;
            self.push(
                "gradient of beta",
                kernel,
                &[rows, &queries.labels, totals, gradient],
                None,
                folded(betas),
                cost,
            );
        }
        if let Some(set) = references {
            self.finish_gradient(set, self.shape.references(), None, false)?;
        }
        self.finish_gradient(queries, self.shape.queries(), transposed.as_ref(), true)
    }

    fn finish_gradient(&mut self, set: &Set, rows: usize, add: Option<&wgpu::Buffer>, last: bool) -> Result<()> {
        let halved = self.shape.mode() == Mode::Batch && self.terms.symmetric;
        let uniform = Finish {
            count: rows as u32,
            dimensions: self.shape.dimensions() as u32,
            vectors: self.shape.dimensions().div_ceil(4) as u32,
            unit: on_unit_rows(self.loss, self.shape).into(),
            add: add.is_some().into(),
            last: last.into(),
            factor: if halved { 2.0 } else { 1.0 },
            padding: 0,
        };
        let usage = wgpu::BufferUsages::UNIFORM;
        let uniform = filled(self.context.device(), "metric-learning finish", bytemuck::bytes_of(&uniform), usage)?;
        let Buffers { totals, state, unused, .. } = self.buffers;
        let buffers = [&uniform, &set.gradient, add.unwrap_or(unused), &set.points, &set.norms, totals, state];
        let kernel = Kernel::new(Room::FinishGradient, shader!("finish/gradient.wgsl"), Vec::new());
        let cost = rows as u64 * self.shape.dimensions() as u64 * 8;
        self.push("finish gradient", kernel, &buffers, None, folded(rows as u32), cost);
        Ok(())
    }

    fn columns(&self) -> u32 {
        self.shape.references() as u32
    }

    /// A subtraction and a multiply-add per pair and dimension.
    fn pair_cost(&self, rows: u32) -> u64 {
        u64::from(rows) * u64::from(self.stripes.stride) * self.shape.dimensions() as u64 * 3
    }

    fn matrix_constants(&self, mut constants: Vec<(&'static str, f64)>) -> Vec<(&'static str, f64)> {
        if self.shape.mode() != Mode::Scores {
            constants.push(("DISTANCE", matrix_kind(self.loss, self.shape)));
        }
        constants
    }

    /// A kernel whose first binding is the stripe. Stripes share its bind group: they differ in their offset alone.
    #[allow(clippy::too_many_arguments)]
    fn on_stripe(
        &mut self,
        label: &'static str,
        kernel: Kernel,
        stripe: usize,
        portion: u32,
        buffers: &[&wgpu::Buffer],
        groups: [u32; 3],
        cost: u64,
    ) {
        let offset = Some(self.uniforms.offset(stripe, portion));
        let pipeline = self.context.pipeline(&kernel).pipeline;
        let earlier = self.steps.iter().rev().find(|step| step.label == label && step.pipeline == pipeline);
        if let Some(earlier) = earlier {
            let step = Step { offset, groups, cost, ..earlier.clone() };
            self.steps.push(step);
            return;
        }
        let uniforms = self.uniforms.buffer.clone();
        let all: Vec<_> = [&uniforms].into_iter().chain(buffers.iter().copied()).collect();
        self.push(label, kernel, &all, offset, groups, cost);
    }

    fn push(
        &mut self,
        label: &'static str,
        kernel: Kernel,
        buffers: &[&wgpu::Buffer],
        offset: Option<u32>,
        groups: [u32; 3],
        cost: u64,
    ) {
        let bindings: Vec<_> = buffers.iter().map(|buffer| Bound::all(buffer)).collect();
        self.steps.push(step(self.context, label, &kernel, &bindings, offset, groups, cost));
    }
}

/// A range of a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound<'a> {
    pub buffer: &'a wgpu::Buffer,
    pub offset: u64,
    pub size: Option<std::num::NonZeroU64>,
}

impl<'a> Bound<'a> {
    pub(crate) fn all(buffer: &'a wgpu::Buffer) -> Self {
        Self { buffer, offset: 0, size: None }
    }
}

/// A dispatch of `kernel` on these buffers, in the order of its room's bindings.
pub(crate) fn step(
    context: &Context,
    label: &'static str,
    kernel: &Kernel,
    buffers: &[Bound<'_>],
    offset: Option<u32>,
    groups: [u32; 3],
    cost: u64,
) -> Step {
    let made = context.pipeline(kernel);
    let slots = kernel.room.slots();
    debug_assert_eq!(slots.len(), buffers.len(), "{:?}", kernel.room);
    let mut entries = Vec::with_capacity(buffers.len());
    for (binding, bound) in buffers.iter().enumerate() {
        let size = if slots[binding] == Slot::Stripe { Uniforms::SIZE } else { bound.size };
        let buffer = wgpu::BufferBinding { buffer: bound.buffer, offset: bound.offset, size };
        entries.push(wgpu::BindGroupEntry { binding: binding as u32, resource: wgpu::BindingResource::Buffer(buffer) });
    }
    let bind_group = context.device().create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some(label),
        layout: &made.layout,
        entries: &entries,
    });
    Step { label, pipeline: made.pipeline, bind_group, offset, groups, cost }
}

/// The `Stripe` uniforms of all stripes and portions, in one buffer, chosen by dynamic offsets.
struct Uniforms {
    buffer: wgpu::Buffer,
    pitch: u32,
    portions: u32,
}

impl Uniforms {
    const SIZE: Option<std::num::NonZeroU64> = std::num::NonZeroU64::new(size_of::<Stripe>() as u64);

    fn new(device: &wgpu::Device, shape: &Shape, stripes: &Stripes, portions: u32) -> Result<Self> {
        let pitch = (size_of::<Stripe>() as u32).next_multiple_of(device.limits().min_uniform_buffer_offset_alignment);
        let mut bytes = Vec::new();
        for (begin, rows) in stripes.iter() {
            for portion in 0..portions {
                let stripe = Stripe {
                    begin,
                    rows,
                    queries: shape.queries() as u32,
                    references: shape.references() as u32,
                    dimensions: shape.dimensions() as u32,
                    vectors: shape.dimensions().div_ceil(4) as u32,
                    stride: stripes.stride,
                    same_set: (shape.mode() == Mode::Batch).into(),
                    portion,
                    padding: [0; 3],
                };
                bytes.extend_from_slice(bytemuck::bytes_of(&stripe));
                bytes.resize(bytes.len().next_multiple_of(pitch as usize), 0);
            }
        }
        let buffer = filled(device, "metric-learning stripes", &bytes, wgpu::BufferUsages::UNIFORM)?;
        Ok(Self { buffer, pitch, portions })
    }

    fn offset(&self, stripe: usize, portion: u32) -> u32 {
        (stripe as u32 * self.portions + portion) * self.pitch
    }
}
