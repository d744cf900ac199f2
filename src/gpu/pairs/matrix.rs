//! Prepared rows, and a stripe of the matrix of their distances.

use crate::data::shape::Shape;
use crate::error::Result;
use crate::gpu::cut::stripes::Stripes;
use crate::gpu::device::allocate::Allocator;
use crate::gpu::device::context::Context;
use crate::gpu::pairs::list::List;
use crate::wgsl::layout::state;

/// A prepared set of rows.
#[derive(Clone, Debug)]
pub(crate) struct Set {
    pub points: wgpu::Buffer,
    pub norms: wgpu::Buffer,
    pub labels: wgpu::Buffer,
    /// The squared norms of the rows less the centre, where distances are expanded; there the
    /// points have the centre behind their last row.
    pub squares: Option<wgpu::Buffer>,
}

impl Set {
    fn new(
        allocator: &Allocator,
        what: &'static str,
        rows: usize,
        shape: &Shape,
        is_expanded: bool,
    ) -> Result<Self> {
        let rows = rows as u64;
        let points = rows + u64::from(is_expanded);
        let squares = is_expanded.then(|| allocator.storage("squared norms", rows * 4));
        Ok(Self {
            points: allocator.storage(what, points * row_bytes(shape))?,
            norms: allocator.storage("norms", rows * 4)?,
            // Read four at a time.
            labels: allocator.storage("labels", rows.next_multiple_of(4) * 4)?,
            squares: squares.transpose()?,
        })
    }

    /// What distances are told of the norms.
    pub(crate) fn norms_of_distances(&self) -> &wgpu::Buffer {
        self.squares.as_ref().unwrap_or(&self.norms)
    }
}

/// Bytes of a row of points.
fn row_bytes(shape: &Shape) -> u64 {
    shape.dimensions().next_multiple_of(4) as u64 * 4
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
    /// What expanded distances take out of all rows first.
    pub centre: Option<wgpu::Buffer>,
    pub state: wgpu::Buffer,
    /// Stands where a kernel has a binding that is not used: bindings cannot be empty.
    pub unused: wgpu::Buffer,
    /// The bytes of all these buffers.
    pub bytes: u64,
}

impl Matrix {
    pub(crate) fn new(
        context: &Context,
        shape: &Shape,
        stripes: &Stripes,
        is_expanded: bool,
    ) -> Result<Self> {
        let allocator = Allocator::new(context);
        let set = |what, rows| Set::new(&allocator, what, rows, shape, is_expanded);
        let queries = set("embeddings", shape.queries())?;
        let references =
            shape.has_references().then(|| set("references", shape.references())).transpose()?;
        let centre = is_expanded.then(|| allocator.storage("centre", row_bytes(shape)));
        Ok(Self {
            queries,
            references,
            list: List::new(&allocator, shape)?,
            distances: allocator.storage("stripe of distances", stripes.bytes())?,
            centre: centre.transpose()?,
            state: allocator.storage("state", state::SIZE as u64 * 4)?,
            unused: allocator.storage("unused", 256)?,
            bytes: allocator.bytes(),
        })
    }

    /// The matrix with its columns as rows, which shares everything with this one; a stripe of its
    /// distances too, where that is as large.
    pub(crate) fn turned(&self, context: &Context, stripes: &Stripes) -> Result<Self> {
        let allocator = Allocator::new(context);
        let distances = match stripes.bytes() <= self.distances.size() {
            true => self.distances.clone(),
            false => allocator.storage("stripe of distances", stripes.bytes())?,
        };
        Ok(Self {
            queries: self.other().clone(),
            references: Some(self.queries.clone()),
            list: None,
            distances,
            centre: self.centre.clone(),
            state: self.state.clone(),
            unused: self.unused.clone(),
            bytes: allocator.bytes(),
        })
    }

    /// The matrix of a pointwise loss, which reads the caller's values as they are: no rows and no
    /// distances.
    pub(crate) fn pointwise(context: &Context) -> Result<Self> {
        let allocator = Allocator::new(context);
        let unused = allocator.storage("unused", 256)?;
        Ok(Self {
            queries: Set {
                points: unused.clone(),
                norms: unused.clone(),
                labels: unused.clone(),
                squares: None,
            },
            references: None,
            list: None,
            distances: unused.clone(),
            centre: None,
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
