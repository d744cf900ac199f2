//! Files that a visitor has: embeddings, their labels, something else, and what the page saves.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::page::SHORT;
use crate::problem::{Problem, Result};

/// A folder of them, which goes with this value.
pub(crate) struct Files {
    pub(crate) folder: PathBuf,
    pub(crate) embeddings: String,
    pub(crate) labels: String,
    /// No array at all.
    pub(crate) wrong: String,
    /// 12.8 MB and 25.6 MB of embeddings.
    pub(crate) large: [String; 2],
}

impl Files {
    /// The first 300 of the digits.
    pub(crate) fn write(digits: &Path) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("visitor-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| Problem::File(folder.clone(), error))?;
        let write = |name: &str, contents: Vec<u8>| -> Result<String> {
            let path = folder.join(name);
            fs::write(&path, contents).map_err(|error| Problem::File(path.clone(), error))?;
            Ok(path.to_string_lossy().into_owned())
        };
        let first = |name: &str, bytes_of_row| {
            let path = digits.join(name);
            let whole = fs::read(&path).map_err(|error| Problem::File(path, error))?;
            write(name, first_rows(whole, bytes_of_row))
        };
        Ok(Self {
            embeddings: first("digits.npy", 256)?,
            labels: first("digits-labels.npy", 4)?,
            wrong: write("wrong.npy", b"no array at all".to_vec())?,
            large: [write("large.npy", zeros(100_000))?, write("larger.npy", zeros(200_000))?],
            folder,
        })
    }

    /// Waits for a file that the page saves; what is in it.
    pub(crate) fn saved(&self, name: &str) -> Result<Value> {
        let path = self.folder.join(name);
        let end = Instant::now() + SHORT;
        loop {
            let contents = fs::read(&path);
            match contents.map(|contents| serde_json::from_slice(&contents)) {
                Ok(Ok(report)) => return Ok(report),
                // It is not there yet, or not whole.
                _ if Instant::now() < end => thread::sleep(Duration::from_millis(20)),
                Ok(Err(error)) => return Err(Problem::File(path, error.into())),
                Err(error) => return Err(Problem::File(path, error)),
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What is left harms nobody.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Of an array of 1797 rows, of which its header tells in as many letters, the first 300.
fn first_rows(mut array: Vec<u8>, bytes_of_row: usize) -> Vec<u8> {
    let begin = 10 + usize::from(u16::from_le_bytes([array[8], array[9]]));
    let header = String::from_utf8_lossy(&array[10..begin]).replace("1797", " 300");
    array[10..begin].copy_from_slice(header.as_bytes());
    array.truncate(begin + 300 * bytes_of_row);
    array
}

/// Rows of 32 zeros, of which there are six digits.
fn zeros(rows: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({rows}, 32), }}");
    let header = format!("{header:<117}\n");
    let begin = [b"\x93NUMPY\x01\x00", &118_u16.to_le_bytes()[..], header.as_bytes()].concat();
    [begin, vec![0; rows * 32 * 4]].concat()
}
