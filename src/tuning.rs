//! How kernels are run, for those who measure: tiles, widths of rows, tiers and run-time checks.
//!
//! Each is a choice of [`Options`](crate::Options), which takes the usual one where none is made.

pub use crate::gpu::{Checks, RowWidth, Tier, Tile, Tiles};
