//! Everything that searching rows of one shape needs, made once.

use crate::data::input::Input;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::loops::check_search;
use crate::gpu::device::allocate::{Allocator, uniform};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::program::Program;
use crate::gpu::dispatch::readback::{Field, Pending, Sources, Staged};
use crate::gpu::dispatch::record::{Record, recorded};
use crate::gpu::dispatch::trace::{TraceName, span};
use crate::gpu::kernel::catalogue;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::inputs::Inputs;
use crate::gpu::pairs::prepare;
use crate::gpu::pairs::sizes;
use crate::gpu::pairs::sweeps::{Grid, Load, Sweeps};
use crate::search::{Neighbours, Search};
use crate::wgsl::layout::FoundRows;
use crate::wgsl::terms::SORTED_CHUNK;

/// Roughly how many arithmetic operations it takes the time of to look at a column for a portion of
/// the neighbours, most often four times.
const OPERATIONS_PER_COLUMN: u64 = 96;

/// What sorting a portion takes the time of.
const OPERATIONS_PER_PORTION: u64 = 1 << 20;

/// Everything that searching rows of one shape needs: pipelines, workspace, outputs. It is used as a
/// [`Plan`](crate::Plan) is, and has no gradient. The inputs are embeddings, which are searched for,
/// and references, which are searched; they have no labels.
///
/// Of every 1,024 neighbours a row is gone through anew; the distances are computed once.
#[derive(Debug)]
pub struct SearchPlan {
    pub(crate) program: Program,
    basis: Basis,
    search: Search,
    buffers: Buffers,
}

#[derive(Debug)]
struct Buffers {
    indices: wgpu::Buffer,
    nearest: wgpu::Buffer,
    /// All rows are of one class.
    labels: wgpu::Buffer,
    tally: wgpu::Buffer,
    found: wgpu::Buffer,
    /// The bytes of all these buffers.
    bytes: u64,
}

impl SearchPlan {
    pub(crate) fn new(context: &Context, search: &Search, sizes: [usize; 3]) -> Result<Self> {
        search.check(sizes)?;
        let shape = search.shape(sizes);
        let name = TraceName::of_plan("Search", shape);
        let _span = span!("plan", &name);
        context.planning(|| {
            let basis = Basis::of_ranks(context, shape, search.distance, search.normalize)?;
            check_search(basis.stripes.stride.into())?;
            let buffers = Buffers::new(context, search.k as u64, &shape)?;
            let program = Program::new(context, name, buffers.dispatches(&basis, search.k)?);
            Ok(Self { program, basis, search: search.clone(), buffers })
        })
    }

    /// Checks the caller's buffers and binds them.
    ///
    /// # Errors
    ///
    /// Those of [`Plan::bind`](crate::Plan::bind).
    pub fn bind(&self, inputs: &Inputs<'_>) -> Result<Binding> {
        let is_taken = |input| matches!(input, Input::Embeddings | Input::References);
        inputs.check_taken(&[self.shape().mode()], is_taken)?;
        let labels = self.buffers.labels.slice(..);
        let inputs =
            inputs.clone().with(Input::Labels, labels).with(Input::ReferenceLabels, labels);
        self.program.bind(|| prepare::ranked(&self.basis, &inputs))
    }

    /// Which references the neighbours are, N x k in u32, query by query, the nearest first.
    pub fn indices(&self) -> &wgpu::Buffer {
        &self.buffers.indices
    }

    /// How far they are, N x k in f32.
    pub fn distances(&self) -> &wgpu::Buffer {
        &self.buffers.nearest
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been
    /// submitted. Creates a buffer.
    ///
    /// The result may be [`Error::Overflow`] for a neighbour whose distance is beyond f32, beside
    /// what that of a [`Plan`](crate::Plan) may be.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`], [`Error::DeviceLimit`].
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<Neighbours>> {
        let mut sources = Sources::default();
        let Buffers { indices, nearest, found, .. } = &self.buffers;
        let buffers = [(Field::Found, found), (Field::Indices, indices), (Field::Nearest, nearest)];
        sources.add(self.basis.shape, buffers);
        let search = self.search.clone();
        Pending::new(self.context(), encoder, sources, move |read| {
            read.staged(0).neighbours(&search)
        })
    }

    /// Device memory that the plan holds, as [`Plan::memory_bytes`](crate::Plan::memory_bytes)
    /// says.
    pub fn memory_bytes(&self) -> u64 {
        self.basis.matrix.bytes + self.buffers.bytes
    }

    /// What is searched.
    pub fn search(&self) -> &Search {
        &self.search
    }

    /// The shape of the inputs.
    pub fn shape(&self) -> &Shape {
        &self.basis.shape
    }
}

recorded!(SearchPlan);

impl Buffers {
    fn new(context: &Context, k: u64, shape: &Shape) -> Result<Self> {
        let allocator = Allocator::new(context);
        let [queries, references] = [shape.queries(), shape.references()].map(|rows| rows as u64);
        Ok(Self {
            indices: allocator.storage("indices of neighbours", queries * k * 4)?,
            nearest: allocator.storage("distances of neighbours", queries * k * 4)?,
            labels: allocator.storage("labels of one class", queries.max(references) * 4)?,
            tally: allocator.storage("tally", 4)?,
            found: allocator.storage("found", size_of::<FoundRows>() as u64)?,
            bytes: allocator.bytes(),
        })
    }

    /// The dispatches: for each stripe of rows distance and neighbours, after them the totals.
    fn dispatches(&self, basis: &Basis, k: usize) -> Result<Vec<Dispatch>> {
        let mut sweeps = Sweeps::new(basis);
        let distance = sweeps.distance()?;
        let matrix = &basis.matrix;
        let buffers =
            [&self.indices, &matrix.queries.labels, &matrix.other().labels, &matrix.distances];
        let wanted = uniform(&basis.context, "wanted", bytemuck::bytes_of(&[k as u32, 0, 0, 0]))?;
        let others = [&wanted, &self.nearest, &self.tally].map(Bound::all);
        let portions = (k as u64).div_ceil(SORTED_CHUNK) as u32;
        let most = u64::from(basis.stripes.stride) * OPERATIONS_PER_COLUMN + OPERATIONS_PER_PORTION;
        let cost_per_row = most * u64::from(portions);
        let load = Load { portions, ..Load::new(Grid::Rows, cost_per_row, most) };
        let kernel = catalogue::nearest();
        let nearest = sweeps.sweep_with("nearest", &kernel, &buffers, &others, load)?;
        sweeps.pass([&distance, &nearest].into_iter());
        let buffers = [&self.tally, &self.found, &matrix.state, &basis.sizes].map(Bound::all);
        sweeps.push("totals", &catalogue::search_totals(), &buffers, 1, 1);
        Ok(sweeps.dispatches)
    }
}

impl Staged<'_> {
    fn neighbours(&self, search: &Search) -> Result<Neighbours> {
        let found: FoundRows = bytemuck::pod_read_unaligned(self.part(Field::Found).unwrap_or(&[]));
        if found.sequence == 0 {
            return Err(Error::NotComputed);
        }
        let shape = sizes::resized(self.shape, found.given)?;
        search.check([shape.queries(), shape.references(), shape.dimensions()])?;
        let [embeddings, references, ..] = found.faults;
        self.check_finite("embeddings", embeddings, self.shape.dimensions())?;
        self.check_finite("references", references, self.shape.dimensions())?;
        if found.overflow > 0 {
            return Err(Error::Overflow { what: "the distance of a neighbour" });
        }
        let count = shape.queries() * search.k;
        let mut indices: Vec<u32> =
            self.part(Field::Indices).map(bytemuck::pod_collect_to_vec).unwrap_or_default();
        indices.truncate(count);
        let distances = self.first_floats(Field::Nearest, count).unwrap_or_default();
        Ok(Neighbours { indices, distances })
    }
}

impl Context {
    /// Makes everything that searching the nearest of `references` rows for `queries` rows needs,
    /// all of `dimensions` numbers, as [`Context::plan`] does for a loss.
    ///
    /// # Errors
    ///
    /// Those of [`Search::check`], and of [`Context::plan`] for the workspace and the device.
    pub fn plan_search(
        &self,
        search: &Search,
        [queries, references, dimensions]: [usize; 3],
    ) -> Result<SearchPlan> {
        SearchPlan::new(self, search, [queries, references, dimensions])
    }
}
