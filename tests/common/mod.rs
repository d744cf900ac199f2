//! What several tests share; each uses a part of it.
#![allow(dead_code)]

pub mod adapters;
pub mod agreement;
pub mod bits;
pub mod goldens;
pub mod losses;
pub mod sample;
