//! Everything that measuring retrieval on inputs of one shape needs, made once.

use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::loops::{portions_of, positives_per_dispatch};
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::stripes::Kept;
use crate::gpu::device::allocate::{Allocator, filled};
use crate::gpu::device::context::Context;
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::binding::Binding;
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
use crate::measures::{Measures, Retrieval, ranking};
use crate::wgsl::include::shader;
use crate::wgsl::layout;

/// Roughly how many arithmetic operations ranking a pair takes.
pub(crate) const OPERATIONS_PER_PAIR: u64 = 64;

/// Everything that measuring retrieval on inputs of one shape needs: pipelines, workspace, outputs.
/// It is used as a [`Plan`](crate::Plan) is, and has no gradient.
#[derive(Debug)]
pub struct MeasurePlan {
    pub(crate) program: Program,
    basis: Basis,
    retrieval: Retrieval,
    buffers: Buffers,
}

#[derive(Debug)]
pub(crate) struct Buffers {
    ranks: wgpu::Buffer,
    /// 1 for Precision@1, then the k that are asked for.
    recall_at: wgpu::Buffer,
    recall: wgpu::Buffer,
    measures: wgpu::Buffer,
    /// The bytes of the three that kernels write.
    bytes: u64,
}

impl MeasurePlan {
    pub(crate) fn new(context: &Context, retrieval: &Retrieval, shape: Shape) -> Result<Self> {
        shape.check()?;
        retrieval.check(&shape)?;
        let name = TraceName::of_plan("Retrieval", shape);
        let _span = span!("plan", &name);
        context.planning(|| {
            let basis = Basis::new(
                context,
                shape,
                Some(retrieval.distance),
                retrieval.normalize,
                Kept::Distance,
            )?;
            let buffers = Buffers::new(context, retrieval, &shape)?;
            let program = Program::new(context, name, buffers.dispatches(&basis, retrieval)?);
            Ok(Self { program, basis, retrieval: retrieval.clone(), buffers })
        })
    }

    /// Checks the caller's buffers and binds them.
    ///
    /// # Errors
    ///
    /// Those of [`Plan::bind`](crate::Plan::bind).
    pub fn bind(&self, inputs: &Inputs<'_>) -> Result<Binding> {
        let shape = self.shape();
        inputs.check_taken(&[shape.mode()], |input| shape.takes(input))?;
        self.program.bind(|| {
            let mut surroundings = prepare::sized(&self.basis, inputs)?;
            surroundings.before.extend(prepare::prepare_pairs(&self.basis, inputs, false)?);
            Ok(surroundings)
        })
    }

    /// Records the copies that read-back needs and returns what to wait on once they have been
    /// submitted. Creates a buffer.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`], [`Error::Gpu`], [`Error::DeviceLimit`].
    pub fn read_back(&self, encoder: &mut wgpu::CommandEncoder) -> Result<Pending<Measures>> {
        let mut sources = Sources::default();
        let buffers =
            [(Field::Measures, &self.buffers.measures), (Field::Recall, &self.buffers.recall)];
        sources.add(self.basis.shape, buffers);
        Pending::new(self.context(), encoder, sources, |read| read.staged(0).measures())
    }

    /// Device memory that the plan holds, as [`Plan::memory_bytes`](crate::Plan::memory_bytes)
    /// says.
    pub fn memory_bytes(&self) -> u64 {
        self.basis.matrix.bytes + self.buffers.bytes
    }

    /// What is measured.
    pub fn retrieval(&self) -> &Retrieval {
        &self.retrieval
    }

    /// The shape of the inputs.
    pub fn shape(&self) -> &Shape {
        &self.basis.shape
    }
}

recorded!(MeasurePlan);

impl Buffers {
    fn new(context: &Context, retrieval: &Retrieval, shape: &Shape) -> Result<Self> {
        let allocator = Allocator::new(context);
        // No rank is beyond the number of columns.
        let recall_at = retrieval.recall_at.iter().map(|&k| k.min(shape.references()) as u32);
        let recall_at: Vec<u32> = std::iter::once(1).chain(recall_at).collect();
        let usage = wgpu::BufferUsages::STORAGE;
        Ok(Self {
            ranks: allocator
                .storage("ranks", shape.queries() as u64 * size_of::<layout::Ranks>() as u64)?,
            recall: allocator.storage("recall", recall_at.len() as u64 * 4)?,
            recall_at: filled(
                context,
                "metric-learning recall at",
                bytemuck::cast_slice(&recall_at),
                usage,
            )?,
            measures: allocator.storage("measures", size_of::<layout::Measures>() as u64)?,
            bytes: allocator.bytes(),
        })
    }

    /// The dispatches: for each stripe of rows distance and ranks, after them the totals.
    fn dispatches(&self, basis: &Basis, retrieval: &Retrieval) -> Result<Vec<Dispatch>> {
        let shader = shader!("measures/ranks.wgsl");
        let walk = ranking(basis.shape.references() as u64);
        let portion = positives_per_dispatch(shader, &walk, &basis.shape, RowWidth::Wide)?;
        let portions = portions_of(basis.shape.references() as u64, portion);
        let mut sweeps = Sweeps::new(basis);
        let distance = sweeps.distance()?;
        let matrix = &basis.matrix;
        let buffers =
            [&self.ranks, &matrix.queries.labels, &matrix.other().labels, &matrix.distances];
        let columns = u64::from(basis.stripes.stride);
        let of_chunks = portion.map_or(0, |portion| walk.operations(columns, portion));
        let cost = columns * OPERATIONS_PER_PAIR + of_chunks;
        let load = Load {
            grid: Grid::Rows,
            cost_per_row: cost * u64::from(portions),
            most: cost,
            portions,
        };
        let ranks = sweeps.sweep("ranks", &catalogue::ranks(portion), &buffers, load)?;
        sweeps.pass([&distance, &ranks].into_iter());

        let buffers = [
            &self.ranks,
            &self.recall_at,
            &self.recall,
            &self.measures,
            &matrix.state,
            &basis.sizes,
        ];
        let groups = 1 + retrieval.recall_at.len() as u32;
        let cost = u64::from(groups) * basis.shape.queries() as u64 * 16;
        sweeps.push("totals", &catalogue::measures(), &buffers, groups, cost);
        Ok(sweeps.dispatches)
    }
}

impl Staged<'_> {
    fn measures(&self) -> Result<Measures> {
        let found: layout::Measures =
            bytemuck::pod_read_unaligned(self.part(Field::Measures).unwrap_or(&[]));
        if found.sequence == 0 {
            return Err(Error::NotComputed);
        }
        let shape = sizes::resized(self.shape, found.given)?;
        let [embeddings, references, ..] = found.faults;
        self.check_finite("embeddings", embeddings, self.shape.dimensions())?;
        self.check_finite("references", references, self.shape.dimensions())?;
        if found.overflow > 0 {
            return Err(Error::Overflow { what: "a distance" });
        }
        let mut recall = self.floats(Field::Recall).unwrap_or_default().into_iter();
        Ok(Measures {
            queries: shape.queries() as u64,
            counted: found.counted.into(),
            precision_at_1: recall.next().unwrap_or_default(),
            recall: recall.collect(),
            r_precision: found.r_precision,
            mean_average_precision_at_r: found.mean_average_precision,
        })
    }
}

impl Context {
    /// Makes everything that measuring retrieval on inputs of this shape needs, as
    /// [`Context::plan`] does for a loss.
    ///
    /// # Errors
    ///
    /// Those of [`Retrieval::check`] and [`Shape::check`], and of [`Context::plan`] for the
    /// workspace and the device.
    pub fn plan_measures(&self, retrieval: &Retrieval, shape: Shape) -> Result<MeasurePlan> {
        MeasurePlan::new(self, retrieval, shape)
    }
}
