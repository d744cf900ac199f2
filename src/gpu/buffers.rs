//! The buffers of a plan.

use std::cell::Cell;

use super::basis::Basis;
use super::context::Context;
use super::kernels::Summation;
use super::layout::{self, state};
use super::list::List;
use super::stripes::Stripes;
use crate::loss::{Loss, Statistics, Terms};
use crate::shape::{Mode, Shape};
use crate::{Error, Result};

/// A prepared set of rows.
#[derive(Debug)]
pub(crate) struct Set {
    pub points: wgpu::Buffer,
    pub norms: wgpu::Buffer,
    pub labels: wgpu::Buffer,
}

/// The rows, and a stripe of the matrix of their distances: what every plan keeps on the GPU.
#[derive(Debug)]
pub(crate) struct Matrix {
    pub queries: Set,
    /// The second set; in batch mode the first one is both.
    pub references: Option<Set>,
    /// The pairs, where only those that are listed count.
    pub list: Option<List>,
    pub distances: wgpu::Buffer,
    pub state: wgpu::Buffer,
    /// Stands where a kernel has a binding that is not used: bindings cannot be empty.
    pub unused: wgpu::Buffer,
    /// Of all these buffers.
    pub bytes: u64,
}

impl Matrix {
    pub(crate) fn new(context: &Context, shape: &Shape, stripes: &Stripes) -> Result<Self> {
        let make = Maker::new(context);
        let queries = make.set("embeddings", shape.queries(), shape)?;
        let references = if shape.has_references() {
            Some(make.set("references", shape.references(), shape)?)
        } else {
            None
        };
        Ok(Self {
            queries,
            references,
            list: List::new(&make, shape)?,
            distances: make.storage("stripe of distances", stripes.bytes())?,
            state: make.storage("state", state::SIZE as u64 * 4)?,
            unused: make.storage("unused", 256)?,
            bytes: make.bytes(),
        })
    }

    /// That of a pointwise loss, which reads the caller's values as they are: no rows and no
    /// distances.
    pub(crate) fn pointwise(context: &Context) -> Result<Self> {
        let make = Maker::new(context);
        let unused = make.storage("unused", 256)?;
        Ok(Self {
            queries: Set { points: unused.clone(), norms: unused.clone(), labels: unused.clone() },
            references: None,
            list: None,
            distances: unused.clone(),
            state: make.storage("state", state::SIZE as u64 * 4)?,
            unused,
            bytes: make.bytes(),
        })
    }

    /// The second set, or in batch mode the first.
    pub(crate) fn other(&self) -> &Set {
        self.references.as_ref().unwrap_or(&self.queries)
    }
}

/// What a terms kernel writes for the gradient.
#[derive(Debug)]
pub(crate) enum Coefficients {
    /// Those of a stripe, which losses that share a basis take turns with.
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
    /// The `Summands` of the totals, with what the gradients are multiplied with.
    pub summands: wgpu::Buffer,
    /// With respect to the first set.
    pub gradient: wgpu::Buffer,
    /// With respect to the second set, unless it is fixed.
    pub gradient_references: Option<wgpu::Buffer>,
    /// What batch mode adds to the gradient by columns, where the coefficients are not symmetric
    /// and are not joined.
    pub transposed: Option<wgpu::Buffer>,
    pub coefficients: Coefficients,
    pub rows: wgpu::Buffer,
    pub row_statistics: wgpu::Buffer,
    pub totals: wgpu::Buffer,
    pub beta: wgpu::Buffer,
    pub gradient_beta: Option<wgpu::Buffer>,
    /// Of all these buffers but the shared one.
    pub bytes: u64,
}

impl Buffers {
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
        let make = Maker::new(context);
        let terms = loss.description().terms();
        let is_by_rows = basis.summation(&terms) == Summation::Rows;
        let has_transposed = shape.mode() == Mode::Batch && !terms.symmetric && is_by_rows;
        let gradient =
            |what, rows: usize| make.storage(what, (rows * shape.dimensions()) as u64 * 4);
        let of_references = shape.has_reference_gradient().then_some(shape.references());
        let has_statistics = matches!(terms.statistics, Statistics::Rows | Statistics::Ends);
        let statistics = if has_statistics { shape.queries() } else { 1 };
        let by_query = match shape.mode() {
            Mode::Pointwise => loss.has_per_anchor(shape),
            _ => shape.listed() == 0,
        }
        .into();
        let coefficients = match stripe {
            _ if terms.chooses => {
                let size = size_of::<layout::Choice>();
                Coefficients::Choices(make.storage("choices", (shape.queries() * size) as u64)?)
            }
            Some(shared) => Coefficients::Stripe(shared.clone()),
            None => Coefficients::Stripe(make.storage("stripe of coefficients", stripes.bytes())?),
        };
        let betas = shape.betas().max(1);
        let beta_gradient =
            loss.description().beta().map(|_| make.storage("gradient of beta", betas as u64 * 4));
        Ok(Self {
            parameters: parameters(context, &terms)?,
            summands: uniform(
                context,
                "summands",
                bytemuck::bytes_of(&layout::Summands { weight, by_query }),
            )?,
            gradient: gradient("gradient", shape.queries())?,
            gradient_references: of_references
                .map(|rows| gradient("gradient of references", rows))
                .transpose()?,
            transposed: has_transposed
                .then(|| gradient("gradient by columns", shape.queries()))
                .transpose()?,
            coefficients,
            rows: make.storage("rows", u64::from(rows) * size_of::<layout::Row>() as u64)?,
            row_statistics: make.storage(
                "row statistics",
                statistics as u64 * size_of::<layout::Statistic>() as u64,
            )?,
            totals: make.storage("totals", size_of::<layout::Totals>() as u64)?,
            beta: make.storage("beta", betas as u64 * 4)?,
            gradient_beta: beta_gradient.transpose()?,
            bytes: make.bytes(),
        })
    }
}

/// Makes buffers that fit the limits of the device.
pub(crate) struct Maker<'a> {
    context: &'a Context,
    limits: wgpu::Limits,
    bytes: Cell<u64>,
}

impl<'a> Maker<'a> {
    pub(crate) fn new(context: &'a Context) -> Self {
        Self { context, limits: context.device().limits(), bytes: Cell::new(0) }
    }

    /// Of all buffers that it made.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.get()
    }

    fn set(&self, what: &'static str, rows: usize, shape: &Shape) -> Result<Set> {
        let rows = rows as u64;
        Ok(Set {
            points: self.storage(what, rows * shape.dimensions().next_multiple_of(4) as u64 * 4)?,
            norms: self.storage("norms", rows * 4)?,
            // Read four at a time.
            labels: self.storage("labels", rows.next_multiple_of(4) * 4)?,
        })
    }

    pub(crate) fn storage(&self, what: &'static str, bytes: u64) -> Result<wgpu::Buffer> {
        self.buffer(what, bytes, wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC)
    }

    /// Storage that copies are made to.
    pub(crate) fn filled_by_copies(&self, what: &'static str, bytes: u64) -> Result<wgpu::Buffer> {
        let usage = wgpu::BufferUsages::STORAGE
            | wgpu::BufferUsages::COPY_SRC
            | wgpu::BufferUsages::COPY_DST;
        self.buffer(what, bytes, usage)
    }

    fn buffer(
        &self,
        what: &'static str,
        size: u64,
        usage: wgpu::BufferUsages,
    ) -> Result<wgpu::Buffer> {
        check_size(what, size, &self.limits)?;
        self.bytes.set(self.bytes.get() + size);
        let label = format!("metric-learning {what}");
        let descriptor =
            wgpu::BufferDescriptor { label: Some(&label), size, usage, mapped_at_creation: false };
        self.context.create_buffer(&descriptor)
    }
}

/// A uniform that holds these bytes.
pub(crate) fn uniform(context: &Context, what: &str, bytes: &[u8]) -> Result<wgpu::Buffer> {
    filled(context, &format!("metric-learning {what}"), bytes, wgpu::BufferUsages::UNIFORM)
}

/// The uniform of the parameters, padded to whole vectors. The seed among them may be written
/// again.
fn parameters(context: &Context, terms: &Terms) -> Result<wgpu::Buffer> {
    let mut words: Vec<u32> = terms.parameters.iter().map(|&(_, word)| word).collect();
    words.resize(words.len().next_multiple_of(4).max(4), 0);
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    filled(context, "metric-learning parameters", bytemuck::cast_slice(&words), usage)
}

pub(crate) fn check_size(what: &'static str, needed: u64, limits: &wgpu::Limits) -> Result<()> {
    let binding = limits.max_storage_buffer_binding_size;
    for (name, limit) in
        [("maxStorageBufferBindingSize", binding), ("maxBufferSize", limits.max_buffer_size)]
    {
        if needed > limit {
            return Err(Error::DeviceLimit { what, needed, name, limit });
        }
    }
    Ok(())
}

/// A buffer that holds these bytes from the start, so that no queue has to write it.
pub(crate) fn filled(
    context: &Context,
    label: &str,
    bytes: &[u8],
    usage: wgpu::BufferUsages,
) -> Result<wgpu::Buffer> {
    let size = bytes.len() as u64;
    let descriptor =
        wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: true };
    let buffer = context.create_buffer(&descriptor)?;
    // wgpu reports every other reason why there may be no buffer to the scope.
    let lost = |_| Error::DeviceLost { during: "filling a buffer" };
    buffer.slice(..).get_mapped_range_mut().map_err(lost)?.copy_from_slice(bytes);
    buffer.unmap();
    Ok(buffer)
}
