//! Everything that measuring retrieval on inputs of one shape needs, made once.

use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::loops::{portions_of, positives_per_dispatch};
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::device::allocate::{Allocator, filled};
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
use crate::measures::{Measures, QueryMeasures, QueryScores, RANKING, Retrieval, discount};
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
    cutoffs: wgpu::Buffer,
    ideal_gains: wgpu::Buffer,
    scores: wgpu::Buffer,
    at: wgpu::Buffer,
    measures: wgpu::Buffer,
    /// The bytes of the four that kernels write.
    bytes: u64,
}

impl MeasurePlan {
    pub(crate) fn new(context: &Context, retrieval: &Retrieval, shape: Shape) -> Result<Self> {
        shape.check()?;
        retrieval.check(&shape)?;
        let name = TraceName::of_plan("Retrieval", shape);
        let _span = span!("plan", &name);
        context.planning(|| {
            let basis = Basis::of_ranks(context, shape, retrieval.distance, retrieval.normalize)?;
            let buffers = Buffers::new(context, retrieval, &shape)?;
            let program = Program::new(context, name, buffers.dispatches(&basis)?);
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
        self.program.bind(|| prepare::ranked(&self.basis, inputs))
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
            [(Field::Measures, &self.buffers.measures), (Field::AtCutoffs, &self.buffers.at)];
        sources.add(self.basis.shape, buffers);
        let retrieval = self.retrieval.clone();
        Pending::new(self.context(), encoder, sources, move |read| {
            read.staged(0).measures(&retrieval)
        })
    }

    /// Records the copies that reading the measures of every query needs, and returns what to wait
    /// on, as [`read_back`](Self::read_back) does: for the measures of each class, and for how sure
    /// those of all queries are. They are some 28 bytes a query, and four for every k of Precision@k
    /// and NDCG@k.
    ///
    /// # Errors
    ///
    /// Those of [`read_back`](Self::read_back).
    pub fn read_back_queries(
        &self,
        encoder: &mut wgpu::CommandEncoder,
    ) -> Result<Pending<QueryMeasures>> {
        let mut sources = Sources::default();
        let Buffers { measures, ranks, scores, .. } = &self.buffers;
        let buffers = [
            (Field::Measures, measures),
            (Field::Ranks, ranks),
            (Field::Scores, scores),
            (Field::Labels, &self.basis.matrix.queries.labels),
        ];
        sources.add(self.basis.shape, buffers);
        let retrieval = self.retrieval.clone();
        Pending::new(self.context(), encoder, sources, move |read| {
            read.staged(0).query_measures(&retrieval)
        })
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
        let rows = shape.queries() as u64;
        let cutoffs = cutoffs(retrieval, shape);
        let scored = (retrieval.precision_at.len() + retrieval.ndcg_at.len()) as u64;
        let ideal_gains = ideal_gains(retrieval, shape);
        let of =
            |label: &str, bytes: &[u8]| filled(context, label, bytes, wgpu::BufferUsages::STORAGE);
        Ok(Self {
            ranks: allocator.storage("ranks", rows * size_of::<layout::Ranks>() as u64)?,
            scores: allocator.storage("scores", scored.max(1) * rows * 4)?,
            at: allocator.storage("at", cutoffs.len() as u64 * 4)?,
            cutoffs: of("metric-learning cutoffs", bytemuck::cast_slice(&cutoffs))?,
            ideal_gains: of("metric-learning ideal gains", bytemuck::cast_slice(&ideal_gains))?,
            measures: allocator.storage("measures", size_of::<layout::Measures>() as u64)?,
            bytes: allocator.bytes(),
        })
    }

    /// The dispatches: for each stripe of rows distance and ranks, after them the totals.
    fn dispatches(&self, basis: &Basis) -> Result<Vec<Dispatch>> {
        let shader = shader!("measures/ranks.wgsl");
        let portion = positives_per_dispatch(shader, &RANKING, &basis.shape, RowWidth::Wide)?;
        let portions = portions_of(basis.shape.references() as u64, portion);
        let mut sweeps = Sweeps::new(basis);
        let distance = sweeps.distance()?;
        let matrix = &basis.matrix;
        let buffers =
            [&self.ranks, &matrix.queries.labels, &matrix.other().labels, &matrix.distances];
        let others = [&self.cutoffs, &self.ideal_gains, &self.scores].map(Bound::all);
        let columns = u64::from(basis.stripes.stride);
        let of_chunks = portion.map_or(0, |portion| RANKING.operations(columns, portion));
        let cost = columns * OPERATIONS_PER_PAIR + of_chunks;
        let load = Load { portions, ..Load::new(Grid::Rows, cost * u64::from(portions), cost) };
        let kernel = catalogue::ranks(portion);
        let ranks = sweeps.sweep_with("ranks", &kernel, &buffers, &others, load)?;
        sweeps.pass([&distance, &ranks].into_iter());

        let buffers = [
            &self.ranks,
            &self.cutoffs,
            &self.scores,
            &self.at,
            &self.measures,
            &matrix.state,
            &basis.sizes,
        ]
        .map(Bound::all);
        let groups = (self.cutoffs.size() / size_of::<layout::Cutoff>() as u64) as u32;
        let cost = u64::from(groups) * basis.shape.queries() as u64 * 16;
        sweeps.push("totals", &catalogue::measures(), &buffers, groups, cost);
        Ok(sweeps.dispatches)
    }
}

/// Recall@1, which is Precision@1, and what is asked for, as the kernels take it. No rank is beyond
/// the number of columns.
fn cutoffs(retrieval: &Retrieval, shape: &Shape) -> Vec<layout::Cutoff> {
    let mut scored = 0;
    let cutoff = |(measure, k): (u32, usize)| {
        let first = scored;
        if measure != layout::Cutoff::RECALL {
            scored += shape.queries() as u32;
        }
        let divisor = if measure == layout::Cutoff::PRECISION { k as f32 } else { 1.0 };
        layout::Cutoff { measure, k: k.min(shape.references()) as u32, divisor, first }
    };
    let Retrieval { recall_at, precision_at, ndcg_at, .. } = retrieval;
    let asked = [
        (layout::Cutoff::RECALL, recall_at),
        (layout::Cutoff::PRECISION, precision_at),
        (layout::Cutoff::GAIN, ndcg_at),
    ];
    let asked = asked.into_iter().flat_map(|(measure, at)| at.iter().map(move |&k| (measure, k)));
    std::iter::once((layout::Cutoff::RECALL, 1)).chain(asked).map(cutoff).collect()
}

/// For every k that NDCG@k may be asked for of a row, from 1 on, the gain of k positives that are
/// the k nearest columns.
fn ideal_gains(retrieval: &Retrieval, shape: &Shape) -> Vec<f32> {
    let largest = retrieval.ndcg_at.iter().max().map_or(1, |&k| k.min(shape.references()));
    let sums = (1..=largest).scan(0.0, |sum, rank| {
        *sum += discount(rank);
        Some(*sum as f32)
    });
    sums.collect()
}

impl Staged<'_> {
    /// What all queries have together, and the shape that the recording had.
    fn found_measures(&self) -> Result<(layout::Measures, Shape)> {
        let found: layout::Measures =
            bytemuck::pod_read_unaligned(self.part(Field::Measures).unwrap_or(&[]));
        if found.sequence == 0 {
            return Err(Error::NotComputed);
        }
        let shape = sizes::resized(self.shape, found.given)?;
        let [embeddings, references, ..] = found.faults;
        self.check_finite("embeddings", embeddings, self.shape.dimensions())?;
        self.check_finite("references", references, self.shape.dimensions())?;
        match found.overflow {
            0 => Ok((found, shape)),
            _ => Err(Error::Overflow { what: "a distance" }),
        }
    }

    fn query_measures(&self, retrieval: &Retrieval) -> Result<QueryMeasures> {
        let (_, shape) = self.found_measures()?;
        let words = |what| self.part(what).map(bytemuck::pod_collect_to_vec::<u8, u32>);
        let ranks: Vec<layout::Ranks> =
            self.part(Field::Ranks).map(bytemuck::pod_collect_to_vec).unwrap_or_default();
        let scores = self.floats(Field::Scores).unwrap_or_default();
        let mut labels = words(Field::Labels).unwrap_or_default();
        labels.truncate(shape.queries());
        let (planned, precisions) = (self.shape.queries(), retrieval.precision_at.len());
        let score = |at: usize, query: usize| f64::from(scores[at * planned + query]);
        let query = |(query, row): (usize, &layout::Ranks)| {
            let positives = f64::from(row.positives);
            let precision = retrieval.precision_at.iter().enumerate();
            let ndcg = precisions..precisions + retrieval.ndcg_at.len();
            (row.positives > 0).then(|| QueryScores {
                first: row.first as usize,
                r_precision: f64::from(row.within) / positives,
                average_precision_at_r: f64::from(row.precisions) / positives,
                average_precision: f64::from(row.all_precisions) / positives,
                precision: precision.map(|(at, &k)| score(at, query) / k as f64).collect(),
                ndcg: ndcg.map(|at| score(at, query)).collect(),
            })
        };
        let queries = ranks.iter().take(shape.queries()).enumerate().map(query).collect();
        Ok(QueryMeasures::new(retrieval, &labels, queries))
    }

    fn measures(&self, retrieval: &Retrieval) -> Result<Measures> {
        let (found, shape) = self.found_measures()?;
        let mut at = self.floats(Field::AtCutoffs).unwrap_or_default().into_iter();
        let Retrieval { recall_at, precision_at, ndcg_at, .. } = retrieval;
        let mut next = |count: usize| at.by_ref().take(count).collect::<Vec<_>>();
        Ok(Measures {
            queries: shape.queries() as u64,
            counted: found.counted.into(),
            precision_at_1: next(1).first().copied().unwrap_or_default(),
            recall: next(recall_at.len()),
            precision: next(precision_at.len()),
            ndcg: next(ndcg_at.len()),
            r_precision: found.r_precision,
            mean_average_precision_at_r: found.average_precision_at_r,
            mean_reciprocal_rank: found.reciprocal_rank,
            mean_average_precision: found.average_precision,
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
