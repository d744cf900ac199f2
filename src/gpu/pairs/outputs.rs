//! Gradients handed to buffers of the caller's, after the program has made them.

use crate::error::{Error, Result};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::{Bound, Checker, RowLayout};
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::inputs::Inputs;
use crate::wgsl::layout;

/// A range of a buffer of the caller's that takes a gradient: f32, of the usage `STORAGE`, at an
/// offset that is a multiple of the device's `min_storage_buffer_offset_alignment`.
///
/// It may overlap the embeddings, references, beta, scale or bias of the inputs: every read of them
/// comes before it is written, so that `Output::add_to(embeddings).scaled(-rate)` is a step of
/// gradient descent on the embeddings themselves. It may overlap no other input, and no other
/// output.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Output<'a> {
    /// Where it goes.
    pub range: wgpu::BufferSlice<'a>,
    /// Whether it is added to what is there, or takes its place.
    pub accumulate: bool,
    /// What the gradient is multiplied with; finite.
    pub factor: f32,
    /// Where its rows lie in the range; `None`: one after the other.
    pub rows: Option<RowLayout>,
}

impl<'a> Output<'a> {
    /// Writes the gradient into the range.
    pub fn write(range: wgpu::BufferSlice<'a>) -> Self {
        Self { range, accumulate: false, factor: 1.0, rows: None }
    }

    /// Adds the gradient to what the range holds.
    pub fn add_to(range: wgpu::BufferSlice<'a>) -> Self {
        Self { accumulate: true, ..Self::write(range) }
    }

    /// The output with the gradient multiplied with this factor, which has to be finite. A product
    /// beyond f32 is written as infinity.
    #[must_use]
    pub fn scaled(self, factor: f32) -> Self {
        Self { factor, ..self }
    }

    /// The output with rows that lie in the range like this, in the place of one after the other:
    /// what is between them stays as it is.
    #[must_use]
    pub fn in_rows(self, rows: RowLayout) -> Self {
        Self { rows: Some(rows), ..self }
    }
}

/// Buffers of the caller's that take gradients, beside those of the plan, which keeps its own in
/// any case.
///
/// A recording whose evaluation is an error (a value that is not finite, a label without an entry,
/// a result beyond f32) must not spoil what the caller goes on with: it adds nothing, and writes
/// zeros. Read-back says which error it was, and [`Plan::status`](crate::Plan::status) that there
/// was one.
#[derive(Clone, Debug, Default)]
pub struct Outputs<'a> {
    /// The gradient with respect to the embeddings, scores or predictions, N x D.
    pub gradient: Option<Output<'a>>,
    /// The gradient with respect to the references or prototypes, M x D, where there are any that
    /// are not [fixed](crate::Shape::with_fixed_references).
    pub gradient_references: Option<Output<'a>>,
    /// The gradient with respect to each beta, for Wu's margin.
    pub gradient_beta: Option<Output<'a>>,
    /// The gradient with respect to the scale, for losses that have one.
    pub gradient_scale: Option<Output<'a>>,
    /// The gradient with respect to the bias, for losses that have one.
    pub gradient_bias: Option<Output<'a>>,
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
            ("gradient of scale", &self.gradient_scale),
            ("gradient of bias", &self.gradient_bias),
        ];
        all.into_iter().filter_map(|(what, output)| Some((what, output.as_ref()?)))
    }
}

/// Checks that no output overlaps another one, or an input that is not prepared before it is
/// written.
pub(crate) fn check_apart(inputs: &[Inputs<'_>], outputs: &[Outputs<'_>]) -> Result<()> {
    let given: Vec<_> = inputs.iter().flat_map(Inputs::apart_from_outputs).collect();
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
    gradients: Vec<HandedOver<'a>>,
}

/// A gradient with rows of so many columns, and the output that it goes to.
struct HandedOver<'a> {
    what: &'static str,
    gradient: &'a wgpu::Buffer,
    columns: usize,
    output: Output<'a>,
}

impl<'a> Handover<'a> {
    /// Hands these gradients, in their order, to one output: the first to come writes, unless the
    /// caller accumulates.
    pub(crate) fn add(
        &mut self,
        what: &'static str,
        gradients: impl IntoIterator<Item = &'a wgpu::Buffer>,
        columns: usize,
        output: &Option<Output<'a>>,
    ) -> Result<()> {
        let Some(output) = output else { return Ok(()) };
        let mut accumulate = output.accumulate;
        let before = self.gradients.len();
        for gradient in gradients {
            let output = Output { accumulate, ..output.clone() };
            self.gradients.push(HandedOver { what, gradient, columns, output });
            accumulate = true;
        }
        match self.gradients.len() > before {
            true => Ok(()),
            false => Err(Error::Buffer { what, problem: "the plan has no such gradient".into() }),
        }
    }

    /// The dispatches, after those that write the status.
    pub(crate) fn dispatches(
        &self,
        context: &Context,
        status: &wgpu::Buffer,
    ) -> Result<Vec<Dispatch>> {
        let dispatches = self.gradients.iter().map(|gradient| gradient.dispatches(context, status));
        Ok(dispatches.collect::<Result<Vec<_>>>()?.concat())
    }
}

impl HandedOver<'_> {
    fn dispatches(&self, context: &Context, status: &wgpu::Buffer) -> Result<Vec<Dispatch>> {
        let Self { what, gradient, columns, output } = self;
        let problem = |problem: String| Err(Error::Buffer { what, problem });
        if output.range.buffer() == *gradient {
            return problem("it is the plan's own".into());
        }
        if !output.factor.is_finite() {
            return problem(format!("its factor is {}, not a finite number", output.factor));
        }
        let count = (gradient.size() / 4) as usize;
        let check = Checker::new(context);
        let (range, rows) =
            check.rows(what, &output.range, [count / columns, *columns], output.rows)?;
        let subject = layout::Output {
            first: 0,
            count: count as u32,
            accumulate: output.accumulate.into(),
            factor: output.factor,
            columns: *columns as u32,
            offset: rows.offset,
            stride: rows.stride,
        };
        let bound = [Bound::all(gradient), Bound::all(status), range];
        let groups = Workgroups::for_values(count as u32, 1);
        catalogue::output().dispatches(context, "output", subject, &bound, groups)
    }
}
