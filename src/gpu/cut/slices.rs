//! Slices of the summands of a gradient: where it has fewer tiles than a GPU has units, its summands
//! are cut, all slices are summed up at once, and then added up in their order.
//!
//! How long a slice is depends on the shape, and on whether the matrix is cut, alone: every GPU
//! comes to the same bits. Their sums take the stripe of distances, which nobody reads any more, and
//! which has room for them: `slices * rows * D <= rows * M`.

use crate::gpu::cut::stripes::LINK;
use crate::gpu::cut::tiles::TILE;

/// Workgroups that are enough for all units of a GPU: the largest have so many.
const ENOUGH: u64 = 128;

/// Fewer summands are added up in little more time than another kernel takes to begin.
const FEWEST: u64 = 512;

/// The shortest slices of a cut matrix, where there are always many.
const SHORTEST_OF_STRIPE: u64 = 512;

/// So much longer than D is a slice there: what it sums up is read and written once more, and takes
/// that part of a stripe of distances.
const DIMENSIONS_OF_STRIPE: u64 = 4;

/// Rows of more dimensions have tiles enough beside one another.
const MOST_DIMENSIONS: u64 = 4096;

/// How long the slices of a gradient of so many rows are, where one stripe is the whole matrix:
/// `None` where its tiles are enough, or its sums short.
pub(crate) fn slice_of_whole(rows: u64, dimensions: u64, summands: u64) -> Option<u32> {
    if summands < FEWEST {
        return None;
    }
    let tiles = rows.div_ceil(TILE.into()) * dimensions.div_ceil(TILE.into());
    let slices = ENOUGH.div_ceil(tiles).min(summands / dimensions).max(1);
    slice(summands.div_ceil(slices), summands)
}

/// The same of the rows of a stripe, however many these are.
pub(crate) fn slice_of_stripe(dimensions: u64, summands: u64) -> Option<u32> {
    if dimensions > MOST_DIMENSIONS {
        return None;
    }
    slice((DIMENSIONS_OF_STRIPE * dimensions).max(SHORTEST_OF_STRIPE), summands)
}

/// Whole links, which are never cut, of at least so many summands, where they are not all of these.
fn slice(least: u64, summands: u64) -> Option<u32> {
    let slice = least.next_multiple_of(LINK);
    (slice < summands).then_some(slice as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tiles_that_are_too_few_have_slices() {
        for ([rows, dimensions, summands], slice) in [
            ([512, 128, 512], Some(128)),
            ([1024, 128, 1024], Some(256)),
            ([2048, 128, 2048], Some(1024)),
            ([4096, 128, 4096], None),
            ([512, 512, 512], None),
            ([2048, 512, 2048], None),
            ([511, 4, 511], None),
            ([600, 4, 600], Some(64)),
            ([8192, 128, 100], None),
            ([100, 128, 8192], Some(256)),
        ] {
            let found = slice_of_whole(rows, dimensions, summands);
            assert_eq!(found, slice, "{rows} x {dimensions} of {summands}");
        }
        for ([dimensions, summands], slice) in [
            ([128, 8192], Some(512)),
            ([128, 512], None),
            ([65, 16_384], Some(512)),
            ([512, 8192], Some(2048)),
            ([513, 8192], Some(2112)),
            ([4097, 65_536], None),
        ] {
            let found = slice_of_stripe(dimensions, summands);
            assert_eq!(found, slice, "{dimensions} of {summands}");
        }
    }

    #[test]
    fn a_stripe_of_distances_has_room_for_them() {
        let sizes = [1, 3, 64, 100, 130, 300, 512, 1000, 2048, 5000, 20_000];
        for summands in sizes {
            for (rows, dimensions) in sizes.iter().flat_map(|&n| sizes.map(|d| (n, d))) {
                let of_whole = slice_of_whole(rows, dimensions, summands);
                for slice in [of_whole, slice_of_stripe(dimensions, summands)] {
                    let slices = slice.map_or(0, |slice| summands.div_ceil(slice.into()));
                    assert!(slices * dimensions <= summands, "{rows} x {dimensions}: {summands}");
                }
            }
        }
    }
}
