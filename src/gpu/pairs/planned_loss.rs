//! A loss on its basis, which it may share with other losses.

use crate::data::input::{Input, InputSet};
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::values::checked_rows;
use crate::gpu::device::allocate::{Allocator, filled, uniform};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::readback::{Field, Sources};
use crate::gpu::kernel::matrix::Summation;
use crate::gpu::pairs::basis::Basis;
use crate::loss::{Loss, SEED};
use crate::wgsl::layout;
use crate::wgsl::terms::Statistics;

/// A loss with its buffers.
#[derive(Debug)]
pub(crate) struct PlannedLoss {
    pub loss: Loss,
    pub buffers: Buffers,
    /// The basis with the columns as rows, where the loss needs something of every column.
    pub turned: Option<Basis>,
}

impl PlannedLoss {
    /// The gradients of the loss are multiplied with `weight`. `beside` are the others on the same
    /// basis so far.
    pub(crate) fn new(basis: &Basis, loss: Loss, weight: f32, beside: &[Self]) -> Result<Self> {
        let statistics = loss.description().terms_kernel().statistics;
        let rows = match basis.shape.mode() {
            Mode::Pointwise => checked_rows(&loss, &basis.shape)?,
            _ if statistics == Statistics::Columns => basis.shape.references() as u32,
            _ => basis.stripes.height,
        };
        let coefficients = beside.iter().find_map(|other| other.buffers.coefficients.stripe());
        let mut buffers = Buffers::new(basis, &loss, rows, weight, coefficients)?;
        let has_columns = statistics.has_columns() && !basis.shape.is_one_sided();
        let turned = has_columns.then(|| basis.turned()).transpose()?;
        buffers.bytes += turned.iter().map(|turned| turned.matrix.bytes).sum::<u64>();
        Ok(Self { loss, buffers, turned })
    }

    /// The gradient with respect to this input, where the loss learns it.
    pub(crate) fn gradient_learned(&self, input: Input) -> Option<&wgpu::Buffer> {
        self.buffers.gradients_learned.get(input)
    }

    /// Replaces the seed of a loss that draws.
    pub(crate) fn set_seed(&self, queue: &wgpu::Queue, seed: u32) -> Result<()> {
        let parameters = self.loss.description().terms_kernel().parameters;
        let Some(place) = parameters.iter().position(|&(name, _)| name == SEED) else {
            let (what, reason) = ("a seed".into(), "it draws nothing".into());
            return Err(Error::Unsupported { of: self.loss.name(), what, reason });
        };
        queue.write_buffer(&self.buffers.parameters, (place * 4) as u64, bytemuck::bytes_of(&seed));
        Ok(())
    }
}

/// What a terms kernel writes for the gradient.
#[derive(Debug)]
pub(crate) enum Coefficients {
    /// The coefficients of a stripe, which losses that share a basis take turns with.
    Stripe(wgpu::Buffer),
    /// What each anchor has chosen.
    Choices(wgpu::Buffer),
}

impl Coefficients {
    pub(crate) fn buffer(&self) -> &wgpu::Buffer {
        match self {
            Self::Stripe(buffer) | Self::Choices(buffer) => buffer,
        }
    }

    pub(crate) fn stripe(&self) -> Option<&wgpu::Buffer> {
        match self {
            Self::Stripe(buffer) => Some(buffer),
            Self::Choices(_) => None,
        }
    }
}

/// What the plan of a loss keeps on the GPU beside the matrix.
#[derive(Debug)]
pub(crate) struct Buffers {
    /// The `Parameters` of the terms kernel.
    pub parameters: wgpu::Buffer,
    /// Those of `shaders/terms/within.wgsl`, where anchors' terms are held against thresholds.
    pub thresholds: Option<wgpu::Buffer>,
    /// The `Summands` of the totals, with what the gradients are multiplied with.
    pub summands: wgpu::Buffer,
    /// The gradient with respect to the first set.
    pub gradient: wgpu::Buffer,
    /// The gradient with respect to the second set, unless it is fixed.
    pub gradient_references: Option<wgpu::Buffer>,
    /// What batch mode adds to the gradient by columns, where the coefficients are not symmetric
    /// and are not joined.
    pub transposed: Option<wgpu::Buffer>,
    pub coefficients: Coefficients,
    pub rows: wgpu::Buffer,
    pub row_statistics: wgpu::Buffer,
    pub totals: wgpu::Buffer,
    /// All numbers that the loss learns, one after the other, and behind them the weight of every
    /// row, or of every pair or triplet of a list, where there are any.
    pub learned: wgpu::Buffer,
    pub gradients_learned: InputSet<wgpu::Buffer>,
    /// The bytes of all these buffers but the shared one.
    pub bytes: u64,
}

impl Buffers {
    /// The gradients that no other loss adds to: with respect to the second set and to the loss's
    /// own numbers.
    pub(crate) fn own_gradients(&self) -> impl Iterator<Item = &wgpu::Buffer> {
        let learned = self.gradients_learned.iter().map(|(_, gradient)| gradient);
        self.gradient_references.iter().chain(learned)
    }

    /// The loss is summed up by so many rows. `stripe` is that of coefficients, where another loss
    /// on the basis has one.
    pub(crate) fn new(
        basis: &Basis,
        loss: &Loss,
        rows: u32,
        weight: f32,
        stripe: Option<&wgpu::Buffer>,
    ) -> Result<Self> {
        let Basis { context, shape, stripes, .. } = basis;
        let allocator = Allocator::new(context);
        let terms = loss.description().terms_kernel();
        let is_by_rows = basis.summation(&terms) == Summation::Rows;
        let has_transposed = shape.mode() == Mode::Batch && !terms.symmetric && is_by_rows;
        let gradient =
            |what, rows: usize| allocator.storage(what, (rows * shape.dimensions()) as u64 * 4);
        let of_references = shape.has_reference_gradient().then_some(shape.references());
        let statistics = match terms.statistics {
            Statistics::Rows | Statistics::Ends => shape.queries(),
            Statistics::Order => layout::levels(stripes.height) as usize,
            // Those of columns stand behind those of rows, from a multiple of four on.
            Statistics::Sides | Statistics::Columns => {
                shape.queries().next_multiple_of(4) + shape.references().next_multiple_of(4)
            }
            Statistics::None | Statistics::Totals => 1,
        };
        let by = match shape.mode() {
            Mode::Pointwise if loss.has_per_anchor(shape) => layout::Summands::QUERIES,
            Mode::Pointwise => layout::Summands::ALL,
            _ if shape.listed() > 0 => layout::Summands::ALL,
            _ if terms.statistics == Statistics::Columns => layout::Summands::REFERENCES,
            _ => layout::Summands::QUERIES,
        };
        let coefficients = match stripe {
            _ if terms.chooses => {
                let size = size_of::<layout::Choice>();
                Coefficients::Choices(
                    allocator.storage("choices", (shape.queries() * size) as u64)?,
                )
            }
            Some(shared) => Coefficients::Stripe(shared.clone()),
            None => {
                Coefficients::Stripe(allocator.storage("stripe of coefficients", stripes.bytes())?)
            }
        };
        let mut numbers = 0;
        let mut gradients_learned = InputSet::new();
        for learned in loss.description().learned() {
            let own = learned.numbers(shape) as u64;
            let gradient = allocator.storage("gradient of learned", own * 4)?;
            gradients_learned = gradients_learned.with(learned.input, gradient);
            numbers += own;
        }
        let thresholds = loss.description().anchor_thresholds();
        let weights = match shape.has_weights() {
            true if shape.listed() > 0 => {
                // There the loss has one number, or none and room for one.
                numbers = 1;
                shape.listed() as u64
            }
            true => shape.queries() as u64,
            false => 0,
        };
        Ok(Self {
            parameters: parameters(context, &terms.parameters)?,
            thresholds: thresholds
                .map(|_| parameters(context, &loss.reduction().threshold_parameters()))
                .transpose()?,
            summands: uniform(
                context,
                "summands",
                bytemuck::bytes_of(&layout::Summands { weight, by }),
            )?,
            gradient: gradient("gradient", shape.queries())?,
            gradient_references: of_references
                .map(|rows| gradient("gradient of references", rows))
                .transpose()?,
            transposed: has_transposed
                .then(|| gradient("gradient by columns", shape.queries()))
                .transpose()?,
            coefficients,
            rows: allocator.storage("rows", u64::from(rows) * size_of::<layout::Row>() as u64)?,
            row_statistics: row_statistics(context, &allocator, shape, statistics)?,
            totals: allocator.storage("totals", size_of::<layout::Totals>() as u64)?,
            learned: allocator.storage("learned", (numbers + weights).max(1) * 4)?,
            gradients_learned,
            bytes: allocator.bytes(),
        })
    }
}

/// Room for so many statistics. Where columns have no terms they are ends without negatives, which
/// `shaders/terms/clip.wgsl` knows by these bits; those of rows are written over them.
fn row_statistics(
    context: &Context,
    allocator: &Allocator,
    shape: &Shape,
    statistics: usize,
) -> Result<wgpu::Buffer> {
    let (what, bytes) = ("row statistics", statistics * size_of::<layout::Statistic>());
    if !shape.is_one_sided() {
        return allocator.storage(what, bytes as u64);
    }
    let buffer = allocator.filled_by_copies(what, bytes as u64)?;
    context.queue().write_buffer(&buffer, 0, &vec![0xff; bytes]);
    Ok(buffer)
}

/// The uniform of parameters, padded to whole vectors. The seed among them may be written again.
fn parameters(context: &Context, all: &[(&'static str, u32)]) -> Result<wgpu::Buffer> {
    let mut words: Vec<u32> = all.iter().map(|&(_, word)| word).collect();
    words.resize(words.len().next_multiple_of(4).max(4), 0);
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    filled(context, "metric-learning parameters", bytemuck::cast_slice(&words), usage)
}

impl<'a> Sources<'a> {
    /// Adds the result of a loss, with the gradient with respect to the first set or without.
    pub(crate) fn of_loss(&mut self, basis: &'a Basis, part: &'a PlannedLoss, has_gradient: bool) {
        let buffers = &part.buffers;
        let rows = part.loss.has_per_anchor(&basis.shape).then_some(&buffers.rows);
        let all = [
            (Field::Gradient, has_gradient.then_some(&buffers.gradient)),
            (Field::GradientReferences, buffers.gradient_references.as_ref()),
            (Field::GradientBeta, part.gradient_learned(Input::Beta)),
            (Field::GradientScale, part.gradient_learned(Input::Scale)),
            (Field::GradientBias, part.gradient_learned(Input::Bias)),
            (Field::Rows, rows),
        ];
        let all = all.into_iter().filter_map(|(what, buffer)| Some((what, buffer?)));
        self.add(basis.shape, [totals(part)].into_iter().chain(all));
    }

    /// Adds what is a number of the whole batch: the loss, its counts and mean distances.
    pub(crate) fn of_totals(&mut self, basis: &'a Basis, part: &'a PlannedLoss) {
        self.add(basis.shape, [totals(part)]);
    }
}

/// What every result has.
fn totals(part: &PlannedLoss) -> (Field, &wgpu::Buffer) {
    (Field::Totals, &part.buffers.totals)
}
