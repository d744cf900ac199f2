//! The part of a file that a rank reads: some rows of a `.npy` array.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::ops::Range;
use std::path::Path;

use npyz::{Deserialize, NpyFile, Order};

const DIGITS: &[u8] = include_bytes!("../data/digits.npy");
const DIGIT_LABELS: &[u8] = include_bytes!("../data/digits-labels.npy");

/// What can be read in parts.
trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// An array of rows, in a file or bundled.
pub(crate) struct Array<'a> {
    path: Option<&'a Path>,
    bundled: &'static [u8],
}

impl<'a> Array<'a> {
    /// Embeddings; the bundled digits where there is no file.
    pub(crate) fn embeddings(path: Option<&'a Path>) -> Self {
        Self { path, bundled: DIGITS }
    }

    /// Labels; those of the digits where there is no file.
    pub(crate) fn labels(path: Option<&'a Path>) -> Self {
        Self { path, bundled: DIGIT_LABELS }
    }

    fn name(&self) -> String {
        self.path.map_or("the bundled digits".into(), |path| path.display().to_string())
    }

    fn open(&self) -> Result<NpyFile<Box<dyn Source>>, String> {
        let source: Box<dyn Source> = match self.path {
            None => Box::new(Cursor::new(self.bundled)),
            Some(path) => {
                let file = File::open(path).map_err(|error| self.told(error))?;
                Box::new(BufReader::new(file))
            }
        };
        let file = NpyFile::new(source).map_err(|error| self.told(error))?;
        match file.order() {
            Order::C => Ok(file),
            Order::Fortran => Err(self.told(
                "its columns are one behind the other; numpy.ascontiguousarray(array) has rows",
            )),
        }
    }

    fn told(&self, problem: impl std::fmt::Display) -> String {
        format!("{}: {problem}", self.name())
    }

    /// How many rows there are, and how many columns: 1 where it has one dimension.
    pub(crate) fn shape(&self) -> Result<[usize; 2], String> {
        match self.open()?.shape()[..] {
            [rows] => Ok([rows as usize, 1]),
            [rows, columns] => Ok([rows as usize, columns as usize]),
            ref other => Err(self.told(format!("its shape {other:?} is none of rows and columns"))),
        }
    }

    /// The numbers of these rows, which alone are read.
    pub(crate) fn numbers(&self, rows: Range<usize>) -> Result<Vec<f32>, String> {
        match self.read::<f32>(&rows)? {
            Some(numbers) => Ok(numbers),
            None => {
                let numbers = self.read::<f64>(&rows)?;
                let numbers =
                    numbers.ok_or_else(|| self.told("its numbers are neither f32 nor f64"))?;
                Ok(numbers.into_iter().map(|number| number as f32).collect())
            }
        }
    }

    /// The labels of these rows, which alone are read.
    pub(crate) fn integers(&self, rows: Range<usize>) -> Result<Vec<u32>, String> {
        if let Some(labels) = self.read::<u32>(&rows)? {
            return Ok(labels);
        }
        let wide = match self.read::<i64>(&rows)? {
            Some(labels) => labels,
            None => {
                let labels = self.read::<i32>(&rows)?;
                let labels =
                    labels.ok_or_else(|| self.told("its labels are none of u32, i32 and i64"))?;
                labels.into_iter().map(i64::from).collect()
            }
        };
        let label = |(at, label): (usize, i64)| {
            let row = rows.start + at;
            u32::try_from(label)
                .map_err(|_| self.told(format!("the label {label} of row {row} is no u32")))
        };
        wide.into_iter().enumerate().map(label).collect()
    }

    /// Nothing where the array is of another type.
    fn read<T: Deserialize>(&self, rows: &Range<usize>) -> Result<Option<Vec<T>>, String> {
        let [_, columns] = self.shape()?;
        let Ok(mut values) = self.open()?.data::<T>() else { return Ok(None) };
        values.seek_to((rows.start * columns) as u64).map_err(|error| self.told(error))?;
        let read: Result<Vec<T>, _> = values.take(rows.len() * columns).collect();
        read.map(Some).map_err(|error| self.told(error))
    }
}
