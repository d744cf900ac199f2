//! What needs no device: the reference, the errors of the host, and rules that the sources keep.

mod any_bytes;
mod bounds;
mod errors;
mod flushing;
mod goldens;
mod lists;
mod measures;
mod rooms;
mod training;
mod unsafe_code;

use std::fs;
use std::path::{Path, PathBuf};

/// Every file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let paths =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
