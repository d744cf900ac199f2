//! Which tile of pairs a workgroup computes the distances of.

use super::context::Context;
use crate::shape::Shape;

/// Rows and columns of a tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tile {
    /// 64.
    Small,
    /// 128.
    Large,
}

impl Tile {
    /// Every tile.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    pub(crate) fn side(self) -> u32 {
        match self {
            Self::Small => 64,
            Self::Large => 128,
        }
    }

    pub(crate) fn pairs(self) -> u64 {
        u64::from(self.side()).pow(2)
    }

    pub(crate) fn of(_context: &Context, _shape: &Shape) -> Self {
        if std::env::var("TILE_LARGE").is_ok() { Self::Large } else { Self::Small }
    }
}
