//! What a recording is made of and how long its stages take: sections, timestamps and listings.
//!
//! [`Record`](crate::Record) gives them for every plan.

pub use crate::gpu::{ListedKernel, Listing, Section, Stage, Timings};
