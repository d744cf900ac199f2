//! Arrays as the ending of a path says that they are kept.

use std::io::Write;
use std::path::{Path, PathBuf};

use rawzip::ZipArchiveWriter;
use safetensors::tensor::{Dtype, TensorView, serialize};
use serde::Serialize;

use super::{columns, encoding};
use crate::elements::Values;
use crate::labels::Labels;
use crate::{Error, Result, output, print, print_json};

/// An array that is written.
pub(crate) struct Written {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Values,
}

/// The kinds of files that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Npy,
    Npz,
    Safetensors,
    Csv,
    Parquet,
}

impl Ending {
    /// The kind of this path; none for an ending of another.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        if output::is_standard(path) {
            return Some(Self::Npy);
        }
        let ending = path.extension()?.to_str()?.to_ascii_lowercase();
        let all = [
            ("npy", Self::Npy),
            ("npz", Self::Npz),
            ("safetensors", Self::Safetensors),
            ("csv", Self::Csv),
            ("parquet", Self::Parquet),
        ];
        all.into_iter().find(|(name, _)| *name == ending).map(|(_, kind)| kind)
    }
}

/// What is told of an array that was written.
#[derive(Serialize)]
pub(crate) struct Line<'a> {
    out: &'a Path,
    array: &'a str,
    shape: &'a [usize],
    /// Where its strings stand, one a line, where they were numbered.
    vocabulary: Option<PathBuf>,
}

/// Writes arrays as the ending of the path says, as `.npy` where it says nothing, and tells of each
/// what was written; of the standard output nothing. Strings that a kind of files does not have are
/// numbered in ascending order, and stand beside it, one a line.
pub(crate) fn write<'a>(path: &'a Path, arrays: &'a [Written]) -> Result<Vec<Line<'a>>> {
    let (bytes, vocabularies) = match Ending::of(path).unwrap_or(Ending::Npy) {
        Ending::Npy => (one(arrays).map(npy_file), Vec::new()),
        Ending::Npz => (archive(arrays), Vec::new()),
        Ending::Csv => (table(arrays), Vec::new()),
        Ending::Parquet => (columns::write(arrays), Vec::new()),
        Ending::Safetensors => {
            let (tensors, vocabularies) = numbered(arrays);
            (safetensors(&tensors), vocabularies)
        }
    };
    let bytes = bytes.map_err(|problem| Error::file(path, problem))?;
    output::write(path, |file| file.write_all(&bytes))?;
    let beside = |name: &str| path.with_extension(format!("{name}.txt"));
    for Vocabulary { name, classes } in &vocabularies {
        output::write(&beside(name), |file| {
            classes.iter().try_for_each(|class| writeln!(file, "{class}"))
        })?;
    }
    let line = |Written { name, shape, .. }: &'a Written| {
        let vocabulary = vocabularies.iter().find(|vocabulary| vocabulary.name == name);
        let vocabulary = vocabulary.map(|_| beside(name));
        Line { out: path, array: name, shape, vocabulary }
    };
    Ok(match output::is_standard(path) {
        true => Vec::new(),
        false => arrays.iter().map(line).collect(),
    })
}

impl Line<'_> {
    pub(crate) fn print(&self, as_json: bool) -> Result<()> {
        if as_json {
            return print_json(self);
        }
        let Self { out, array, shape, vocabulary } = self;
        let sizes: Vec<_> = shape.iter().map(usize::to_string).collect();
        print(&format!("{}: {array}, {}", out.display(), sizes.join(" x ")))?;
        vocabulary
            .as_ref()
            .map_or(Ok(()), |path| print(&format!("{}: its strings", path.display())))
    }
}

fn one(arrays: &[Written]) -> Result<&Written, String> {
    match arrays {
        [array] => Ok(array),
        _ => Err(format!("holds one array, and there are {}: IN#NAME takes one", arrays.len())),
    }
}

/// The numbers of an array as a file has them: of f32, or of the integers that hold them all.
pub(super) enum Elements {
    F32(Vec<u8>),
    I64(Vec<u8>),
    U64(Vec<u8>),
}

impl Elements {
    /// As i64 or, where one is beyond that, as u64, which all are to fit then.
    pub(super) fn of_integers(integers: &[i128]) -> Self {
        if integers.iter().all(|&integer| i64::try_from(integer).is_ok()) {
            Self::I64(integers.iter().flat_map(|&integer| (integer as i64).to_le_bytes()).collect())
        } else {
            Self::U64(integers.iter().flat_map(|&integer| (integer as u64).to_le_bytes()).collect())
        }
    }

    fn of_floats(floats: &[f32]) -> Self {
        Self::F32(floats.iter().flat_map(|float| float.to_le_bytes()).collect())
    }

    /// The whole `.npy` file of them.
    pub(super) fn npy(self, shape: &[usize]) -> Vec<u8> {
        match self {
            Self::F32(bytes) => encoding::bytes("<f4", shape, [bytes]),
            Self::I64(bytes) => encoding::bytes("<i8", shape, [bytes]),
            Self::U64(bytes) => encoding::bytes("<u8", shape, [bytes]),
        }
    }
}

fn npy_file(Written { shape, values, .. }: &Written) -> Vec<u8> {
    match values {
        Values::Floats(floats) => Elements::of_floats(floats).npy(shape),
        Values::Integers(integers) => Elements::of_integers(integers).npy(shape),
        Values::Texts(texts) => encoding::of_texts(shape, texts),
    }
}

/// As numpy.savez does it: not packed, and of no time, so that the bytes are the same.
fn archive(arrays: &[Written]) -> Result<Vec<u8>, String> {
    let mut archive = ZipArchiveWriter::new(Vec::new());
    let mut fill = || -> Result<(), rawzip::Error> {
        for array in arrays {
            let (mut entry, config) =
                archive.new_file(format!("{}.npy", array.name).as_str()).start()?;
            let mut writer = config.wrap(&mut entry);
            writer.write_all(&npy_file(array))?;
            let (_, descriptor) = writer.finish()?;
            entry.finish(descriptor)?;
        }
        Ok(())
    };
    fill().and_then(|()| archive.finish()).map_err(|error| error.to_string())
}

/// What the numbers of an array stand for.
struct Vocabulary<'a> {
    name: &'a str,
    classes: Vec<String>,
}

/// The arrays with numbers in the place of strings, and what these stand for.
fn numbered(arrays: &[Written]) -> (Vec<(&Written, Elements)>, Vec<Vocabulary<'_>>) {
    let mut vocabularies = Vec::new();
    let elements = arrays.iter().map(|array| {
        let elements = match &array.values {
            Values::Floats(floats) => Elements::of_floats(floats),
            Values::Integers(integers) => Elements::of_integers(integers),
            Values::Texts(texts) => {
                let Labels { labels, classes, .. } = Labels::classes(texts, None, "strings");
                vocabularies.push(Vocabulary { name: &array.name, classes });
                Elements::of_integers(&labels.into_iter().map(i128::from).collect::<Vec<_>>())
            }
        };
        (array, elements)
    });
    let elements = elements.collect();
    (elements, vocabularies)
}

fn safetensors(arrays: &[(&Written, Elements)]) -> Result<Vec<u8>, String> {
    let views = arrays.iter().map(|(array, elements)| {
        let (of, bytes) = match elements {
            Elements::F32(bytes) => (Dtype::F32, bytes),
            Elements::I64(bytes) => (Dtype::I64, bytes),
            Elements::U64(bytes) => (Dtype::U64, bytes),
        };
        TensorView::new(of, array.shape.clone(), bytes).map(|view| (&array.name, view))
    });
    let views: Result<Vec<_>, _> = views.collect();
    views.and_then(|views| serialize(views, None)).map_err(|error| error.to_string())
}

/// Arrays that stand beside each other, each with its rows and columns.
pub(super) fn columns_of(arrays: &[Written]) -> Result<Vec<(&Written, usize, usize)>, String> {
    let mut columns = Vec::new();
    for array in arrays {
        let (rows, width) = match array.shape[..] {
            [] => (1, 1),
            [rows] => (rows, 1),
            [rows, width] => (rows, width),
            _ => {
                let (name, shape) = (&array.name, &array.shape);
                return Err(format!(
                    "{name} has the shape {shape:?}: a table has rows and columns"
                ));
            }
        };
        columns.push((array, rows, width));
    }
    let rows = columns.first().map_or(0, |&(_, rows, _)| rows);
    if let Some((array, other, _)) = columns.iter().find(|(_, other, _)| *other != rows) {
        let name = &array.name;
        return Err(format!("{name} has {other} rows, the first array {rows}: IN#NAME takes one"));
    }
    Ok(columns)
}

/// All arrays beside each other, with a line of names: a column of an array of several has its
/// number behind the name.
fn table(arrays: &[Written]) -> Result<Vec<u8>, String> {
    let columns = columns_of(arrays)?;
    let titles = columns.iter().flat_map(|&(array, _, width)| {
        (0..width).map(move |column| match width {
            1 => array.name.clone(),
            _ => format!("{}{column}", array.name),
        })
    });
    let mut table = line(titles);
    for row in 0..columns.first().map_or(0, |&(_, rows, _)| rows) {
        table += &line(columns.iter().flat_map(|&(array, _, width)| {
            (row * width..(row + 1) * width).map(|at| field(&array.values, at))
        }));
    }
    Ok(table.into_bytes())
}

/// A line of a table, by RFC 4180.
fn line(fields: impl Iterator<Item = String>) -> String {
    let quoted = |field: String| match field.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", field.replace('"', "\"\"")),
        false => field,
    };
    fields.map(quoted).collect::<Vec<_>>().join(",") + "\n"
}

fn field(values: &Values, at: usize) -> String {
    match values {
        Values::Floats(floats) => floats[at].to_string(),
        Values::Integers(integers) => integers[at].to_string(),
        Values::Texts(texts) => texts[at].clone(),
    }
}
