//! Prepared rows, and a stripe of the matrix of their distances.

use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::cut::stripes::Stripes;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::pairs::list::List;
use crate::wgsl::layout::state;

/// A prepared set of rows.
#[derive(Debug)]
pub(crate) struct Set {
    pub points: wgpu::Buffer,
    pub norms: wgpu::Buffer,
    pub labels: wgpu::Buffer,
}

impl Set {
    fn new(allocator: &Allocator, what: &'static str, rows: usize, shape: &Shape) -> Result<Self> {
        let rows = rows as u64;
        Ok(Self {
            points: allocator
                .storage(what, rows * shape.dimensions().next_multiple_of(4) as u64 * 4)?,
            norms: allocator.storage("norms", rows * 4)?,
            // Read four at a time.
            labels: allocator.storage("labels", rows.next_multiple_of(4) * 4)?,
        })
    }
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
    /// The bytes of all these buffers.
    pub bytes: u64,
}

impl Matrix {
    pub(crate) fn new(context: &Context, shape: &Shape, stripes: &Stripes) -> Result<Self> {
        let allocator = Allocator::new(context);
        let queries = Set::new(&allocator, "embeddings", shape.queries(), shape)?;
        let references = if shape.has_references() {
            Some(Set::new(&allocator, "references", shape.references(), shape)?)
        } else {
            None
        };
        Ok(Self {
            queries,
            references,
            list: List::new(&allocator, shape)?,
            distances: allocator.storage("stripe of distances", stripes.bytes())?,
            state: allocator.storage("state", state::SIZE as u64 * 4)?,
            unused: allocator.storage("unused", 256)?,
            bytes: allocator.bytes(),
        })
    }

    /// The matrix of a pointwise loss, which reads the caller's values as they are: no rows and no
    /// distances.
    pub(crate) fn pointwise(context: &Context) -> Result<Self> {
        let allocator = Allocator::new(context);
        let unused = allocator.storage("unused", 256)?;
        Ok(Self {
            queries: Set { points: unused.clone(), norms: unused.clone(), labels: unused.clone() },
            references: None,
            list: None,
            distances: unused.clone(),
            state: allocator.storage("state", state::SIZE as u64 * 4)?,
            unused,
            bytes: allocator.bytes(),
        })
    }

    /// The second set, or in batch mode the first.
    pub(crate) fn other(&self) -> &Set {
        self.references.as_ref().unwrap_or(&self.queries)
    }
}
