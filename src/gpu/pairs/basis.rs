//! What losses and measures stand on: inputs of one shape, and the matrix of their distances.

use crate::data::arithmetic::Arithmetic;
use crate::data::mode::Mode;
use crate::data::shape::Shape;
use crate::error::{Error, Result};
use crate::gpu::cut::loops::{ANCHORS_PER_DISPATCH, check_matrix, summands_per_dispatch};
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::stripes::{Kept, Stripes};
use crate::gpu::cut::tiles::TILE;
use crate::gpu::cut::tiles::{Tile, Tiles};
use crate::gpu::device::context::Context;
use crate::gpu::kernel::matrix::{MatrixKind, Summation};
use crate::gpu::pairs::matrix::Matrix;
use crate::gpu::pairs::sizes;
use crate::loss::Distance;
use crate::wgsl::terms::{Statistics, TermsKernel};

/// Inputs of one shape, and a stripe of their distances.
#[derive(Debug)]
pub(crate) struct Basis {
    pub context: Context,
    pub shape: Shape,
    pub distance: Distance,
    pub arithmetic: Arithmetic,
    /// Whether the kernels work on unit rows.
    pub on_unit_rows: bool,
    pub stripes: Stripes,
    pub tiles: Tiles,
    pub row_width: RowWidth,
    /// How many rows and pairs a recording has.
    pub sizes: wgpu::Buffer,
    pub matrix: Matrix,
}

impl Basis {
    /// `distance` is `None` in pointwise mode, which has no matrix.
    pub(crate) fn new(
        context: &Context,
        shape: Shape,
        distance: Option<Distance>,
        normalize: bool,
        kept: Kept,
        arithmetic: Arithmetic,
    ) -> Result<Self> {
        let Some(distance) = distance else { return Self::pointwise(context, shape) };
        let limits = context.device().limits();
        check_tiles(&shape, &limits)?;
        let is_expanded = arithmetic.expands(shape.mode(), distance);
        let budget = context.options().workspace_bytes;
        let stripes = Stripes::new(&shape, kept, budget, limits.max_storage_buffer_binding_size)?;
        let tiles = context.tiles_for(&shape, stripes.rows);
        check_matrix(&shape, distance, arithmetic, tiles.distance)?;
        Ok(Self {
            row_width: context.row_width_for(stripes.stride),
            context: context.clone(),
            shape,
            distance,
            arithmetic,
            on_unit_rows: is_on_unit_rows(&shape, distance, normalize),
            stripes,
            tiles,
            sizes: sizes::buffer(context, &shape)?,
            matrix: Matrix::new(context, &shape, &stripes, is_expanded)?,
        })
    }

    /// For distances that are ranked, of which nothing is kept but a stripe. Ranks are not to depend
    /// on how far distances are rounded: they are exact.
    pub(crate) fn of_ranks(
        context: &Context,
        shape: Shape,
        distance: Distance,
        normalize: bool,
    ) -> Result<Self> {
        Self::new(context, shape, Some(distance), normalize, Kept::Distance, Arithmetic::Exact)
    }

    /// The basis of the same rows with the columns of the matrix as its rows.
    pub(crate) fn turned(&self) -> Result<Self> {
        let Self { context, distance, .. } = self;
        let shape = self.shape.turned();
        let binding = context.device().limits().max_storage_buffer_binding_size;
        let matrix = &self.matrix;
        let stripes = Stripes::of_distances(&shape, matrix.distances.size(), binding)?;
        let tiles = context.tiles_for(&shape, stripes.rows);
        check_matrix(&shape, *distance, self.arithmetic, tiles.distance)?;
        Ok(Self {
            row_width: context.row_width_for(stripes.stride),
            context: context.clone(),
            shape,
            stripes,
            tiles,
            sizes: sizes::buffer(context, &shape)?,
            matrix: matrix.turned(context, &stripes)?,
            ..*self
        })
    }

    fn pointwise(context: &Context, shape: Shape) -> Result<Self> {
        Ok(Self {
            context: context.clone(),
            shape,
            distance: Distance::default(),
            arithmetic: Arithmetic::default(),
            on_unit_rows: false,
            stripes: Stripes::none(),
            tiles: Tiles::both(Tile::Small),
            row_width: RowWidth::Wide,
            sizes: sizes::buffer(context, &shape)?,
            matrix: Matrix::pointwise(context)?,
        })
    }

    /// What its kernels depend on.
    pub(crate) fn matrix_kind(&self) -> MatrixKind {
        MatrixKind { mode: self.shape.mode(), distance: self.distance, arithmetic: self.arithmetic }
    }

    /// Whether the gradients of a loss that is alone on it can be finished where they are summed
    /// up: one stripe of tiles is the whole matrix, a dispatch sums up all of a row, and the
    /// points are the rows themselves. Those of chosen pairs wait for all stripes anyway.
    pub(crate) fn finishes_at_once(&self, terms: &TermsKernel) -> bool {
        let most = if terms.chooses {
            ANCHORS_PER_DISPATCH
        } else {
            summands_per_dispatch(self.tiles.gradient, self.matrix_kind().is_expanded())
        };
        let is_summed_at_once = self.shape.references().max(self.shape.queries()) as u64 <= most;
        let is_known_at_last = terms.chooses || self.stripes.is_single();
        self.matrix_kind().is_tiled() && is_known_at_last && is_summed_at_once && !self.on_unit_rows
    }

    /// How the gradient of a loss with such terms is summed up, or what of it is by rows.
    pub(crate) fn summation(&self, terms: &TermsKernel) -> Summation {
        match (self.shape.mode(), terms.statistics) {
            (Mode::Batch, Statistics::Ends) => Summation::Triangle,
            (Mode::Batch, _) if terms.chooses => Summation::Joined,
            (Mode::Batch, _) if self.stripes.is_single() && !terms.symmetric => Summation::Joined,
            // By rows a stripe has too few tiles for a GPU, by columns it has those of all rows.
            (Mode::Batch, _) if terms.symmetric && !self.stripes.is_single() => Summation::Columns,
            _ => Summation::Rows,
        }
    }

    /// Whether a loss of this shape, distance and normalization can stand on it too.
    pub(crate) fn carries(
        &self,
        shape: &Shape,
        distance: Option<Distance>,
        normalize: bool,
    ) -> bool {
        let alike = |distance| {
            distance == self.distance
                && is_on_unit_rows(shape, distance, normalize) == self.on_unit_rows
        };
        *shape == self.shape && distance.is_none_or(alike)
    }
}

pub(crate) fn is_on_unit_rows(shape: &Shape, distance: Distance, normalize: bool) -> bool {
    shape.mode() != Mode::Scores && (normalize || distance.is_of_unit_rows())
}

/// The tiles of a stripe, and those of a gradient, are dispatched in two dimensions.
pub(crate) fn check_tiles(shape: &Shape, limits: &wgpu::Limits) -> Result<()> {
    // Scores have no tiles, and listed pairs and their gradients none of rows.
    let (rows, across) = match shape.mode() {
        Mode::Scores => (0, 0),
        _ if shape.listed() > 0 => (0, shape.dimensions()),
        _ => (shape.queries().max(shape.references()), shape.dimensions()),
    };
    let limit = limits.max_compute_workgroups_per_dimension.into();
    for (what, count) in
        [("a workgroup for every 64 rows", rows), ("a workgroup for every 64 dimensions", across)]
    {
        let needed = count.div_ceil(TILE as usize) as u64;
        if needed > limit {
            return Err(Error::DeviceLimit {
                what,
                needed,
                name: "maxComputeWorkgroupsPerDimension",
                limit,
            });
        }
    }
    Ok(())
}
