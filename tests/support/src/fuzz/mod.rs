//! What becomes of any bytes: `fuzz/` tries them without end, `tests/fuzz/` a bounded number of
//! them.

pub mod host;
pub mod parsers;
pub mod program;
pub mod source;
