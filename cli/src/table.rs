//! Aligned text.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

/// How a column stands under its title.
pub(crate) enum Column {
    Left(&'static str, usize),
    Right(&'static str, usize),
}

impl Column {
    pub(crate) fn title(&self) -> &'static str {
        match self {
            Self::Left(title, _) | Self::Right(title, _) => title,
        }
    }

    fn align(&self, text: &str) -> String {
        match *self {
            Self::Left(title, width) => format!("{text:<0$}", width.max(title.len())),
            Self::Right(title, width) => format!("{text:>0$}", width.max(title.len())),
        }
    }
}

/// The titles of the columns, aligned.
pub(crate) fn titles(columns: &[Column]) -> String {
    row(columns, columns.iter().map(|column| column.title().to_string()))
}

/// One text for every column, aligned.
pub(crate) fn row(columns: &[Column], texts: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> =
        columns.iter().zip(texts).map(|(column, text)| column.align(&text)).collect();
    cells.join("  ").trim_end().to_string()
}

/// Names with their values, one a line, the values aligned.
pub(crate) fn properties<T: AsRef<str>>(properties: &[(T, String)]) -> String {
    let width = properties.iter().map(|(name, _)| name.as_ref().len()).max().unwrap_or_default();
    let lines: Vec<String> = properties
        .iter()
        .map(|(name, value)| format!("  {:<width$}  {value}", name.as_ref()))
        .collect();
    lines.join("\n")
}

/// What is serialized as an object, as names and values in its order.
pub(crate) fn entries(object: &impl Serialize) -> serde_json::Result<Vec<(String, String)>> {
    let Entries(entries) = serde_json::from_str(&serde_json::to_string(object)?)?;
    Ok(entries.into_iter().map(|(name, value)| (name, readable(&value))).collect())
}

fn readable(value: &Value) -> String {
    match value.as_f64() {
        Some(size) if value.is_f64() => number(size),
        _ => value.to_string(),
    }
}

/// The entries of an object in their order, which a map would not keep.
struct Entries(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Entries;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entries, A::Error> {
        let entries = std::iter::from_fn(|| map.next_entry().transpose());
        entries.collect::<Result<_, _>>().map(Entries)
    }
}

/// A number with seven significant digits.
pub(crate) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size @ 1e-4..1e7 => {
            format!("{value:.0$}", (6 - size.log10().floor() as i32).clamp(0, 10) as usize)
        }
        _ => format!("{value:.6e}"),
    }
}

/// A duration in milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> String {
    format!("{:.1} ms", in_milliseconds(duration))
}

pub(crate) fn in_milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

/// A number of bytes in the largest unit that divides it.
pub(crate) fn bytes(count: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    match units.into_iter().find(|(unit, _)| count >= *unit && count.is_multiple_of(*unit)) {
        Some((unit, name)) => format!("{} {name}", count / unit),
        None => format!("{count} bytes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_seven_significant_digits() {
        let numbers = [0.0, 0.1, 1.0 / 3.0, -2.5, 12345.678, 9999999.96, 1e7, -1.5e-7, 1e300];
        let texts = [
            "0",
            "0.1000000",
            "0.3333333",
            "-2.500000",
            "12345.68",
            "10000000",
            "1.000000e7",
            "-1.500000e-7",
            "1.000000e300",
        ];
        assert_eq!(numbers.map(number), texts);
    }

    #[test]
    fn bytes_are_given_exactly() {
        let sizes = [128 << 20, 4 << 30, 16 << 10, (128 << 20) - 1, 1536 << 20];
        assert_eq!(sizes.map(bytes), ["128 MiB", "4 GiB", "16 KiB", "134217727 bytes", "1536 MiB"]);
    }

    #[test]
    fn columns_are_aligned_under_their_titles() {
        let columns = [Column::Left("name", 6), Column::Right("count", 0)];
        assert_eq!(titles(&columns), "name    count");
        assert_eq!(row(&columns, ["a".into(), "12".into()]), "a          12");
        assert_eq!(row(&columns, ["longer".into(), "123456".into()]), "longer  123456");
    }
}
