//! Arrays in `.npy` files: two-dimensional or one-dimensional, of little-endian 32-bit numbers in C
//! order.

use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use npyz::{DType, NpyHeader, Order, WriteOptions, WriterBuilder};

use super::{Error, Result};

/// Longer than the header of any plain array; numpy writes 118 bytes.
const LONGEST_HEADER: usize = 1024;

/// A number that an array is made of.
pub trait Number: Sized {
    const DTYPE: &'static str;
    const NUMPY: &'static str;
    fn from_le_bytes(bytes: [u8; 4]) -> Self;
}

impl Number for f32 {
    const DTYPE: &'static str = "<f4";
    const NUMPY: &'static str = "numpy.float32";
    fn from_le_bytes(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

impl Number for u32 {
    const DTYPE: &'static str = "<u4";
    const NUMPY: &'static str = "numpy.uint32";
    fn from_le_bytes(bytes: [u8; 4]) -> Self {
        Self::from_le_bytes(bytes)
    }
}

/// A two-dimensional array, row by row.
#[derive(Debug, PartialEq)]
pub struct Matrix<T> {
    pub values: Vec<T>,
    pub rows: usize,
    pub columns: usize,
}

/// Reads a two-dimensional array of f32.
pub fn read_matrix(path: &Path) -> Result<Matrix<f32>> {
    open(path).and_then(parse_matrix).map_err(|problem| Error::file(path, problem))
}

/// Reads a two-dimensional array of u32 with K columns.
pub fn read_entries<const K: usize>(path: &Path) -> Result<Vec<[u32; K]>> {
    let entries = open(path).and_then(parse_matrix).and_then(|matrix| match matrix.columns {
        columns if columns == K => {
            Ok(matrix.values.chunks_exact(K).filter_map(|entry| entry.try_into().ok()).collect())
        }
        columns => Err(format!("expected {K} columns, found {columns}")),
    });
    entries.map_err(|problem| Error::file(path, problem))
}

/// Reads a one-dimensional array.
pub fn read_vector<T: Number>(path: &Path) -> Result<Vec<T>> {
    open(path).and_then(parse_vector).map_err(|problem| Error::file(path, problem))
}

/// Parses a two-dimensional array.
pub fn parse_matrix<T: Number>(source: impl Read) -> Result<Matrix<T>, String> {
    let (values, shape) = parse(source)?;
    match shape[..] {
        [rows, columns] => Ok(Matrix { values, rows, columns }),
        _ => Err(format!("expected two dimensions, found the shape {shape:?}")),
    }
}

/// Parses a one-dimensional array.
pub fn parse_vector<T: Number>(source: impl Read) -> Result<Vec<T>, String> {
    let (values, shape) = parse(source)?;
    match shape[..] {
        [_] => Ok(values),
        _ => Err(format!("expected one dimension, found the shape {shape:?}")),
    }
}

fn open(path: &Path) -> Result<impl Read, String> {
    File::open(path).map(BufReader::new).map_err(|error| error.to_string())
}

fn parse<T: Number>(mut source: impl Read) -> Result<(Vec<T>, Vec<usize>), String> {
    let header = read_header(&mut source)?;
    check_layout::<T>(&header)?;
    let shape: Vec<usize> = header.shape().iter().map(|&size| size as usize).collect();
    let bytes =
        header.len().checked_mul(4).ok_or_else(|| format!("the shape {shape:?} is too large"))?;
    // At most one byte beyond what the header claims, and never more memory than there are bytes to
    // read.
    let mut data = Vec::new();
    source
        .take(bytes.saturating_add(1))
        .read_to_end(&mut data)
        .map_err(|error| error.to_string())?;
    if data.len() as u64 != bytes {
        let found = if (data.len() as u64) < bytes {
            format!("only {}", data.len())
        } else {
            "more".into()
        };
        return Err(format!(
            "its shape {shape:?} takes {bytes} bytes of data, the file has {found}"
        ));
    }
    let values = data
        .chunks_exact(4)
        .map(|bytes| T::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    Ok((values.collect(), shape))
}

fn check_layout<T: Number>(header: &NpyHeader) -> Result<(), String> {
    let found = match header.dtype() {
        DType::Plain(plain) if plain.to_string() == T::DTYPE => None,
        other => Some(format!("the type {}", other.descr())),
    };
    let found =
        found.or_else(|| (header.order() == Order::Fortran).then(|| "Fortran order".into()));
    match found {
        None => Ok(()),
        Some(found) => Err(format!(
            "expected little-endian {dtype} in C order, found {found}: numpy.ascontiguousarray(array, {numpy}) makes it so",
            dtype = T::DTYPE,
            numpy = T::NUMPY
        )),
    }
}

/// Reads the header with the limits that its parser does not set itself.
fn read_header(source: &mut impl Read) -> Result<NpyHeader, String> {
    let text = read_header_bytes(source).map_err(|error| match error.kind() {
        io::ErrorKind::UnexpectedEof => "not an .npy file: it ends inside the header".into(),
        _ => error.to_string(),
    })?;
    // Fewer than 20 decimal digits in all: then no product of sizes passes 2^64.
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits >= 20 || text.iter().any(|byte| matches!(byte, b'x' | b'X')) {
        return Err("expected the header of a plain array with one or two dimensions".into());
    }
    NpyHeader::from_reader(&text[..]).map_err(|error| format!("not an .npy file: {error}"))
}

fn read_header_bytes(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 10];
    source.read_exact(&mut bytes)?;
    let invalid = |problem: String| Err(io::Error::new(io::ErrorKind::InvalidData, problem));
    if !bytes.starts_with(b"\x93NUMPY") {
        return invalid("not an .npy file: it does not begin with \\x93NUMPY".into());
    }
    let mut length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    if bytes[6] > 1 {
        bytes.resize(12, 0);
        source.read_exact(&mut bytes[10..])?;
        length |= usize::from(u16::from_le_bytes([bytes[10], bytes[11]])) << 16;
    }
    if length > LONGEST_HEADER {
        return invalid(format!("its header of {length} bytes is not that of a plain array"));
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    source.read_exact(&mut bytes[start..])?;
    Ok(bytes)
}

/// Writes an array of f32; a value beyond its range is an error.
pub fn encode(file: &mut dyn Write, shape: &[usize], values: &[f64]) -> io::Result<()> {
    if values.iter().any(|&value| !(value as f32).is_finite()) {
        return Err(io::Error::other("a value is beyond the range of f32 (3.4e38)"));
    }
    let shape: Vec<u64> = shape.iter().map(|&size| size as u64).collect();
    let options = WriteOptions::new().default_dtype().shape(&shape);
    let mut writer = options.writer(file).begin_nd()?;
    writer.extend(values.iter().map(|&value| value as f32))?;
    writer.finish()
}
