//! The contexts that cases take turns on.

use wgpu_metric_learning::tuning::{RowWidth, Tile, Tiles};
use wgpu_metric_learning::{Context, Result};

/// A context for each tile with each width of a row, so that all are held against the reference,
/// whichever the library picks.
pub(super) fn of_each_size(context: &Context) -> Result<Vec<Context>> {
    let sizes = Tile::ALL.into_iter().flat_map(|tile| RowWidth::ALL.map(|width| (tile, width)));
    let of = |(tile, width)| {
        let options = context.options().clone().with_tiles(Tiles::both(tile)).with_row_width(width);
        context.with_options(options)
    };
    sizes.map(of).collect()
}

/// Whose turn it is: no period of the cases goes along with it.
pub(super) fn turn(case: usize) -> usize {
    case.count_ones() as usize
}
