//! Tiles: how much of distances and gradients a workgroup computes.

use crate::data::shape::Shape;
use crate::names::named;

/// How large a tile is. A large one reads half as much for every number that it computes, but there
/// are a quarter as many, each with four times the registers: small batches do not fill a GPU with
/// them. The results are the same to the bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    /// 64 x 64: 4 x 4 numbers for each of 256 invocations.
    Small,
    /// 128 x 128: 8 x 8 numbers for each of 256 invocations.
    Large,
}

named! {
    /// Every tile.
    Tile, "tile":
    Small "small",
    Large "large",
}

impl Tile {
    /// Rows and columns.
    pub(crate) const fn side(self) -> u32 {
        match self {
            Self::Small => 64,
            Self::Large => 128,
        }
    }

    pub(crate) fn pairs(self) -> u64 {
        u64::from(self.side()).pow(2)
    }

    /// The large one where it is not mostly empty and there are enough of them for the adapter.
    fn usual([rows, columns]: [usize; 2], enough: usize) -> Self {
        let is_full = rows.min(columns) > Self::Small.side() as usize;
        let count = rows.div_ceil(Self::Large.side() as usize)
            * columns.div_ceil(Self::Large.side() as usize);
        if is_full && count >= enough { Self::Large } else { Self::Small }
    }
}

/// Rows and columns of a tile in `shaders/training/linear.wgsl`, and of a small one.
pub(crate) const TILE: u32 = Tile::Small.side();

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
/// | adapter | large tiles |
/// |---|---|
/// | software | 4 |
/// | integrated GPU | 128 |
/// | any other | 1,024 |
///
/// at least. The first line was measured on llvmpipe; the others, a few workgroups for each
/// processor of such adapters, were not.
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

    pub(crate) fn usual(shape: &Shape, enough: usize) -> Self {
        let [n, m, d] = [shape.queries(), shape.references(), shape.dimensions()];
        Self { distance: Tile::usual([n, m], enough), gradient: Tile::usual([n, d], enough) }
    }
}

/// How many large tiles fill an adapter.
pub(crate) fn enough(device: wgpu::DeviceType) -> usize {
    match device {
        wgpu::DeviceType::Cpu => 4,
        wgpu::DeviceType::IntegratedGpu => 128,
        _ => 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_tiles_are_for_what_fills_them() {
        use Tile::{Large, Small};
        for (shape, enough, distance, gradient) in [
            (Shape::batch(64, 512), 1, Small, Small),
            (Shape::batch(256, 64), 4, Large, Small),
            (Shape::batch(256, 128), 4, Large, Small),
            (Shape::batch(512, 128), 4, Large, Large),
            (Shape::reference(4096, 64, 256), 4, Small, Large),
            (Shape::batch(2048, 512), 1024, Small, Small),
            (Shape::batch(4096, 512), 1024, Large, Small),
            (Shape::batch(32_768, 512), 1024, Large, Large),
        ] {
            assert_eq!(
                Tiles::usual(&shape, enough),
                Tiles { distance, gradient },
                "{shape:?}, {enough}"
            );
        }
    }
}
