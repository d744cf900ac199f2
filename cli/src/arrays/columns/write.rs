//! Arrays as a Parquet file: each a column, of numbers or of lists of as many, or of strings.

use std::sync::Arc;

use parquet::basic::{Compression, ConvertedType, LogicalType, Repetition, Type as Physical};
use parquet::data_type::{ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use crate::arrays::write::{Written, columns_of};
use crate::elements::Values;

/// The whole file.
pub(crate) fn write(arrays: &[Written]) -> Result<Vec<u8>, String> {
    let columns = columns_of(arrays)?;
    let no_list = columns
        .iter()
        .find(|(array, _, width)| matches!(array.values, Values::Texts(_)) && *width > 1);
    if let Some((array, ..)) = no_list {
        return Err(format!("{} has strings in several columns: IN#NAME takes one", array.name));
    }
    let mut bytes = Vec::new();
    fill(&mut bytes, &columns).map_err(|error| error.to_string())?;
    Ok(bytes)
}

fn fill(bytes: &mut Vec<u8>, columns: &[(&Written, usize, usize)]) -> Result<(), ParquetError> {
    let fields = columns.iter().map(|(array, _, width)| field(array, *width));
    let fields = fields.collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("arrays").with_fields(fields).build()?;
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut writer = SerializedFileWriter::new(bytes, Arc::new(schema), Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (array, rows, width) in columns {
        let Some(mut column) = group.next_column()? else { break };
        // In a list, all values but the first go on with it.
        let repeated = (*width != 1).then(|| {
            let in_row = (0..*width).map(|at| i16::from(at > 0));
            (0..*rows).flat_map(|_| in_row.clone()).collect::<Vec<_>>()
        });
        pour(&mut column, &array.values, repeated.as_deref())?;
        column.close()?;
    }
    group.close()?;
    writer.close()?;
    Ok(())
}

fn pour(
    column: &mut SerializedColumnWriter<'_>,
    values: &Values,
    repeated: Option<&[i16]>,
) -> Result<usize, ParquetError> {
    let filled = repeated.map(|repeated| vec![1; repeated.len()]);
    let filled = filled.as_deref();
    match values {
        Values::Floats(floats) => column.typed::<FloatType>().write_batch(floats, filled, repeated),
        Values::Integers(integers) => {
            // As bits where they are beyond i64.
            let integers: Vec<i64> = integers.iter().map(|&integer| integer as i64).collect();
            column.typed::<Int64Type>().write_batch(&integers, filled, repeated)
        }
        Values::Texts(texts) => {
            let texts: Vec<_> = texts.iter().map(|text| ByteArray::from(text.as_str())).collect();
            column.typed::<ByteArrayType>().write_batch(&texts, filled, repeated)
        }
    }
}

/// What a column is, in the schema.
fn field(array: &Written, width: usize) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match &array.values {
        Values::Floats(_) => (Physical::FLOAT, None),
        Values::Integers(integers) => {
            let is_signed = integers.iter().all(|&integer| i64::try_from(integer).is_ok());
            (Physical::INT64, (!is_signed).then(|| LogicalType::integer(64, false)))
        }
        Values::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    let of = |name: &str| {
        Type::primitive_type_builder(name, physical)
            .with_repetition(Repetition::REQUIRED)
            .with_logical_type(logical.clone())
            .build()
            .map(Arc::new)
    };
    if width == 1 {
        return of(&array.name);
    }
    let list = Type::group_type_builder("list")
        .with_repetition(Repetition::REPEATED)
        .with_fields(vec![of("element")?])
        .build()?;
    Type::group_type_builder(&array.name)
        .with_repetition(Repetition::REQUIRED)
        .with_logical_type(Some(LogicalType::List))
        .with_converted_type(ConvertedType::LIST)
        .with_fields(vec![Arc::new(list)])
        .build()
        .map(Arc::new)
}
