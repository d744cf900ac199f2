//! What several tests share; each uses a part of it.
#![allow(dead_code)]

pub mod goldens;
