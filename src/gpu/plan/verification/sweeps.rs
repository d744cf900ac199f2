//! The buffers of a verification, and the sweeps over the distances that fill them.

use std::num::NonZeroU64;

use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::loops::check_verification;
use crate::gpu::device::allocate::{Allocator, filled};
use crate::gpu::dispatch::Dispatch;
use crate::gpu::dispatch::bound::Bound;
use crate::gpu::dispatch::pieces::MOST_DISPATCHES;
use crate::gpu::dispatch::workgroups::Workgroups;
use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::catalogue::Sorted;
use crate::gpu::kernel::verification as kernels;
use crate::gpu::pairs::basis::Basis;
use crate::gpu::pairs::list::Order;
use crate::gpu::pairs::sweeps::{Grid, Load, OPERATIONS_PER_PLACE, Sweep, Sweeps};
use crate::measures::Verification;
use crate::wgsl::layout::{BLOCK, Found, Mark, Piece};

/// Bytes that sorting the distance of a pair takes, and counting the others by it.
const BYTES_PER_SAME: u64 = 34;

/// Pairs that are the same and are always sorted at once.
const LEAST_CAPACITY: u64 = 1024;

/// Those that never more are: the bisection of `shaders/verification/places.wgsl` has as many steps.
const MOST_CAPACITY: u64 = 1 << 22;

/// Roughly how many arithmetic operations it takes the time of to look at a pair, to count it by its
/// digits, and to find its place among sorted ones.
const OPERATIONS_TO_LOOK: u64 = 16;
const OPERATIONS_TO_COUNT: u64 = 64;
const OPERATIONS_TO_PLACE: u64 = 256;

/// How the pairs that are the same are shared out among sorts.
#[derive(Clone, Copy)]
pub(super) struct Cut {
    /// The most that there are.
    pub same_pairs: u64,
    /// The most of a piece.
    capacity: u64,
}

#[derive(Debug)]
pub(super) struct Buffers {
    /// For every row the number of its first pair that is the same.
    offsets: wgpu::Buffer,
    pieces: wgpu::Buffer,
    /// The distances of a piece: as they were collected, sorted, and the order between.
    keys: wgpu::Buffer,
    sorted: wgpu::Buffer,
    order: Order,
    /// Pairs by their places in a piece.
    counts: wgpu::Buffer,
    pub marks: wgpu::Buffer,
    tally: wgpu::Buffer,
    pub found: wgpu::Buffer,
    /// The bytes of all these buffers, but for pieces and marks, which are some kilobytes.
    pub bytes: u64,
}

impl Cut {
    pub(super) fn new(basis: &Basis, same_pairs: u64) -> Result<Self> {
        let context = &basis.context;
        let same_pairs = same_pairs.min(all_pairs(&basis.shape)).max(1);
        let room = context.options().workspace_bytes / BYTES_PER_SAME;
        let binding = context.device().limits().max_storage_buffer_binding_size / 16;
        let capacity = room.clamp(LEAST_CAPACITY, MOST_CAPACITY).min(binding).min(same_pairs);
        // The pairs of a piece are numbered in u32.
        let stripes = basis.stripes.iter().len() as u64;
        let limit = (capacity * (MOST_DISPATCHES / stripes).max(1)).min(u32::MAX.into());
        if same_pairs > limit {
            return Err(Error::TooLong {
                kernel: "verification/places",
                what: "pairs that are the same",
                count: same_pairs,
                limit,
            });
        }
        check_verification(basis.stripes.stride.into(), basis.stripes.height.into())?;
        Ok(Self { same_pairs, capacity })
    }

    fn pieces(self) -> u32 {
        self.same_pairs.div_ceil(self.capacity) as u32
    }
}

/// How many pairs inputs of this shape have.
fn all_pairs(shape: &Shape) -> u64 {
    let [n, m] = [shape.queries(), shape.references()].map(|rows| rows as u64);
    match shape.mode() {
        Mode::Batch => n * (n - 1) / 2,
        Mode::Reference => n * m,
        _ => shape.pairs(),
    }
}

/// The thresholds that are looked for: of the EER and of every FPR, and others up to a number that
/// the kernels take.
fn marks(verification: &Verification) -> Vec<Mark> {
    let of_errors = Mark { is_of_errors: 1, ..Mark::default() };
    let of_share =
        |share: u64| Mark { share: [share as u32, (share >> 32) as u32], ..Mark::default() };
    let mut marks: Vec<_> =
        std::iter::once(of_errors).chain(verification.shares().map(of_share)).collect();
    marks.resize(marks.len().next_multiple_of(Mark::AT_ONCE), of_errors);
    marks
}

impl Buffers {
    pub(super) fn new(basis: &Basis, verification: &Verification, cut: Cut) -> Result<Self> {
        let context = &basis.context;
        let allocator = Allocator::new(context);
        let Cut { capacity, .. } = cut;
        let piece = |number: u32| Piece {
            first: number * capacity as u32,
            capacity: capacity as u32,
            ..Piece::default()
        };
        let pieces: Vec<_> = (0..cut.pieces()).map(piece).collect();
        let marks = marks(verification);
        let counts = 1 + u64::from(Mark::ROUNDS) * marks.len() as u64 * (Mark::BINS + 1);
        let storage = wgpu::BufferUsages::STORAGE;
        let of = |what: &str, bytes: &[u8], usage| {
            filled(context, &format!("metric-learning {what}"), bytes, storage | usage)
        };
        let (uniform, source) = (wgpu::BufferUsages::UNIFORM, wgpu::BufferUsages::COPY_SRC);
        Ok(Self {
            offsets: allocator.storage("numbers of same pairs", basis.stripes.height as u64 * 4)?,
            pieces: of("pieces", bytemuck::cast_slice(&pieces), uniform)?,
            keys: allocator.storage("distances of same pairs", capacity * 4)?,
            sorted: allocator.storage("sorted distances", capacity * 4)?,
            order: Order::new(&allocator, Sorted::Pairs, capacity, u32::BITS)?,
            counts: allocator.storage("counts of places", capacity * 16)?,
            marks: of("thresholds", bytemuck::cast_slice(&marks), source)?,
            tally: allocator.storage("counts of digits", counts * 16)?,
            found: allocator.storage("found", size_of::<Found>() as u64)?,
            bytes: allocator.bytes(),
        })
    }

    /// The dispatches: the numbers of the pairs that are the same, then the sweeps. The first one
    /// collects a piece; after it the next one is collected while all pairs find their places in
    /// the one before.
    pub(super) fn dispatches(&self, basis: &Basis, cut: Cut) -> Result<Vec<Dispatch>> {
        let mut sweeps = Sweeps::new(basis);
        let work = Work { basis, buffers: self };
        let numbers = kernels::numbers();
        let look = OPERATIONS_TO_LOOK;
        let numbers = work.rows(&sweeps, "numbers", &numbers, &self.offsets, &[], look, 1)?;
        sweeps.pass([&numbers].into_iter());
        work.number(&mut sweeps);
        let distance = sweeps.distance()?;
        let pieces = cut.pieces();
        for pass in 0..Mark::ROUNDS.max(pieces + 1) {
            // What one stripe holds is still there in the next pass.
            let again = (pass == 0 || !basis.stripes.is_single()).then_some(&distance);
            let mut own = Vec::new();
            if pass < pieces {
                own.push(work.collect(&sweeps, pass)?);
            }
            let placed = pass.checked_sub(1).filter(|&piece| piece < pieces);
            if let Some(piece) = placed {
                own.push(work.places(&sweeps, piece)?);
            }
            if pass < Mark::ROUNDS {
                own.push(work.digits(&sweeps, pass)?);
            }
            sweeps.pass(again.into_iter().chain(&own));
            if let Some(piece) = placed {
                work.best(&mut sweeps, piece);
            }
            if pass < pieces {
                work.sort(&mut sweeps, pass, cut.capacity)?;
            }
            if pass < Mark::ROUNDS {
                work.choose(&mut sweeps, pass);
            }
        }
        work.finish(&mut sweeps);
        Ok(sweeps.dispatches)
    }

    /// The uniform of a piece.
    fn piece(&self, number: u32) -> Bound<'_> {
        let size = size_of::<Piece>() as u64;
        let offset = u64::from(number) * size;
        Bound { buffer: &self.pieces, offset, size: NonZeroU64::new(size) }
    }

    /// How many thresholds are looked for.
    fn marks(&self) -> u32 {
        (self.marks.size() / size_of::<Mark>() as u64) as u32
    }
}

/// What is done with the buffers on the stripes of the basis, and between.
struct Work<'a> {
    basis: &'a Basis,
    buffers: &'a Buffers,
}

impl Work<'_> {
    /// A kernel on the rows of every stripe, which take so many operations a pair in each portion.
    #[expect(clippy::too_many_arguments, reason = "a kernel with its bindings and what it costs")]
    fn rows(
        &self,
        sweeps: &Sweeps,
        label: &'static str,
        kernel: &Kernel,
        first: &wgpu::Buffer,
        others: &[Bound<'_>],
        operations: u64,
        portions: u32,
    ) -> Result<Sweep> {
        let matrix = &self.basis.matrix;
        let labels = matrix.list.as_ref().map_or(&matrix.queries.labels, |list| &list.kinds);
        let buffers = [first, labels, &matrix.other().labels, &matrix.distances];
        let most = u64::from(self.basis.stripes.stride) * operations;
        let cost_per_row = most * u64::from(portions);
        let load = Load { portions, ..Load::new(Grid::Rows, cost_per_row, most) };
        sweeps.sweep_with(label, kernel, &buffers, others, load)
    }

    /// Numbers the pairs that are the same, after their numbers in each row are known.
    fn number(&self, sweeps: &mut Sweeps) {
        let Buffers { offsets, pieces, found, .. } = self.buffers;
        let buffers = [offsets, pieces, found, &self.basis.sizes].map(Bound::all);
        let cost = u64::from(self.basis.stripes.height) * 4;
        sweeps.push("offsets", &kernels::offsets(), &buffers, 1, cost);
    }

    fn collect(&self, sweeps: &Sweeps, piece: u32) -> Result<Sweep> {
        let Buffers { offsets, keys, .. } = self.buffers;
        let others = [self.buffers.piece(piece), Bound::all(keys)];
        let kernel = kernels::collect();
        self.rows(sweeps, "collect", &kernel, offsets, &others, 2 * OPERATIONS_TO_LOOK, 1)
    }

    /// Sorts what was collected.
    fn sort(&self, sweeps: &mut Sweeps, piece: u32, capacity: u64) -> Result<()> {
        let Buffers { keys, sorted, order, counts, .. } = self.buffers;
        let sizes = self.buffers.piece(piece);
        let [operations, most] = OPERATIONS_PER_PLACE;
        for (kernel, buffers, count) in order.sorting(keys, capacity) {
            let bound: Vec<_> = buffers.map(Bound::all).into_iter().chain([sizes]).collect();
            let groups = Workgroups { count, most: BLOCK * most, cost: capacity * operations };
            sweeps.push_numbered("sort", &kernel, &bound, groups)?;
        }
        // The counts are not touched: they are in the place of those of a digit.
        let buffers = [keys, order.last(), counts, sorted].map(Bound::all);
        let bound: Vec<_> = buffers.into_iter().chain([sizes]).collect();
        let groups = Workgroups::for_values(capacity as u32, 2);
        sweeps.push_numbered("sorted", &kernels::sorted(), &bound, groups)
    }

    fn places(&self, sweeps: &Sweeps, piece: u32) -> Result<Sweep> {
        let Buffers { sorted, counts, tally, .. } = self.buffers;
        let others = [self.buffers.piece(piece), Bound::all(counts), Bound::all(tally)];
        let kernel = kernels::places();
        self.rows(sweeps, "places", &kernel, sorted, &others, OPERATIONS_TO_PLACE, 1)
    }

    fn best(&self, sweeps: &mut Sweeps, piece: u32) {
        let Buffers { sorted, counts, found, .. } = self.buffers;
        let [sorted_keys, counts, found] = [sorted, counts, found].map(Bound::all);
        let buffers = [self.buffers.piece(piece), sorted_keys, counts, found];
        sweeps.push("best", &kernels::best(), &buffers, 1, sorted.size() * 4);
    }

    fn digits(&self, sweeps: &Sweeps, round: u32) -> Result<Sweep> {
        let Buffers { marks, tally, .. } = self.buffers;
        // The first digit is the same for all.
        let portions = if round == 0 { 1 } else { self.buffers.marks() / Mark::AT_ONCE as u32 };
        let (kernel, others) = (kernels::digits(round), [Bound::all(tally)]);
        self.rows(sweeps, "digits", &kernel, marks, &others, OPERATIONS_TO_COUNT, portions)
    }

    fn choose(&self, sweeps: &mut Sweeps, round: u32) {
        let buffers = [&self.buffers.marks, &self.buffers.tally].map(Bound::all);
        let groups = self.buffers.marks();
        sweeps.push("choose", &kernels::choose(round), &buffers, groups, u64::from(groups) * 4096);
    }

    fn finish(&self, sweeps: &mut Sweeps) {
        let Buffers { tally, found, .. } = self.buffers;
        let buffers = [tally, found, &self.basis.matrix.state, &self.basis.sizes].map(Bound::all);
        sweeps.push("totals", &kernels::totals(), &buffers, 1, tally.size() / 4);
    }
}
