//! What becomes of any bytes: `fuzz/` tries them without end, the tests a bounded number of them.

pub mod bytes;
pub mod host;
pub mod parsers;
pub mod program;
pub mod source;
