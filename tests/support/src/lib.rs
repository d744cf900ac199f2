//! What the tests and the fuzz targets share.

pub mod adapters;
pub mod agreement;
pub mod bits;
pub mod buffers;
pub mod changed;
pub mod fuzz;
pub mod goldens;
pub mod losses;
pub mod ranking;
pub mod sample;
pub mod sharded;
