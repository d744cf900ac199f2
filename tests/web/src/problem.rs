//! What can be wrong with the page, or with what looks at it.

use std::io;
use std::path::PathBuf;

use browser::Trouble;
use serde_json::Value;

use crate::visits::{MOST_BYTES, SOON, STILL};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("usage: web-check CHROMIUM PAGE DIGITS [PICTURES], all but the first folders")]
    Usage,
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0} has no `{1}`, in whose place something was to be planted")]
    Edit(&'static str, &'static str),
    #[error("{wasm} has {size} bytes, of {MOST_BYTES} at most", wasm = wasm.display())]
    Large { wasm: PathBuf, size: u64 },
    #[error(transparent)]
    Browser(#[from] Trouble),
    #[error("no server: {0}")]
    Server(#[from] io::Error),
    #[error("`{condition}` did not come true; the page says {said}")]
    Never { condition: String, said: Value },
    #[error("the key Tab does not come to {name}, but to {reached:?}")]
    Unreached { name: String, reached: Vec<String> },
    #[error("the console says {0:?}")]
    Console(Vec<String>),
    #[error(
        "the first result came after {first:.0} ms, of {SOON} at most; a task of the page worked for {worked:.0} ms, of {STILL} at most"
    )]
    Slow { first: f64, worked: f64 },
    #[error("{task}: {found}")]
    Wrong { task: &'static str, found: Value },
    #[error("{}", .0.join("\n"))]
    Breaches(Vec<String>),
    #[error("{fault} was not caught; found was {found:?}")]
    Uncaught { fault: &'static str, found: Vec<String> },
}

pub(crate) type Result<T> = std::result::Result<T, Problem>;
