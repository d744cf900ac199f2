//! The kernels of a matrix of pairs: distances, terms, and gradients in tiles or of chosen pairs.

use crate::data::arithmetic::Arithmetic;
use crate::data::mode::Mode;
use crate::gpu::cut::row_width::RowWidth;
use crate::gpu::cut::tiles::Tile;
use crate::gpu::kernel::Kernel;
use crate::gpu::kernel::catalogue::{STATISTICS, kernel, portion_constant};
use crate::gpu::kernel::interface::Interface;
use crate::loss::Distance;
use crate::names::every;
use crate::wgsl::include::shader;
use crate::wgsl::terms::{Statistics, TermsKernel, WEIGHTED};

/// The N x M matrix, or the list of pairs, as far as kernels depend on it.
#[derive(Clone, Copy)]
pub(crate) struct MatrixKind {
    pub mode: Mode,
    pub distance: Distance,
    pub arithmetic: Arithmetic,
}

impl MatrixKind {
    /// Those that differ by the arithmetic, where it matters.
    pub(crate) fn of(mode: Mode, distance: Distance) -> impl Iterator<Item = Self> {
        let of = move |arithmetic| Self { mode, distance, arithmetic };
        Arithmetic::ALL
            .into_iter()
            .map(of)
            .filter(|kind| kind.arithmetic == Arithmetic::Exact || kind.is_expanded())
    }

    /// Whether its distances are computed from squared norms and inner products.
    pub(crate) fn is_expanded(self) -> bool {
        self.arithmetic.expands(self.mode, self.distance)
    }

    /// The squared norms that expanded distances need.
    pub(crate) fn prepare_squares(self) -> Option<Kernel> {
        let shader = shader!("prepare/squares.wgsl");
        self.is_expanded().then(|| kernel(Interface::PrepareSquares, shader, self.constants()))
    }

    /// The number that `shaders/shared/distance.wgsl` has for the distance, or for scores.
    fn number(self) -> f64 {
        let is_scores = self.mode == Mode::Scores;
        f64::from(if is_scores { Distance::ALL.len() as u32 } else { self.distance as u32 })
    }

    fn constants(self) -> Vec<(&'static str, f64)> {
        vec![("DISTANCE", self.number())]
    }

    /// Whether it is all of a matrix whose distances and gradients are worked on in tiles.
    pub(crate) fn is_tiled(self) -> bool {
        self.mode.has_tiles()
    }

    /// Rows, and columns, of the cooperative matrices that its distances come from.
    fn matrix_side(self) -> Option<u32> {
        self.arithmetic.matrix_side().filter(|_| self.is_expanded())
    }

    /// Rows, and columns, of a tile of distances: 8 x 8 cooperative matrices make one.
    pub(crate) fn distance_tile(self, tile: Tile) -> u32 {
        self.matrix_side().map_or(tile.of_distances(), |side| 8 * side)
    }

    /// The tile matters where there are any.
    pub(crate) fn distances(self, tile: Tile) -> Kernel {
        if self.is_tiled() {
            let mut constants = self.constants();
            let shader = match self.matrix_side() {
                None => {
                    constants.push(("TILE", tile.of_distances().into()));
                    shader!("distance/pairwise.wgsl")
                }
                Some(8) => shader!("distance/cooperative8.wgsl"),
                Some(_) => shader!("distance/cooperative16.wgsl"),
            };
            if self.is_expanded() {
                constants.push(("EXPANDED", 1.0));
            }
            return kernel(Interface::Distance, shader, constants);
        }
        if self.mode == Mode::Scores {
            return kernel(Interface::Distance, shader!("distance/scores.wgsl"), Vec::new());
        }
        let mut constants = self.constants();
        constants.push(("ROW_ALIGNED", self.mode.is_row_aligned().into()));
        kernel(Interface::Distance, shader!("distance/listed.wgsl"), constants)
    }

    pub(crate) fn terms(
        self,
        terms: &TermsKernel,
        entry: &'static str,
        portion: Option<u64>,
        width: RowWidth,
    ) -> Kernel {
        let mut constants = terms.constants.clone();
        // Of what comes before the terms only sums over columns have terms in them.
        if entry == STATISTICS && !terms.statistics.has_columns() {
            constants.retain(|(name, _)| *name != WEIGHTED);
        }
        constants.push(("WORKGROUP", width.invocations().into()));
        constants.extend(portion_constant(portion));
        constants.extend(self.constants());
        Kernel { entry, ..kernel(Interface::Terms, terms.shader, constants) }
    }

    /// Leaves out anchors whose term is not within thresholds, after such a kernel of single rows or
    /// between the statistics and the coefficients of both ends.
    pub(crate) fn within(self, by_statistics: bool, width: RowWidth) -> Kernel {
        let constants = vec![
            ("WORKGROUP", width.invocations().into()),
            ("BY_STATISTICS", by_statistics.into()),
        ];
        kernel(Interface::Terms, shader!("terms/within.wgsl"), constants)
    }

    /// Gives the terms of anchors their weights, after such a kernel of single rows.
    pub(crate) fn weigh(self, terms: &TermsKernel, width: RowWidth) -> Kernel {
        let mut constants = vec![("WORKGROUP", width.invocations().into())];
        if terms.chooses {
            return kernel(Interface::Terms, shader!("terms/weigh_choices.wgsl"), constants);
        }
        let is_symmetric = terms.symmetric && self.mode == Mode::Batch;
        constants.push(("SYMMETRIC", is_symmetric.into()));
        kernel(Interface::Terms, shader!("terms/weigh.wgsl"), constants)
    }

    /// The gradient of scores, or of listed or row-aligned pairs.
    pub(crate) fn gradient(self) -> Kernel {
        match self.mode {
            Mode::Scores => {
                kernel(Interface::Gradient, shader!("gradient/scores.wgsl"), Vec::new())
            }
            _ if self.mode.is_row_aligned() => {
                kernel(Interface::Gradient, shader!("gradient/aligned.wgsl"), self.constants())
            }
            _ => kernel(Interface::Gradient, shader!("gradient/listed.wgsl"), self.constants()),
        }
    }

    /// Rows and dimensions of a tile of the gradient; of an expanded one no more than 64 rows,
    /// whose marks of near pairs take the rest of workgroup memory.
    pub(crate) fn gradient_tile(self, tile: Tile) -> [u32; 2] {
        match tile {
            Tile::Large if self.is_expanded() => Tile::Wide.of_gradient(),
            _ => tile.of_gradient(),
        }
    }

    /// The gradient of all pairs of a matrix, in tiles.
    pub(crate) fn tiled_gradient(self, summation: Summation, tile: Tile) -> Kernel {
        use Summation::{Columns, EarlierRows, Joined, Triangle};
        let mut constants = self.constants();
        constants.push(("TRANSPOSED", matches!(summation, Columns | EarlierRows).into()));
        constants.push(("TRIANGLE", matches!(summation, Triangle | EarlierRows).into()));
        constants.push(("JOINED", (summation == Joined).into()));
        let [rows, dimensions] = self.gradient_tile(tile);
        constants.push(("TILE_ROWS", rows.into()));
        constants.push(("TILE_DIMENSIONS", dimensions.into()));
        let shader = if self.is_expanded() {
            shader!("gradient/expanded.wgsl")
        } else {
            shader!("gradient/pairwise.wgsl")
        };
        kernel(Interface::Gradient, shader, constants)
    }

    /// The gradient of the pairs that anchors have chosen: for the anchors, for the chosen rows, or
    /// for both at once.
    pub(crate) fn chosen_gradient(self, summation: Summation) -> Kernel {
        let mut constants = self.constants();
        constants.push(("OWN", (summation != Summation::Columns).into()));
        constants.push(("CHOSEN", (summation != Summation::Rows).into()));
        kernel(Interface::Gradient, shader!("gradient/chosen.wgsl"), constants)
    }

    /// The gradient of chosen pairs, scaled in the same kernel. Used when a plan has one loss and
    /// its points are the raw rows.
    pub(crate) fn finished_chosen_gradient(self, summation: Summation) -> Kernel {
        let shader = shader!("gradient/finished_chosen.wgsl");
        Kernel { interface: Interface::FinishedGradient, shader, ..self.chosen_gradient(summation) }
    }

    /// The gradient of all pairs in tiles, scaled in the same kernel. Used when a plan has one
    /// loss, one stripe, and points that are the raw rows.
    pub(crate) fn finished_gradient(
        self,
        summation: Summation,
        tile: Tile,
        terms: &TermsKernel,
    ) -> Kernel {
        let mut kernel = self.tiled_gradient(summation, tile);
        let split = terms.statistics == Statistics::Totals;
        kernel.constants.push(("SPLIT_MEAN", split.into()));
        let shader = if self.is_expanded() {
            shader!("gradient/finished_expanded.wgsl")
        } else {
            shader!("gradient/finished.wgsl")
        };
        Kernel { interface: Interface::FinishedGradient, shader, ..kernel }
    }
}

/// Which pairs of a stripe a gradient sums up, and for which of their rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Summation {
    /// The gradient of the stripe's rows, from all pairs.
    Rows,
    /// The gradient of the columns, from all pairs.
    Columns,
    /// The gradient of rows and columns at once, from all pairs of a whole batch.
    Joined,
    /// The pairs with columns up to the stripe's own end, for the stripe's rows.
    Triangle,
    /// The pairs with the rows before the stripe, for these rows.
    EarlierRows,
}

impl Summation {
    /// Whether a loss with such terms ever takes it, as one stripe or as several.
    pub(super) fn is_taken(self, mode: Mode, terms: &TermsKernel) -> bool {
        let is_batch = mode == Mode::Batch;
        if is_batch && terms.statistics == Statistics::Ends {
            return matches!(self, Self::Triangle | Self::EarlierRows);
        }
        match self {
            Self::Rows | Self::Columns => true,
            Self::Joined => is_batch && !terms.symmetric,
            Self::Triangle | Self::EarlierRows => false,
        }
    }

    /// Those that may be cut into slices; joined ones are added up as those by rows are.
    pub(super) const SLICED: [Self; 3] = [Self::Rows, Self::Columns, Self::Triangle];

    /// Adds up slices of it, and scales them where they are finished at once.
    pub(crate) fn sum_of_slices(self, is_finished: bool) -> Kernel {
        let constants = vec![
            ("TRANSPOSED", (self == Self::Columns).into()),
            ("TRIANGLE", (self == Self::Triangle).into()),
        ];
        match is_finished {
            true => {
                let shader = shader!("gradient/finished_slices.wgsl");
                kernel(Interface::FinishedGradient, shader, constants)
            }
            false => kernel(Interface::Gradient, shader!("gradient/slices.wgsl"), constants),
        }
    }

    /// Whether it may be all of a gradient that is finished where it is summed up: a batch with
    /// symmetric coefficients takes columns only where it is cut.
    pub(super) fn is_finished_at_once(self, mode: Mode, terms: &TermsKernel) -> bool {
        self != Self::Columns || mode != Mode::Batch || !terms.symmetric
    }
}

every! {
    /// Every choice of pairs.
    pub(super) Summation: Rows, Columns, Joined, Triangle, EarlierRows
}
