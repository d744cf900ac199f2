//! Tiles: how much of distances and gradients a workgroup computes.

use crate::data::shape::Shape;
use crate::gpu::cut::loops::fits_near_pairs;
use crate::names::named;

/// How large a tile is, of distances (rows x columns) and of a gradient (rows x dimensions), for
/// 256 invocations. A larger one reads less for every number that it computes, but there are fewer,
/// each with more registers: small batches do not fill a GPU with them. The results are the same to
/// the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    /// 64 x 64 of both: 4 x 4 numbers for each invocation.
    Small,
    /// 128 x 128 distances, 8 x 8 for each invocation, and 64 x 128 of a gradient, 4 x 8 for each:
    /// of that a GPU has to hold the points and the sums of two levels in registers.
    Wide,
    /// 128 x 128 of both: 8 x 8 for each invocation. For a gradient they are more than a GPU has
    /// registers for; software adapters have none.
    Large,
}

named! {
    /// Every tile.
    Tile, "tile":
    Small "small",
    Wide "wide",
    Large "large",
}

impl Tile {
    /// Rows, and columns, of distances.
    pub const fn of_distances(self) -> u32 {
        match self {
            Self::Small => 64,
            Self::Wide | Self::Large => 128,
        }
    }

    /// Rows and dimensions of a gradient.
    pub const fn of_gradient(self) -> [u32; 2] {
        match self {
            Self::Small => [64, 64],
            Self::Wide => [64, 128],
            Self::Large => [128, 128],
        }
    }

    /// This one where it is not mostly empty and there are enough for the adapter of tiles of
    /// this size, else the small one.
    fn if_filled(self, size: [u32; 2], extent: [usize; 2], enough: usize) -> Self {
        let [rows, columns] = extent;
        let is_full = rows.min(columns) > TILE as usize;
        let count = rows.div_ceil(size[0] as usize) * columns.div_ceil(size[1] as usize);
        if is_full && count >= enough { self } else { Self::Small }
    }
}

/// Rows and columns of a tile in `shaders/training/linear.wgsl`, and of a small one.
pub(crate) const TILE: u32 = Tile::Small.of_distances();

/// Numbers that a workgroup of such a tile works on.
pub(crate) const PAIRS_PER_TILE: u64 = (TILE * TILE) as u64;

/// The tiles of a plan over all pairs of a batch, or of rows with references or prototypes. Other
/// modes have none.
///
/// [`Options::tiles`](crate::Options::tiles) chooses them, else what
/// [`Context::autotune`](crate::Context::autotune) has found for such a shape. Where neither is
/// there, the tiles are large if both sides of what is computed (N x M distances, N x D gradients)
/// are more than 64 and if there are
///
/// | adapter | tiles | at least |
/// |---|---|---|
/// | software | large | 4 |
/// | integrated GPU | wide | 128 |
/// | any other | wide | 1,024 |
///
/// of them; on GPUs those of a gradient are counted in the rows of a stripe alone, which are what a
/// dispatch by rows has. The first line was measured on llvmpipe; the others, a few workgroups for
/// each processor of such adapters, were not. Distances of rows of more than 30,528 dimensions are
/// always taken in small tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Tiles {
    /// The tiles of distances: queries x references.
    pub distance: Tile,
    /// The tiles of gradients: rows x dimensions.
    pub gradient: Tile,
}

impl Tiles {
    /// The same tile for distances and gradients.
    pub const fn both(tile: Tile) -> Self {
        Self { distance: tile, gradient: tile }
    }

    /// Those of an adapter of this type, for stripes of so many rows: a dispatch of a gradient by
    /// rows has no more of them.
    pub(crate) fn usual(shape: &Shape, rows: u32, device: wgpu::DeviceType) -> Self {
        let (tile, enough) = match device {
            wgpu::DeviceType::Cpu => (Tile::Large, 4),
            wgpu::DeviceType::IntegratedGpu => (Tile::Wide, 128),
            _ => (Tile::Wide, 1024),
        };
        let [n, m, d] = [shape.queries(), shape.references(), shape.dimensions()];
        let rows = if device == wgpu::DeviceType::Cpu { n } else { n.min(rows as usize) };
        Self {
            distance: tile.if_filled([tile.of_distances(); 2], [n, m], enough),
            gradient: tile.if_filled(tile.of_gradient(), [rows, d], enough),
        }
    }

    /// These, but a small one of distances where rows are too long for another: all pairs of an
    /// invocation may be near, and the loops over these are in one invocation.
    pub(crate) fn that_fit(self, shape: &Shape) -> Self {
        let fits = fits_near_pairs(self.distance, shape.dimensions() as u64);
        Self { distance: if fits { self.distance } else { Tile::Small }, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_tiles_are_for_what_fills_them() {
        use Tile::{Large, Small, Wide};
        use wgpu::DeviceType::{Cpu, DiscreteGpu, IntegratedGpu};
        for (shape, rows, device, distance, gradient) in [
            (Shape::batch(64, 512), 64, Cpu, Small, Small),
            (Shape::batch(256, 64), 256, Cpu, Large, Small),
            (Shape::batch(256, 128), 256, Cpu, Large, Small),
            (Shape::batch(512, 128), 512, Cpu, Large, Large),
            (Shape::batch(512, 128), 16, Cpu, Large, Large),
            (Shape::reference(4096, 64, 256), 4096, Cpu, Small, Large),
            (Shape::batch(4096, 128), 4096, IntegratedGpu, Wide, Small),
            (Shape::batch(4096, 256), 4096, IntegratedGpu, Wide, Wide),
            (Shape::batch(4096, 256), 1024, IntegratedGpu, Wide, Small),
            (Shape::batch(2048, 512), 2048, DiscreteGpu, Small, Small),
            (Shape::batch(4096, 512), 1024, DiscreteGpu, Wide, Small),
            (Shape::batch(16_384, 512), 16_384, DiscreteGpu, Wide, Wide),
            (Shape::batch(16_384, 512), 256, DiscreteGpu, Wide, Small),
        ] {
            assert_eq!(
                Tiles::usual(&shape, rows, device),
                Tiles { distance, gradient },
                "{shape:?} in stripes of {rows}, {device:?}"
            );
        }
    }

    #[test]
    fn long_rows_have_small_tiles_of_distances() {
        for tile in Tile::ALL {
            for (dimensions, distance) in [(30_528, tile), (30_529, Tile::Small)] {
                let fitting = Tiles::both(tile).that_fit(&Shape::batch(200, dimensions));
                assert_eq!(fitting, Tiles { distance, gradient: tile });
            }
        }
    }
}
