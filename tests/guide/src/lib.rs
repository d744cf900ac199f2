//! The guide is held against the library: its Rust examples are the tests of this package's
//! documentation, and its pictures are drawn here.

use std::path::PathBuf;

pub mod pictures;

/// The folder of the repository.
pub fn root() -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "..", ".."].iter().collect()
}

/// Makes the examples of each page tests.
macro_rules! examples_of {
    ($($page:ident: $path:literal),* $(,)?) => {
        $(
            #[doc = include_str!(concat!("../../../docs/", $path))]
            mod $page {}
        )*

        /// Every page of the book whose examples are tests, below `docs`.
        pub const PAGES: &[&str] = &[$($path),*];
    };
}
examples_of! {
    start: "guide/start.md",
    guest: "guide/guest.md",
    inputs: "guide/inputs.md",
    losses: "guide/losses.md",
    mining: "guide/mining.md",
    objectives: "guide/objectives.md",
    memory_bank: "guide/memory-bank.md",
    many: "guide/many.md",
    training: "guide/training.md",
    your_own: "guide/your-own.md",
    retrieval: "guide/retrieval.md",
    pytorch_metric_learning: "guide/pytorch-metric-learning.md",
    validate: "guide/validate.md",
    browser: "guide/browser.md",
    program: "guide/program.md",
    data: "internals/data.md",
    stripes: "internals/stripes.md",
    exceptions: "internals/exceptions.md",
    bounds: "internals/bounds.md",
    change: "internals/change.md",
}
