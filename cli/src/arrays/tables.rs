//! Tables of text, CSV and its like: columns of numbers or of labels, as an `.npy` file.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};

use super::encoding;
use crate::names;

/// What stands between columns where no sign does: in no text.
const NOTHING: u8 = 0x1f;

/// The longest text of a column: as labels, all take the room of the longest.
const LONGEST: usize = 1000;

/// Makes the `.npy` file of a table, N x its columns; of one column by its name or its number from
/// 0 on, or of all but one, with a `-` before it.
///
/// The first row has the names of the columns where none of it is a number and something of the
/// next row is, where it counts four columns or more from 0 on, as pandas names them, and where the
/// name that is asked for is in it.
pub(super) fn read(table: &[u8], name: Option<&str>) -> Result<Vec<u8>, String> {
    let bytes = table.strip_prefix("\u{feff}".as_bytes()).unwrap_or(table);
    let mut rows = Rows::of(bytes);
    let first = rows.next().transpose()?.ok_or("holds no row")?;
    let second = rows.next().transpose()?;
    let titles = has_titles(&first, second.as_ref(), name).then_some(&first.fields);
    let columns = columns(first.fields.len(), titles, name)?;
    let mut values = Values::of(columns.len());
    let start = titles.is_none().then(|| first.clone()).into_iter().chain(second);
    for row in start.map(Ok).chain(rows) {
        let Row { line, fields } = row?;
        let (found, expected) = (fields.len(), first.fields.len());
        if found != expected {
            return Err(format!("line {line} has {found} columns, the first row {expected}"));
        }
        for &column in &columns {
            values.take(&fields[column]).map_err(|problem| {
                let title = titles.map_or(column.to_string(), |titles| titles[column].clone());
                format!("line {line}, column {column} {problem}: FILE#-{title} leaves it out")
            })?;
        }
    }
    values.encode()
}

/// A row of a table, and the line on which it begins.
#[derive(Clone)]
struct Row {
    line: usize,
    fields: Vec<String>,
}

/// The rows of a table one after the other. Lines of nothing, and those that begin with a `#`, are
/// no rows.
struct Rows<'a> {
    parser: Reader,
    /// What was not read yet, and the line on which it begins.
    text: &'a [u8],
    line: usize,
    /// Room for one field.
    field: Vec<u8>,
}

impl<'a> Rows<'a> {
    fn of(text: &'a [u8]) -> Self {
        let parser = ReaderBuilder::new().delimiter(delimiter(text)).build();
        Self { parser, text, line: 1, field: vec![0; LONGEST] }
    }

    /// Goes on by so many bytes.
    fn pass(&mut self, count: usize) {
        let (passed, rest) = self.text.split_at(count);
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count();
        self.text = rest;
    }

    /// Goes on to the first line of a row.
    fn pass_what_is_no_row(&mut self) {
        while let Some(first @ (b'\r' | b'\n' | b'#')) = self.text.first() {
            let is_comment = *first == b'#';
            let end = self.text.iter().position(|&byte| byte == b'\n');
            self.pass(if is_comment { end.unwrap_or(self.text.len()) } else { 1 });
        }
    }

    fn row(&mut self) -> Result<Row, String> {
        let line = self.line;
        let mut fields = Vec::new();
        let mut length = 0;
        loop {
            let (result, read, written) =
                self.parser.read_field(self.text, &mut self.field[length..]);
            self.pass(read);
            length += written;
            let is_last = match result {
                // There is no more, and what there was is a field.
                ReadFieldResult::InputEmpty => continue,
                ReadFieldResult::OutputFull => {
                    let column = fields.len();
                    return Err(format!(
                        "line {line}, column {column} has more than {LONGEST} bytes"
                    ));
                }
                ReadFieldResult::Field { record_end } => record_end,
                ReadFieldResult::End => true,
            };
            let field = str::from_utf8(&self.field[..length])
                .map_err(|error| format!("line {line}, column {}: {error}", fields.len()))?;
            fields.push(field.trim().to_owned());
            length = 0;
            if is_last {
                return Ok(Row { line, fields });
            }
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Row, String>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pass_what_is_no_row();
        (!self.text.is_empty()).then(|| self.row())
    }
}

/// What stands between the columns of the first line: a sign, a blank between numbers, or nothing.
fn delimiter(text: &[u8]) -> u8 {
    let lines = text.split(|&byte| byte == b'\n');
    let line = lines.map(<[u8]>::trim_ascii).find(|line| !line.is_empty() && line[0] != b'#');
    let line = line.unwrap_or_default();
    let sign = [b'\t', b';', b','].into_iter().find(|sign| line.contains(sign));
    let is_number = |part: &[u8]| str::from_utf8(part).is_ok_and(self::is_number);
    let are_numbers = || line.split(|&byte| byte == b' ').all(is_number);
    sign.unwrap_or_else(|| if are_numbers() { b' ' } else { NOTHING })
}

fn is_number(text: &str) -> bool {
    text.parse::<f32>().is_ok()
}

/// Whether the first row has the names of the columns.
fn has_titles(first: &Row, second: Option<&Row>, name: Option<&str>) -> bool {
    let titles = &first.fields;
    let has_numbers = |row: &Row| row.fields.iter().any(|field| is_number(field));
    // Shorter ones may be a pair of rows, or a triplet.
    let counts = || {
        let places = (0..titles.len()).map(|place| place.to_string());
        titles.len() > 3 && titles.iter().cloned().eq(places)
    };
    let is_asked_for = || {
        let is_it =
            |title: &String| Some(title.as_str()) == name || Some(&title[..]) == other(name);
        titles.iter().any(is_it)
    };
    if has_numbers(first) { counts() } else { is_asked_for() || second.is_some_and(has_numbers) }
}

/// The name of the column that is left out.
fn other(name: Option<&str>) -> Option<&str> {
    name?.strip_prefix('-')
}

/// The columns that are asked for, of so many.
pub(super) fn columns(
    count: usize,
    titles: Option<&Vec<String>>,
    name: Option<&str>,
) -> Result<Vec<usize>, String> {
    let Some(name) = name else { return Ok((0..count).collect()) };
    let numbers: Vec<_> = (0..count).map(|column| column.to_string()).collect();
    let known = || titles.unwrap_or(&numbers).iter().map(String::as_str);
    let exact = |name: &str| {
        let title = known().position(|title| title == name);
        title.or_else(|| numbers.iter().position(|number| number == name))
    };
    if let Some(column) = exact(name) {
        return Ok(vec![column]);
    }
    let find = |name: &str| -> Result<usize, String> {
        exact(names::find("column of it", name, known())?).ok_or_else(String::new)
    };
    match other(Some(name)) {
        Some(other) => {
            let left_out = exact(other).map_or_else(|| find(other), Ok)?;
            Ok((0..count).filter(|&column| column != left_out).collect())
        }
        None => find(name).map(|column| vec![column]),
    }
}

/// The values of the columns that were asked for, row by row.
enum Values {
    /// Of one column, which may hold labels.
    Column(Vec<String>),
    /// Of several: as numbers, and as integers for as long as all are.
    Matrix { columns: usize, numbers: Vec<f32>, integers: Option<Vec<i64>> },
}

impl Values {
    fn of(columns: usize) -> Self {
        match columns {
            1 => Self::Column(Vec::new()),
            _ => Self::Matrix { columns, numbers: Vec::new(), integers: Some(Vec::new()) },
        }
    }

    fn take(&mut self, text: &str) -> Result<(), String> {
        match self {
            Self::Column(texts) => texts.push(text.into()),
            Self::Matrix { numbers, integers, .. } => {
                numbers.push(number(text)?);
                match (text.parse(), &mut *integers) {
                    (Ok(integer), Some(integers)) => integers.push(integer),
                    _ => *integers = None,
                }
            }
        }
        Ok(())
    }

    fn encode(self) -> Result<Vec<u8>, String> {
        match self {
            Self::Column(texts) => column(&texts),
            Self::Matrix { columns, numbers, integers } => {
                let shape = [numbers.len() / columns.max(1), columns];
                Ok(match integers {
                    Some(integers) => {
                        encoding::bytes("<i8", &shape, integers.iter().map(|i| i.to_le_bytes()))
                    }
                    None => encoding::bytes("<f4", &shape, numbers.iter().map(|n| n.to_le_bytes())),
                })
            }
        }
    }
}

/// A number that f32 has.
fn number(text: &str) -> Result<f32, String> {
    let number: f32 = match text {
        "" => return Err("is empty, where a number is needed".into()),
        _ => text.parse().map_err(|_| format!("is {text:.40?}, no number"))?,
    };
    let is_infinite = || text.parse().is_ok_and(f64::is_infinite);
    if number.is_infinite() && !is_infinite() {
        return Err(format!("is {text:.40}, beyond the range of f32 (3.4e38)"));
    }
    Ok(number)
}

/// A column of integers, of other numbers, or of strings.
fn column(texts: &[String]) -> Result<Vec<u8>, String> {
    let shape = [texts.len(), 1];
    let of_i64: Option<Vec<i64>> = texts.iter().map(|text| text.parse().ok()).collect();
    if let Some(integers) = of_i64 {
        return Ok(encoding::bytes("<i8", &shape, integers.iter().map(|i| i.to_le_bytes())));
    }
    let of_u64: Option<Vec<u64>> = texts.iter().map(|text| text.parse().ok()).collect();
    if let Some(integers) = of_u64 {
        return Ok(encoding::bytes("<u8", &shape, integers.iter().map(|i| i.to_le_bytes())));
    }
    if texts.iter().all(|text| is_number(text)) {
        let numbers = texts.iter().enumerate().map(|(row, text)| {
            number(text).map(f32::to_le_bytes).map_err(|problem| format!("row {row} {problem}"))
        });
        return Ok(encoding::bytes("<f4", &shape, numbers.collect::<Result<Vec<_>, _>>()?));
    }
    Ok(encoding::of_texts(&shape, texts))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::labels::Ids;
    use crate::npy::Array;

    fn array(table: &str, name: Option<&str>) -> Result<Array<'static>, String> {
        let bytes = read(table.as_bytes(), name)?;
        let length = bytes.len() as u64;
        Array::parse(Cursor::new(bytes), Some(length))
    }

    /// The numbers of a table, and its columns.
    fn matrix(table: &str, name: Option<&str>) -> (Vec<f32>, usize) {
        let matrix = array(table, name).and_then(Array::matrix).unwrap().numbers;
        (matrix.values, matrix.columns)
    }

    fn labels(table: &str, name: Option<&str>) -> Ids {
        array(table, name).and_then(Array::labels).unwrap()
    }

    fn texts(texts: &[&str]) -> Ids {
        Ids::Texts(texts.iter().map(|text| text.to_string()).collect())
    }

    #[test]
    fn numbers_are_read_with_and_without_names_and_by_every_sign() {
        let expected = (vec![1.5, 2.0, -3.0, 4e-3], 2);
        for table in [
            "1.5,2\n-3,0.004\n",
            "x,y\n1.5,2\n-3,4e-3\n",
            "\u{feff}\"x\";\"y\"\r\n 1.5; 2\r\n-3;4e-3",
            "1.5\t2\n\n-3\t4e-3\n",
            "# numpy.savetxt\n1.5 2\n-3 4e-3\n",
        ] {
            assert_eq!(matrix(table, None), expected, "{table:?}");
        }
        assert_eq!(matrix("1.5\n2\n", None), (vec![1.5, 2.0], 1));
        assert_eq!(matrix("0,1,2,3\n5,6,7,8\n", None), (vec![5.0, 6.0, 7.0, 8.0], 4));
        assert_eq!(matrix("0,1,2\n5,6,7\n", None).0.len(), 6);
    }

    #[test]
    fn columns_are_taken_by_name_and_by_number_and_left_out() {
        let table = "x,species,y\n1,owl,2\n3,emu,4\n";
        assert_eq!(matrix(table, Some("-species")), (vec![1.0, 2.0, 3.0, 4.0], 2));
        assert_eq!(labels(table, Some("species")), texts(&["owl", "emu"]));
        assert_eq!(labels(table, Some("Species")), texts(&["owl", "emu"]));
        assert_eq!(matrix(table, Some("2")), (vec![2.0, 4.0], 1));
        let bare = "1,7\n3,8\n";
        assert_eq!(matrix(bare, Some("-1")), (vec![1.0, 3.0], 1));
        assert_eq!(labels(bare, Some("1")), Ids::Numbers(vec![7, 8]));
        let refused = array(table, Some("specis")).err().unwrap();
        assert!(refused.contains("no column of it, did you mean species?"), "{refused}");
        assert!(array(table, Some("-z")).is_err() && array(bare, Some("2")).is_err());
    }

    #[test]
    fn labels_are_lines_integers_or_texts() {
        assert_eq!(labels("golden retriever\npug\n", None), texts(&["golden retriever", "pug"]));
        assert_eq!(labels("breed\npug\n", Some("breed")), texts(&["pug"]));
        let large = u64::MAX.to_string();
        let expected = Ids::Numbers(vec![u64::MAX.into(), 3]);
        assert_eq!(labels(&format!("{large}\n3\n"), None), expected);
        let fractions = array("0.5\n1\n", None).and_then(Array::labels).unwrap_err();
        assert!(fractions.contains("row 0 is 0.5"), "{fractions}");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line_and_column() {
        let refused = |table, text: &str| {
            let problem = array(table, None).and_then(Array::matrix).err().unwrap();
            assert!(problem.contains(text), "{problem}");
        };
        refused(
            "x,y\n1,2\n3,owl\n",
            "line 3, column 1 is \"owl\", no number: FILE#-y leaves it out",
        );
        refused("x,y\n1,2\n,4\n", "line 3, column 0 is empty");
        refused("1,2\n3,4e99\n", "line 2, column 1 is 4e99, beyond the range of f32");
        refused("1,2\n3\n", "line 2 has 1 columns, the first row 2");
        refused("# nothing\n", "holds no row");
        refused("pug\nowl\n", "expected numbers, found strings");
    }

    #[test]
    fn integers_stay_integers() {
        let pairs = array("0,1\n2,16777217\n", None).and_then(Array::entries::<2>).unwrap();
        assert_eq!(pairs, [[0, 1], [2, (1 << 24) + 1]]);
    }
}
