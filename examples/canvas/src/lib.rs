//! What the example applications draw with, and what they draw on: a window, or a picture without
//! one.
//!
//! An application is a [`Scene`]; [`run`] shows it. Both ways make their frames by the same code: a
//! picture is what the window shows. Without the feature `window` the points are left, and what is
//! drawn on is the caller's.

mod error;
mod gpu;
mod palette;
mod pass;
mod points;
mod random;
#[cfg(feature = "window")]
mod scene;

pub use error::{Error, Result};
pub use gpu::Gpu;
pub use palette::PALETTE;
pub use pass::{begin, depth};
pub use points::{Camera, Points, Sight, Sources};
pub use random::Random;
#[cfg(feature = "window")]
pub use scene::{Arguments, GROUND, Scene, caption, run};
