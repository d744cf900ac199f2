//! Parquet files: columns of numbers, of lists of numbers, or of strings, as an `.npy` file.

mod write;

use std::panic;

use npyz::half::f16;
use parquet::basic::{ConvertedType, LogicalType};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::{ByteArray, DataType, FixedLenByteArray};
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::{ColumnDescriptor, SchemaDescriptor};

use super::write::Elements;
use super::{encoding, tables};
pub(super) use write::write;

/// Rows that are decoded at a time.
const AT_A_TIME: usize = 4096;

/// Makes the `.npy` file of a Parquet file, N x the numbers of its columns; of one column by its
/// name or its number from 0 on, or of all but one, with a `-` before it. A column of lists has as
/// many numbers as each of its lists.
pub(super) fn read(bytes: Vec<u8>, name: Option<&str>) -> Result<Vec<u8>, String> {
    // The crate parquet panics on some damaged files, and would tell of it.
    let told = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let found = panic::catch_unwind(|| table(bytes, name));
    panic::set_hook(told);
    found.unwrap_or_else(|_| Err(DAMAGED.into()))
}

const DAMAGED: &str = "no whole Parquet file: its parts do not fit together";

fn table(bytes: Vec<u8>, name: Option<&str>) -> Result<Vec<u8>, String> {
    let file = SerializedFileReader::new(bytes::Bytes::from(bytes)).map_err(problem)?;
    let schema = file.metadata().file_metadata().schema_descr();
    let titles: Vec<_> =
        schema.root_schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let chosen = tables::columns(titles.len(), Some(&titles), name)?;
    let read = |&column: &usize| {
        let column_of = read_column(&file, schema, column);
        column_of.map_err(|problem| format!("column {} {problem}", titles[column]))
    };
    let columns: Vec<Column> = chosen.iter().map(read).collect::<Result<_, _>>()?;
    let is_text = |column: &Column| matches!(column.values, Values::Texts(_));
    match (&columns[..], columns.iter().position(is_text)) {
        ([], _) => Err("holds no column".into()),
        ([column], _) => Ok(column.encode()),
        (columns, None) => Column::beside(columns).map(|column| column.encode()),
        (_, Some(at)) => {
            let title = &titles[chosen[at]];
            Err(format!("column {title} holds strings: FILE#-{title} leaves it out"))
        }
    }
}

fn problem(error: ParquetError) -> String {
    format!("no whole Parquet file: {error}")
}

/// A column of a table, row by row.
struct Column {
    rows: usize,
    /// The numbers of each row.
    width: usize,
    values: Values,
}

enum Values {
    Integers(Vec<i128>),
    Floats { numbers: Vec<f64>, are_f32: bool },
    Texts(Vec<String>),
}

impl Values {
    /// What the values of a column are, by its type.
    fn of(column: &ColumnDescriptor) -> Result<Self, String> {
        use parquet::basic::Type as Physical;
        let (logical, converted) = (column.logical_type_ref(), column.converted_type());
        let is_text = matches!(
            (logical, converted),
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _)
                | (_, ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON)
        );
        let is_integer = match logical {
            Some(of) => matches!(of, LogicalType::Integer(_)),
            None => is_integer(converted),
        };
        Ok(match column.physical_type() {
            Physical::BOOLEAN => Self::Integers(Vec::new()),
            Physical::INT32 | Physical::INT64 if is_integer => Self::Integers(Vec::new()),
            Physical::FLOAT => Self::Floats { numbers: Vec::new(), are_f32: true },
            Physical::DOUBLE => Self::Floats { numbers: Vec::new(), are_f32: false },
            Physical::FIXED_LEN_BYTE_ARRAY if logical == Some(&LogicalType::Float16) => {
                Self::Floats { numbers: Vec::new(), are_f32: true }
            }
            Physical::BYTE_ARRAY if is_text => Self::Texts(Vec::new()),
            other => {
                let name = logical.map_or_else(|| format!("{other}"), |of| format!("{of:?}"));
                return Err(format!(
                    "holds {name:.60}, which is neither a number nor a string: cast it to one"
                ));
            }
        })
    }

    fn count(&self) -> usize {
        match self {
            Self::Integers(integers) => integers.len(),
            Self::Floats { numbers, .. } => numbers.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    fn integer(&mut self, value: i128) -> Result<(), String> {
        match self {
            Self::Integers(integers) => integers.push(value),
            _ => return Err("has values of another type than it says".into()),
        }
        Ok(())
    }

    fn float(&mut self, value: f64) -> Result<(), String> {
        match self {
            Self::Floats { numbers, .. } => numbers.push(value),
            _ => return Err("has values of another type than it says".into()),
        }
        Ok(())
    }

    fn text(&mut self, value: &ByteArray) -> Result<(), String> {
        match self {
            Self::Texts(texts) => texts.push(value.as_utf8().map_err(problem)?.to_owned()),
            _ => return Err("has values of another type than it says".into()),
        }
        Ok(())
    }

    fn half(&mut self, value: &FixedLenByteArray) -> Result<(), String> {
        let bits = value.data().try_into().map_err(|_| "has no numbers of 16 bits")?;
        self.float(f16::from_bits(u16::from_le_bytes(bits)).into())
    }
}

/// Whether integers are of a type without another meaning, such as a date.
fn is_integer(of: ConvertedType) -> bool {
    use ConvertedType as Of;
    matches!(of, Of::NONE | Of::INT_8 | Of::INT_16 | Of::INT_32 | Of::INT_64)
        || UNSIGNED.contains(&of)
}

const UNSIGNED: [ConvertedType; 4] =
    [ConvertedType::UINT_8, ConvertedType::UINT_16, ConvertedType::UINT_32, ConvertedType::UINT_64];

fn is_unsigned(column: &ColumnDescriptor) -> bool {
    match column.logical_type_ref() {
        Some(LogicalType::Integer(of)) => !of.is_signed,
        _ => UNSIGNED.contains(&column.converted_type()),
    }
}

/// Reads a column of the table, which is one of the file where it has no parts.
fn read_column(
    file: &SerializedFileReader<bytes::Bytes>,
    schema: &SchemaDescriptor,
    column: usize,
) -> Result<Column, String> {
    let mut leaves =
        (0..schema.num_columns()).filter(|&at| schema.get_column_root_idx(at) == column);
    let (Some(leaf), None) = (leaves.next(), leaves.next()) else {
        return Err("has parts with names of their own: keep each as a column".into());
    };
    let descriptor = schema.column(leaf);
    if descriptor.max_rep_level() > 1 {
        return Err("holds lists of lists: keep their numbers in one list".into());
    }
    let mut rows = Rows::of(&descriptor);
    let mut values = Values::of(&descriptor)?;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(problem)?;
        let reader = group.get_column_reader(leaf).map_err(problem)?;
        decode(reader, is_unsigned(&descriptor), &mut rows, &mut values)?;
    }
    rows.end_row()?;
    if matches!(values, Values::Texts(_)) && rows.is_of_lists {
        return Err("holds lists of strings: keep one string in a row".into());
    }
    let (rows, width) = (rows.count, rows.width.unwrap_or(1));
    if rows.checked_mul(width) != Some(values.count()) {
        return Err(DAMAGED.into());
    }
    Ok(Column { rows, width, values })
}

fn decode(
    reader: ColumnReader,
    is_unsigned: bool,
    rows: &mut Rows,
    values: &mut Values,
) -> Result<(), String> {
    use ColumnReader as Of;
    match reader {
        Of::BoolColumnReader(reader) => pour(reader, rows, |value| values.integer(value.into())),
        Of::Int32ColumnReader(reader) => pour(reader, rows, |value| {
            values.integer(if is_unsigned { (value as u32).into() } else { value.into() })
        }),
        Of::Int64ColumnReader(reader) => pour(reader, rows, |value| {
            values.integer(if is_unsigned { (value as u64).into() } else { value.into() })
        }),
        Of::FloatColumnReader(reader) => pour(reader, rows, |value| values.float(value.into())),
        Of::DoubleColumnReader(reader) => pour(reader, rows, |value| values.float(value)),
        Of::ByteArrayColumnReader(reader) => pour(reader, rows, |value| values.text(&value)),
        Of::FixedLenByteArrayColumnReader(reader) => {
            pour(reader, rows, |value| values.half(&value))
        }
        Of::Int96ColumnReader(_) => Err("holds timestamps of 96 bits, which are no numbers".into()),
    }
}

/// Hands on all values of a part of a column, and tells `rows` where they stand.
fn pour<T: DataType>(
    mut reader: ColumnReaderImpl<T>,
    rows: &mut Rows,
    mut take: impl FnMut(T::T) -> Result<(), String>,
) -> Result<(), String> {
    loop {
        let (mut filled, mut repeated, mut values) = (Vec::new(), Vec::new(), Vec::new());
        let (filled_in, repeated_in) = (Some(&mut filled), Some(&mut repeated));
        let (records, _, levels) =
            reader.read_records(AT_A_TIME, filled_in, repeated_in, &mut values).map_err(problem)?;
        if records == 0 {
            return Ok(());
        }
        for level in 0..levels {
            rows.take(filled.get(level).copied(), repeated.get(level).copied())?;
        }
        values.into_iter().try_for_each(&mut take)?;
    }
}

/// The rows of a column as its levels tell them.
struct Rows {
    /// The level of a value that is there.
    filled: i16,
    is_of_lists: bool,
    count: usize,
    /// The values of the row so far, and of each row before.
    found: usize,
    width: Option<usize>,
}

impl Rows {
    fn of(column: &ColumnDescriptor) -> Self {
        let is_of_lists = column.max_rep_level() > 0;
        Self { filled: column.max_def_level(), is_of_lists, count: 0, found: 0, width: None }
    }

    /// Takes the next place of the column: how much of it is there, and whether it goes on with a
    /// list.
    fn take(&mut self, filled: Option<i16>, repeated: Option<i16>) -> Result<(), String> {
        if repeated.unwrap_or(0) == 0 {
            self.end_row()?;
            self.count += 1;
        }
        if filled.is_some_and(|filled| filled < self.filled) {
            let row = self.count - 1;
            return Err(format!(
                "has nothing in row {row}, or NaN: leave such rows out of all files"
            ));
        }
        self.found += 1;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), String> {
        if self.count > 0 {
            let (row, found) = (self.count - 1, self.found);
            let expected = *self.width.get_or_insert(found);
            if found != expected {
                return Err(format!("has {found} numbers in row {row}, in row 0 {expected}"));
            }
        }
        self.found = 0;
        Ok(())
    }
}

impl Column {
    /// One matrix of several columns of numbers, one after the other in each row.
    fn beside(columns: &[Self]) -> Result<Self, String> {
        let rows = columns[0].rows;
        if columns.iter().any(|column| column.rows != rows) {
            return Err(DAMAGED.into());
        }
        let width = columns.iter().map(|column| column.width).sum();
        let in_order = || {
            let places = move |row: usize| {
                columns.iter().flat_map(move |column| {
                    (row * column.width..(row + 1) * column.width).map(move |at| (column, at))
                })
            };
            (0..rows).flat_map(places)
        };
        let integers: Option<Vec<i128>> = in_order()
            .map(|(column, at)| match &column.values {
                Values::Integers(integers) => Some(integers[at]),
                _ => None,
            })
            .collect();
        // Those of several columns may be below 0 and beyond i64, which no type of integers has.
        let fit = |integers: &Vec<i128>| {
            let all = |fits: fn(i128) -> bool| integers.iter().all(|&integer| fits(integer));
            all(|integer| i64::try_from(integer).is_ok()) || all(|integer| integer >= 0)
        };
        let values = integers.filter(fit).map(Values::Integers).unwrap_or_else(|| {
            let is_f32 =
                |column: &Self| matches!(column.values, Values::Floats { are_f32: true, .. });
            let numbers = in_order().map(|(column, at)| match &column.values {
                Values::Integers(integers) => integers[at] as f64,
                Values::Floats { numbers, .. } => numbers[at],
                Values::Texts(_) => f64::NAN,
            });
            Values::Floats { numbers: numbers.collect(), are_f32: columns.iter().all(is_f32) }
        });
        Ok(Self { rows, width, values })
    }

    fn encode(&self) -> Vec<u8> {
        let shape = [self.rows, self.width];
        match &self.values {
            Values::Texts(texts) => encoding::of_texts(&shape, texts),
            Values::Floats { numbers, are_f32: true } => {
                encoding::bytes("<f4", &shape, numbers.iter().map(|&n| (n as f32).to_le_bytes()))
            }
            Values::Floats { numbers, .. } => {
                encoding::bytes("<f8", &shape, numbers.iter().map(|n| n.to_le_bytes()))
            }
            Values::Integers(integers) => Elements::of_integers(integers).npy(&shape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::write::Written;
    use super::*;
    use crate::elements;

    #[test]
    fn integers_of_several_columns_keep_their_sign() {
        let column =
            |integer| Column { rows: 1, width: 1, values: Values::Integers(vec![integer]) };
        let file = |integers: [i128; 2]| {
            let file = Column::beside(&integers.map(column)).unwrap().encode();
            let end = file.len() - 16;
            (String::from_utf8_lossy(&file[..end]).into_owned(), file[end..].to_vec())
        };
        let bytes = |numbers: [f64; 2]| numbers.map(f64::to_le_bytes).concat();
        let (header, numbers) = file([-1, 1 << 63]);
        assert!(header.contains("'<f8'") && numbers == bytes([-1.0, 2.0_f64.powi(63)]), "{header}");
        assert!(file([0, 1 << 63]).0.contains("'<u8'") && file([-1, 1]).0.contains("'<i8'"));
    }

    /// Whatever a byte is, the file is read or refused.
    #[test]
    fn damaged_files_are_no_panic() {
        let array = |name: &str, width, values| {
            let shape = vec![4, width];
            Written { name: name.into(), shape, values }
        };
        let numbers = elements::Values::Floats((0..8).map(|at| at as f32).collect());
        let names = elements::Values::Texts(["owl", "emu", "owl", "emu"].map(String::from).into());
        let file = write(&[array("x", 2, numbers), array("name", 1, names)]).unwrap();
        assert!(read(file.clone(), Some("-name")).is_ok());
        let mut refused = 0;
        for at in 0..file.len() {
            for byte in [0, 0x7f, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = byte;
                refused += usize::from(read(damaged, Some("-name")).is_err());
            }
        }
        assert!(refused > file.len() / 2, "{refused} of {}", file.len());
    }
}
