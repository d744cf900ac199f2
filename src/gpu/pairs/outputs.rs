//! Gradients handed to buffers of the caller's, after the program has made them.

use crate::error::{Error, Result};
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::{Bound, Checker};
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::planned_loss::PlannedLoss;
use crate::wgsl::layout;

/// A range of a buffer of the caller's that takes a gradient: f32, tight, of the usage `STORAGE`,
/// at an offset that is a multiple of the device's `min_storage_buffer_offset_alignment`. It may
/// overlap neither an input nor another output.
#[derive(Clone, Debug)]
pub struct Output<'a> {
    /// Where it goes.
    pub range: wgpu::BufferSlice<'a>,
    /// Whether it is added to what is there, or takes its place.
    pub accumulate: bool,
}

impl<'a> Output<'a> {
    /// Writes the gradient into the range.
    pub fn write(range: wgpu::BufferSlice<'a>) -> Self {
        Self { range, accumulate: false }
    }

    /// Adds the gradient to what the range holds.
    pub fn add_to(range: wgpu::BufferSlice<'a>) -> Self {
        Self { range, accumulate: true }
    }
}

/// Buffers of the caller's that take gradients, beside those of the plan, which keeps its own in
/// any case.
///
/// A recording whose evaluation is an error (a value that is not finite, a label without an entry,
/// a result beyond f32) must not spoil what the caller goes on with: it adds nothing, and writes
/// zeros. Read-back says which error it was.
#[derive(Clone, Debug, Default)]
pub struct Outputs<'a> {
    /// The gradient with respect to the embeddings, scores or predictions, N x D.
    pub gradient: Option<Output<'a>>,
    /// The gradient with respect to the references or prototypes, M x D, where there are any that
    /// are not [fixed](crate::Shape::with_fixed_references).
    pub gradient_references: Option<Output<'a>>,
    /// The gradient with respect to each beta, for Wu's margin.
    pub gradient_beta: Option<Output<'a>>,
}

impl<'a> Outputs<'a> {
    /// The gradient with respect to the embeddings alone.
    pub fn gradient(output: Output<'a>) -> Self {
        Self { gradient: Some(output), ..Self::default() }
    }

    fn all(&self) -> impl Iterator<Item = (&'static str, &Output<'a>)> {
        let all = [
            ("gradient", &self.gradient),
            ("gradient of references", &self.gradient_references),
            ("gradient of beta", &self.gradient_beta),
        ];
        all.into_iter().filter_map(|(what, output)| Some((what, output.as_ref()?)))
    }
}

/// Checks that no output overlaps an input or another output.
pub(crate) fn check_apart(inputs: &[Inputs<'_>], outputs: &[Outputs<'_>]) -> Result<()> {
    let given: Vec<_> = inputs.iter().flat_map(Inputs::all).collect();
    let mut before: Vec<(&'static str, wgpu::BufferSlice<'_>)> = Vec::new();
    for (what, output) in outputs.iter().flat_map(Outputs::all) {
        let others = given.iter().chain(&before);
        if let Some((other, _)) =
            others.into_iter().find(|(_, other)| overlap(other, &output.range))
        {
            return Err(Error::Buffer {
                what,
                problem: format!("the range overlaps that of {other}"),
            });
        }
        before.push((what, output.range));
    }
    Ok(())
}

pub(crate) fn overlap(one: &wgpu::BufferSlice<'_>, other: &wgpu::BufferSlice<'_>) -> bool {
    let end = |slice: &wgpu::BufferSlice<'_>| slice.offset() + slice.size();
    one.buffer() == other.buffer() && one.offset() < end(other) && other.offset() < end(one)
}

/// Gradients of a plan, each with the output that the caller wants it in.
#[derive(Default)]
pub(crate) struct Handover<'a> {
    pairs: Vec<(&'static str, &'a wgpu::Buffer, Output<'a>)>,
}

impl<'a> Handover<'a> {
    /// Hands these gradients, in their order, to one output: the first to come writes, unless the
    /// caller accumulates.
    pub(crate) fn add(
        &mut self,
        what: &'static str,
        gradients: impl IntoIterator<Item = &'a wgpu::Buffer>,
        output: &Option<Output<'a>>,
    ) -> Result<()> {
        let Some(output) = output else { return Ok(()) };
        let mut accumulate = output.accumulate;
        let before = self.pairs.len();
        for gradient in gradients {
            self.pairs.push((what, gradient, Output { accumulate, ..output.clone() }));
            accumulate = true;
        }
        match self.pairs.len() > before {
            true => Ok(()),
            false => Err(Error::Buffer { what, problem: "the plan has no such gradient".into() }),
        }
    }

    /// The dispatches, after those of the losses that the verdict is about.
    pub(crate) fn dispatches<'p>(
        &self,
        context: &Context,
        losses: impl Iterator<Item = (&'p Basis, &'p PlannedLoss)>,
    ) -> Result<Vec<Dispatch>> {
        if self.pairs.is_empty() {
            return Ok(Vec::new());
        }
        let verdict = Allocator::new(context).storage("verdict", 4)?;
        let judged = losses.enumerate().map(|(at, (basis, part))| {
            let bound =
                [&basis.sizes, &part.buffers.totals, &basis.matrix.state, &verdict].map(Bound::all);
            catalogue::verdict(at == 0).dispatch(context, "verdict", &bound, [1, 1, 1], 1)
        });
        let mut dispatches: Vec<_> = judged.collect();
        for (what, gradient, output) in &self.pairs {
            dispatches.extend(hand_over(context, what, gradient, output, &verdict)?);
        }
        Ok(dispatches)
    }
}

pub(crate) fn hand_over(
    context: &Context,
    what: &'static str,
    gradient: &wgpu::Buffer,
    output: &Output<'_>,
    verdict: &wgpu::Buffer,
) -> Result<Vec<Dispatch>> {
    if output.range.buffer() == gradient {
        return Err(Error::Buffer { what, problem: "it is the plan's own".into() });
    }
    let count = (gradient.size() / 4) as u32;
    let range = Checker::new(context).bound(what, &output.range, count as usize)?;
    let subject = layout::Output { first: 0, count, accumulate: output.accumulate.into() };
    let bound = [Bound::all(gradient), Bound::all(verdict), range];
    catalogue::output().dispatches(
        context,
        "output",
        subject,
        &bound,
        Workgroups::for_values(count, 1),
    )
}
