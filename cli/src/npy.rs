//! Arrays in `.npy` files: whatever numbers or strings they are of, read as what the losses take.

use std::fmt::Display;
use std::io::{self, BufReader, Read};

use npyz::half::f16;
use npyz::{DType, Deserialize, NpyFile, NpyHeader, Order, TypeChar, TypeStr};

use super::kind::{self, Kind};
use super::labels::Ids;

/// The length of the longest header that numpy reads.
const LONGEST_HEADER: usize = 10_000;

/// Brackets within brackets; the header of a plain array has two.
const DEEPEST_HEADER: usize = 8;

const STRUCTURED: &str = "a structured array with named fields: \
    numpy.lib.recfunctions.structured_to_unstructured(array) makes a matrix of it";

const OBJECTS: &str = "an array of Python objects: array.astype(numpy.float32) for numbers, \
    array.astype(str) for strings where no entry is missing";

/// The most values that the library counts in an input.
pub const MOST_VALUES: u64 = u32::MAX as u64 / 4 - 1;

/// A two-dimensional array, row by row.
#[derive(Debug, PartialEq)]
pub struct Matrix<V> {
    pub values: V,
    pub rows: usize,
    pub columns: usize,
}

/// Numbers as f32, and what is to be said where that is not all that they were.
pub struct Numbers<T> {
    pub numbers: T,
    pub note: Option<String>,
}

/// An array whose header was read and judged, and whose values were not read yet.
pub struct Array<'a> {
    pub(crate) header: NpyHeader,
    pub(crate) element: TypeStr,
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    values: BufReader<Box<dyn Read + 'a>>,
}

impl<'a> Array<'a> {
    /// Reads the header, of a source of so many bytes if that is known.
    pub fn parse(source: impl Read + 'a, length: Option<u64>) -> Result<Self, String> {
        let mut source: BufReader<Box<dyn Read + 'a>> = BufReader::new(Box::new(source));
        let (header, header_length) = read_header(&mut source)?;
        let DType::Plain(element) = header.dtype() else { return Err(STRUCTURED.into()) };
        let shape = header.shape();
        let count = header.len();
        if count > MOST_VALUES {
            return Err(format!(
                "its shape {shape:?} has {count} values, at most {MOST_VALUES} can be computed with"
            ));
        }
        let bytes = element.num_bytes().and_then(|size| count.checked_mul(size as u64));
        // Elements of no bytes would take memory that no file has.
        let bytes = bytes.filter(|&bytes| bytes >= count);
        let bytes =
            bytes.ok_or_else(|| format!("no array of the type {element} is of {shape:?}"))?;
        let check = |found: u64| check_length(shape, bytes, found);
        match length {
            Some(length) => check(length.saturating_sub(header_length))?,
            // What comes by a pipe is held back until it is known that all is there.
            None => {
                let mut data = Vec::new();
                let limit = bytes.saturating_add(1);
                source.take(limit).read_to_end(&mut data).map_err(|error| error.to_string())?;
                check(data.len() as u64)?;
                source = BufReader::new(Box::new(io::Cursor::new(data)));
            }
        }
        let [rows, columns] = match shape[..] {
            [rows, columns] => [rows, columns],
            _ => [count, 1],
        };
        let [rows, columns] = [rows, columns].map(|size| size as usize);
        Ok(Self { header, element, rows, columns, values: source })
    }

    /// Reads a matrix of numbers.
    pub fn matrix(self) -> Result<Numbers<Matrix<Vec<f32>>>, String> {
        self.check_matrix()?;
        let (rows, columns) = (self.rows, self.columns);
        let Numbers { numbers: values, note } = self.numbers(Place { columns: Some(columns) })?;
        Ok(Numbers { numbers: Matrix { values, rows, columns }, note })
    }

    /// Reads a column of labels.
    pub fn labels(self) -> Result<Ids, String> {
        self.check_vector()?;
        match self.element.type_char() {
            TypeChar::UnicodeStr | TypeChar::ByteStr => self.texts().map(Ids::Texts),
            TypeChar::Float => self.refuse_fractions(),
            _ => self.whole_numbers().map(Ids::Numbers),
        }
    }

    pub(crate) fn texts(self) -> Result<Vec<String>, String> {
        let mut texts = filled(self.rows * self.columns, String::new())?;
        self.each(|at, text| {
            texts[at] = text;
            Ok(())
        })?;
        Ok(texts)
    }

    pub(crate) fn whole_numbers(self) -> Result<Vec<i128>, String> {
        let mut numbers = filled(self.rows * self.columns, 0)?;
        self.each_integer(|at, number| {
            numbers[at] = number;
            Ok(())
        })?;
        Ok(numbers)
    }

    pub(crate) fn check_matrix(&self) -> Result<(), String> {
        let shape = self.header.shape();
        let advice = match shape {
            [_, _] => return Ok(()),
            [] | [_] => "",
            _ => ": array.reshape(len(array), -1) makes it so",
        };
        Err(format!("expected two dimensions, found the shape {shape:?}{advice}"))
    }

    /// One number, or a column of them.
    pub(crate) fn check_vector(&self) -> Result<(), String> {
        match self.header.shape() {
            [] | [_] | [_, 1] => Ok(()),
            shape => Err(format!("expected one dimension, found the shape {shape:?}")),
        }
    }

    /// Numbers of any type as f32.
    pub(crate) fn numbers(self, place: Place) -> Result<Numbers<Vec<f32>>, String> {
        let (name, count) = (self.type_name(), self.rows * self.columns);
        let mut numbers = filled(count, 0.0)?;
        let mut lost = Lost::default();
        match self.element.type_char() {
            TypeChar::Float => self.each_float(|at, value| {
                let number = value as f32;
                if number.is_infinite() && value.is_finite() {
                    let problem = format!("is {value:e}, beyond the range of f32 (3.4e38)");
                    return Err(place.name(at, problem));
                }
                lost.count(number, value != f64::from(number) && !value.is_nan());
                numbers[at] = number;
                Ok(())
            })?,
            TypeChar::Bool | TypeChar::Int | TypeChar::Uint => self.each_integer(|at, value| {
                numbers[at] = value as f32;
                lost.count(numbers[at], numbers[at] as i128 != value);
                Ok(())
            })?,
            _ => {
                return Err(format!(
                    "expected numbers, found {name}: \
                     array.astype(numpy.float32) where that is what they are"
                ));
            }
        }
        Ok(Numbers { note: lost.note(&name, count), numbers })
    }

    /// Hands on every element with its place, as a float.
    fn each_float(
        self,
        mut take: impl FnMut(usize, f64) -> Result<(), String>,
    ) -> Result<(), String> {
        match self.element.size_field() {
            2 => self.each(|at, value: f16| take(at, value.into())),
            4 => self.each(|at, value: f32| take(at, value.into())),
            8 => self.each(take),
            _ => Err(format!(
                "expected numbers of at most 64 bits, found {}: array.astype(numpy.float32)",
                self.type_name()
            )),
        }
    }

    /// Hands on every element with its place, as an integer.
    pub(crate) fn each_integer(
        self,
        mut take: impl FnMut(usize, i128) -> Result<(), String>,
    ) -> Result<(), String> {
        match (self.element.type_char(), self.element.size_field()) {
            (TypeChar::Bool, _) => self.each(|at, value: bool| take(at, value.into())),
            (TypeChar::Int, 1) => self.each(|at, value: i8| take(at, value.into())),
            (TypeChar::Int, 2) => self.each(|at, value: i16| take(at, value.into())),
            (TypeChar::Int, 4) => self.each(|at, value: i32| take(at, value.into())),
            (TypeChar::Int, 8) => self.each(|at, value: i64| take(at, value.into())),
            (TypeChar::Uint, 1) => self.each(|at, value: u8| take(at, value.into())),
            (TypeChar::Uint, 2) => self.each(|at, value: u16| take(at, value.into())),
            (TypeChar::Uint, 4) => self.each(|at, value: u32| take(at, value.into())),
            (TypeChar::Uint, 8) => self.each(|at, value: u64| take(at, value.into())),
            _ => Err(format!(
                "expected integers, found {}: \
                 array.astype(numpy.int64) where that is what they are",
                self.type_name()
            )),
        }
    }

    /// Hands on every element with its place in C order.
    fn each<T: Deserialize>(
        self,
        mut take: impl FnMut(usize, T) -> Result<(), String>,
    ) -> Result<(), String> {
        let Self { header, rows, columns, values, .. } = self;
        let by_columns = header.order() == Order::Fortran && columns > 1;
        let values = NpyFile::with_header(header, values).data::<T>();
        for (at, value) in values.map_err(|error| error.to_string())?.enumerate() {
            let value = value.map_err(|error| format!("value {at}: {error}"))?;
            take(if by_columns { at % rows * columns + at / rows } else { at }, value)?;
        }
        Ok(())
    }

    /// Says what is to become of labels that are no integers, by the first that is no whole number.
    fn refuse_fractions(self) -> Result<Ids, String> {
        let expected = format!("expected integers or strings, found {}", self.type_name());
        let mut first = None;
        let mut fraction = None;
        self.each_float(|row, number| {
            let is_whole = number.fract() == 0.0;
            first.get_or_insert(number);
            fraction = fraction.or((!is_whole).then_some((row, number)));
            Ok(())
        })?;
        Err(match fraction {
            Some((row, number)) if number.is_nan() => format!(
                "{expected}, row {row} is NaN: leave such rows out of all files, \
                 then array.astype(numpy.int64)"
            ),
            Some((row, number)) => format!(
                "{expected}, row {row} is {number}: where every value is a class, \
                 numpy.unique(array, return_inverse=True)[1] numbers them"
            ),
            None => format!(
                "{expected}, row 0 is {:?}: all are whole numbers, array.astype(numpy.int64) keeps them",
                first.unwrap_or_default()
            ),
        })
    }

    /// The type of the elements as numpy calls it.
    pub(crate) fn type_name(&self) -> String {
        let bits = self.element.size_field().saturating_mul(8);
        match self.element.type_char() {
            TypeChar::Bool => "bool".into(),
            TypeChar::Int => format!("int{bits}"),
            TypeChar::Uint => format!("uint{bits}"),
            TypeChar::Float => format!("float{bits}"),
            TypeChar::Complex => format!("complex{bits}"),
            TypeChar::UnicodeStr | TypeChar::ByteStr => "strings".into(),
            TypeChar::RawData => format!("void{bits} (as which bfloat16 is saved)"),
            _ => format!("the type {}", self.element),
        }
    }
}

/// How an element is named.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    /// `None` where there are rows only.
    pub columns: Option<usize>,
}

impl Place {
    pub(crate) fn name(self, at: usize, problem: impl Display) -> String {
        match self.columns {
            Some(columns) => format!("row {}, column {} {problem}", at / columns, at % columns),
            None => format!("row {at} {problem}"),
        }
    }
}

/// What numbers have lost as f32.
#[derive(Default)]
struct Lost {
    digits: usize,
    all: usize,
}

impl Lost {
    fn count(&mut self, number: f32, is_rounded: bool) {
        self.digits += usize::from(is_rounded);
        self.all += usize::from(is_rounded && number == 0.0);
    }

    fn note(&self, name: &str, count: usize) -> Option<String> {
        let too_small = match self.all {
            0 => String::new(),
            all => format!(", {all} too small for it and 0"),
        };
        let digits = self.digits;
        (digits > 0)
            .then(|| format!("{name} is rounded to f32: {digits} of {count} values{too_small}"))
    }
}

/// `count` values, or an error where there is no memory for them.
pub(crate) fn filled<T: Clone>(count: usize, value: T) -> Result<Vec<T>, String> {
    let mut values = Vec::new();
    values
        .try_reserve_exact(count)
        .map_err(|error| format!("no memory for its {count} values: {error}"))?;
    values.resize(count, value);
    Ok(values)
}

fn check_length(shape: &[u64], expected: u64, found: u64) -> Result<(), String> {
    let found = match found {
        _ if found == expected => return Ok(()),
        _ if found < expected => format!("only {found}"),
        _ => "more".into(),
    };
    Err(format!("its shape {shape:?} takes {expected} bytes of data, the file has {found}"))
}

/// Reads the header with the limits that its parser does not set itself; and its length.
fn read_header(source: &mut impl Read) -> Result<(NpyHeader, u64), String> {
    let text = read_header_bytes(source)?;
    check_header(&text)?;
    let header = NpyHeader::from_reader(&text[..]).map_err(|error| match is_of_objects(&text) {
        true => OBJECTS.into(),
        // It quotes the header, which may be long.
        false => {
            let problem: String = error.to_string().chars().take(200).collect();
            format!("not an .npy file: {problem}")
        }
    })?;
    Ok((header, text.len() as u64))
}

/// Fewer than 20 decimal digits in all: then no product of sizes passes 2^64. And few brackets
/// within brackets, which take the parser twice as long each.
fn check_header(text: &[u8]) -> Result<(), String> {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let mut depth = 0_usize;
    let mut deepest = 0;
    for byte in text {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let is_hexadecimal = contains(text, b"0x") || contains(text, b"0X");
    if digits < 20 && deepest <= DEEPEST_HEADER && !is_hexadecimal {
        return Ok(());
    }
    let is_structured = contains(text, b"'descr': [");
    Err(if is_structured { STRUCTURED } else { "not an .npy file of a plain array" }.into())
}

fn is_of_objects(header: &[u8]) -> bool {
    contains(header, b"'|O'") || contains(header, b"'O'")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

fn read_header_bytes(source: &mut impl Read) -> Result<Vec<u8>, String> {
    let ends = "not an .npy file: it ends inside the header";
    let read = |source: &mut dyn Read, bytes: &mut [u8]| {
        source.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ends.into(),
            _ => error.to_string(),
        })
    };
    let mut bytes = Vec::new();
    source.take(10).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if Kind::of(&bytes) != Kind::Npy {
        source.take(kind::START).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
        return Err(Kind::of(&bytes).instead_of_npy());
    }
    if bytes.len() < 10 {
        return Err(ends.into());
    }
    let mut length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    if bytes[6] > 1 {
        bytes.resize(12, 0);
        read(source, &mut bytes[10..])?;
        length |= usize::from(u16::from_le_bytes([bytes[10], bytes[11]])) << 16;
    }
    if length > LONGEST_HEADER {
        return Err(format!(
            "its header of {length} bytes is not that of a plain array, at most {LONGEST_HEADER} are read"
        ));
    }
    let start = bytes.len();
    bytes.resize(start + length, 0);
    read(source, &mut bytes[start..])?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use wgpu_metric_learning::Shape;

    use super::*;

    #[test]
    fn a_file_may_hold_as_many_values_as_the_library_counts() {
        let most = MOST_VALUES as usize;
        assert!(Shape::batch(most, 1).check().is_ok());
        assert!(Shape::batch(most + 1, 1).check().is_err());
    }
}
