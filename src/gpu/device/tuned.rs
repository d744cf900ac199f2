//! The tiles that were measured to be the fastest.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::data::shape::Shape;
use crate::gpu::cut::tiles::Tiles;

/// What was measured: the tiles of shapes of about these sizes.
#[derive(Debug, Default)]
pub(crate) struct Tuned {
    found: Mutex<HashMap<[usize; 3], Tiles>>,
}

impl Tuned {
    /// Sizes up to the same powers of two are alike.
    fn key(shape: &Shape) -> [usize; 3] {
        [shape.queries(), shape.references(), shape.dimensions()].map(usize::next_power_of_two)
    }

    pub(crate) fn get(&self, shape: &Shape) -> Option<Tiles> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).get(&Self::key(shape)).copied()
    }

    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn set(&self, shape: &Shape, tiles: Tiles) {
        self.found.lock().unwrap_or_else(PoisonError::into_inner).insert(Self::key(shape), tiles);
    }

    /// Sets what was found, or forgets it.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn put(&self, shape: &Shape, tiles: Option<Tiles>) {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        match tiles {
            Some(tiles) => found.insert(Self::key(shape), tiles),
            None => found.remove(&Self::key(shape)),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::cut::tiles::Tile;

    #[test]
    fn shapes_of_about_the_same_sizes_share_what_was_found() {
        let tuned = Tuned::default();
        tuned.set(&Shape::batch(1000, 100), Tiles::both(Tile::Large));
        assert_eq!(tuned.get(&Shape::batch(600, 128)), Some(Tiles::both(Tile::Large)));
        assert_eq!(tuned.get(&Shape::batch(512, 128)), None);
        tuned.put(&Shape::batch(1000, 100), None);
        assert_eq!(tuned.get(&Shape::batch(600, 128)), None);
    }
}
