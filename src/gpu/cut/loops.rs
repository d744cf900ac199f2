//! How long the loops of the kernels may be. llvmpipe stops the loops of an invocation after 65,535
//! rounds in all, nested ones included, and says nothing: what would be longer is shared out among
//! dispatches, or is an error before anything is computed.

use crate::data::arithmetic::Arithmetic;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::tiles::{TILE, Tile};
use crate::loss::{Distance, Loss};
use crate::training::{Linear, Mlp};
use crate::wgsl::include::Shader;
use crate::wgsl::layout::BLOCK;
use crate::wgsl::terms::{Chunks, Walk};

/// Rounds of an invocation that grow with the inputs: 65,535 less those of reductions, scans, and
/// the ends of loops.
pub(crate) const MOST_ROUNDS: u64 = 65_000;

/// Columns or rows that `shaders/gradient/summation.wgsl` sums up in a dispatch: no more than take
/// a tile a tenth of a second on a software adapter. The sums are the same in however many
/// dispatches.
pub(crate) const SUMMANDS_PER_DISPATCH: u64 = 65_536;

/// The same in `shaders/gradient/expansion.wgsl`, with a round for each that is near.
pub(crate) const EXPANDED_SUMMANDS_PER_DISPATCH: u64 = 16_384;

/// How many summands a dispatch takes with tiles of this size.
pub(crate) fn summands_per_dispatch(tile: Tile, is_expanded: bool) -> u64 {
    if is_expanded {
        return EXPANDED_SUMMANDS_PER_DISPATCH;
    }
    let [rows, dimensions] = tile.of_gradient().map(|side| u64::from(side / TILE));
    SUMMANDS_PER_DISPATCH / rows / dimensions
}

/// Roughly how many arithmetic operations the chunks of one row's positives may take in a dispatch,
/// where only one thread of a software adapter works on them. A single chunk may take more.
pub(crate) const OPERATIONS_PER_CHUNKS: u64 = 1 << 28;

/// Places of a row that `shaders/gradient/listed.wgsl` sums up in a dispatch: 30,720 rounds of 16,
/// also some tenth of a second there.
pub(crate) const PLACES_PER_DISPATCH: u64 = 491_520;

/// Anchors that `shaders/gradient/chosen.wgsl` takes in a dispatch: a round for each of them that
/// has chosen the same row, and some more for every 32.
pub(crate) const ANCHORS_PER_DISPATCH: u64 = 8_192;

/// Invocations that share a row of values, or the rows of a batch.
pub(crate) const WORKGROUP: u64 = RowWidth::Wide.invocations() as u64;

/// Loops over something that is not shared out among dispatches.
pub(crate) struct Loops {
    kernel: &'static str,
    what: &'static str,
    /// How many of them a round takes, all invocations together.
    step: u64,
    /// Rounds for every step.
    rounds: u64,
}

pub(crate) const PREPARE_ROWS: Loops =
    Loops { kernel: "prepare/rows", what: "dimensions", step: 32, rounds: 3 };

/// The loops over 64 dimensions. A tile of 64 takes 16 at a time, one of 128 takes 8. At worst all
/// pairs of an invocation are near, in the Euclidean distance or an expanded one, and are read
/// twice.
const fn distance_pairwise(tile: Tile, has_near_pairs: bool) -> Loops {
    let side = tile.of_distances() as u64;
    let steps = 64 * side / (16 * TILE as u64);
    let near = if has_near_pairs { 2 * side * side / WORKGROUP } else { 0 };
    Loops { kernel: "distance/pairwise", what: "dimensions", step: 64, rounds: steps + near }
}

/// Whether the loops of a tile get through so many dimensions, even if all of its pairs are near.
pub(crate) const fn fits_near_pairs(tile: Tile, dimensions: u64) -> bool {
    dimensions <= distance_pairwise(tile, true).limit()
}

/// The same with cooperative matrices, of which a tile has 8 x 8.
const fn distance_cooperative(side: u32) -> Loops {
    let side = side as u64;
    let near = 2 * (8 * side) * (8 * side) / WORKGROUP;
    Loops { kernel: "distance/cooperative", what: "dimensions", step: 64, rounds: 64 / side + near }
}

const DISTANCE_LISTED: Loops =
    Loops { kernel: "distance/listed", what: "dimensions", step: 64, rounds: 2 };

const FINISH_GRADIENT: Loops =
    Loops { kernel: "finish/gradient", what: "dimensions", step: 32, rounds: 2 };

/// `finish/learned` and `measures/totals` have the same loops.
const FINISH_TOTALS: Loops =
    Loops { kernel: "finish/totals", what: "rows", step: WORKGROUP, rounds: 1 };

/// A list has two places for each of its pairs; an invocation sums up a digit of all blocks.
const INCIDENCE_SCAN: Loops =
    Loops { kernel: "incidence/scan", what: "places of the list", step: BLOCK, rounds: 2 };

const VERIFICATION_OFFSETS: Loops =
    Loops { kernel: "verification/offsets", what: "rows", step: WORKGROUP, rounds: 2 };

const LINEAR_FORWARD: Loops =
    Loops { kernel: "training/linear", what: "dimensions", step: 16, rounds: 1 };

const LINEAR_BACKWARD: Loops = Loops { what: "rows", ..LINEAR_FORWARD };

impl Loops {
    const fn of_row(kernel: &'static str, rounds: u64, width: RowWidth) -> Self {
        Self { kernel, what: "columns", step: width.invocations() as u64, rounds }
    }

    /// The most that no loop is too long for.
    const fn limit(&self) -> u64 {
        MOST_ROUNDS / self.rounds * self.step
    }

    fn check(&self, count: u64) -> Result<()> {
        let Self { kernel, what, .. } = *self;
        if count <= self.limit() {
            return Ok(());
        }
        Err(Error::TooLong { kernel, what, count, limit: self.limit() })
    }
}

/// The number of dispatches in which `count` are worked on, with a portion of them in each.
pub(crate) fn portions_of(count: u64, portion: Option<u64>) -> u32 {
    portion.map_or(1, |portion| count.div_ceil(portion)) as u32
}

/// Checks the loops that every loss and measure on a matrix of this shape has, with distances in
/// such tiles, by this arithmetic.
pub(crate) fn check_matrix(
    shape: &Shape,
    distance: Distance,
    arithmetic: Arithmetic,
    tile: Tile,
) -> Result<()> {
    let dimensions = shape.dimensions() as u64;
    PREPARE_ROWS.check(dimensions)?;
    FINISH_GRADIENT.check(dimensions)?;
    FINISH_TOTALS.check(shape.queries() as u64)?;
    match shape.mode() {
        Mode::Scores => Ok(()),
        _ if shape.listed() > 0 => {
            let sorted = match shape.mode() {
                Mode::PairRows => 0,
                Mode::ScoredPairRows => shape.pairs(),
                _ => 2 * shape.pairs(),
            };
            INCIDENCE_SCAN.check(sorted)?;
            DISTANCE_LISTED.check(dimensions)
        }
        _ => {
            let is_expanded = arithmetic.expands(shape.mode(), distance);
            let has_near_pairs = is_expanded || distance == Distance::Euclidean;
            match arithmetic.matrix_side().filter(|_| is_expanded) {
                Some(side) => distance_cooperative(side).check(dimensions),
                None => distance_pairwise(tile, has_near_pairs).check(dimensions),
            }
        }
    }
}

/// Checks the loops of searching the columns of a row, by up to eight digits and once more.
pub(crate) fn check_search(columns: u64) -> Result<()> {
    Loops::of_row("search/nearest", 9, RowWidth::Wide).check(columns)
}

/// Checks the loops of verification over the rows of a matrix, or of a list.
pub(crate) fn check_verification(columns: u64, rows: u64) -> Result<()> {
    Loops::of_row("verification/collect", 2, RowWidth::Wide).check(columns)?;
    VERIFICATION_OFFSETS.check(rows)
}

/// Checks the loops of a pointwise loss over so many rows of values.
pub(crate) fn check_pointwise(loss: &Loss, shape: &Shape, rows: u32) -> Result<()> {
    FINISH_TOTALS.check(rows.into())?;
    if !loss.has_per_anchor(shape) {
        return Ok(());
    }
    let terms = loss.description().terms_kernel();
    Loops::of_row(terms.shader.path, terms.walk.reads, RowWidth::Wide)
        .check(shape.dimensions() as u64)
}

/// Checks the sums of a linear projection, both ways.
pub(crate) fn check_linear(linear: &Linear) -> Result<()> {
    LINEAR_FORWARD.check(linear.inputs as u64)?;
    LINEAR_BACKWARD.check(linear.rows as u64)
}

/// Checks the sums of a perceptron over so many rows, all ways.
pub(crate) fn check_mlp(mlp: &Mlp, rows: usize) -> Result<()> {
    LINEAR_BACKWARD.check(rows as u64)?;
    for layer in mlp.layers() {
        LINEAR_FORWARD.check(layer.inputs as u64 + 1)?;
        LINEAR_FORWARD.check(layer.outputs as u64)?;
    }
    Ok(())
}

/// How many positives of a row a dispatch of the kernel takes: `None` where it takes any number at
/// once. An error where the rows of the shape are too long for a single chunk of them.
pub(crate) fn positives_per_dispatch(
    shader: Shader,
    walk: &Walk,
    shape: &Shape,
    width: RowWidth,
) -> Result<Option<u64>> {
    // The rows of a list are always short.
    if shape.listed() > 0 {
        return Ok(None);
    }
    let columns = shape.references() as u64;
    let Some(Chunks { size, most, reads, rounds, operations }) = walk.chunks else {
        return Loops::of_row(shader.path, walk.reads, width).check(columns).map(|()| None);
    };
    let invocations = u64::from(width.invocations());
    let read = columns.div_ceil(invocations);
    // Those of a chunk are counted for 256 invocations.
    let rounds = rounds * WORKGROUP / invocations;
    let fitting = MOST_ROUNDS.saturating_sub(walk.reads * read) / (reads * read + rounds);
    if fitting == 0 {
        let limit = (MOST_ROUNDS - rounds) / (walk.reads + reads) * invocations;
        return Err(Error::TooLong { kernel: shader.path, what: "columns", count: columns, limit });
    }
    let quick = (OPERATIONS_PER_CHUNKS / (operations * columns)).max(1);
    Ok(Some(fitting.min(most).min(quick) * size))
}
