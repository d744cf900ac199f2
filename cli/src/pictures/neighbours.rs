//! Some rows and what is nearest to them.

use std::fmt::Write;

use super::{Pairs, Rows, Thumbnails, escaped};
use crate::Result;

/// Rows that are asked for their neighbours,
const QUERIES: usize = 8;
/// and how many of these are shown.
const NEIGHBOURS: usize = 5;

/// A table of some queries with their nearest references in every pair of sides, each under its
/// title; what is of another class is marked. All sides have the same rows, in other embeddings.
pub(crate) fn neighbours(
    sides: &[(&str, Pairs<'_>)],
    thumbnails: Option<&Thumbnails<'_>>,
) -> Result<String> {
    let Some((_, Pairs { queries, references, .. })) = sides.first() else {
        return Ok(String::new());
    };
    let taken = queries.spread(QUERIES);
    let all = references.spread(usize::MAX);
    let found = sides.iter().map(|(_, pairs)| pairs.nearest(&taken, &all, NEIGHBOURS));
    let found: Vec<_> = found.collect::<Result<_>>()?;
    let titles: String =
        sides.iter().map(|(title, _)| format!("<th>{}</th>", escaped(title))).collect();
    let mut table = format!("<table class=\"neighbours\">\n<tr><th>row</th>{titles}</tr>\n");
    for (at, &query) in taken.iter().enumerate() {
        let own = queries.labels[query];
        let mut cells = format!("<td>{}</td>", cell(queries, query, own, thumbnails)?);
        for nearest in found.iter().map(|found| &found[at]) {
            let of = nearest.iter().map(|&(row, _)| cell(references, row, own, thumbnails));
            let _ = write!(cells, "<td>{}</td>", of.collect::<Result<String>>()?);
        }
        let _ = writeln!(table, "<tr>{cells}</tr>");
    }
    Ok(table + "</table>\n")
}

/// A row by its label, marked by whether that is the one looked for.
fn cell(
    rows: &Rows<'_>,
    row: usize,
    wanted: u32,
    thumbnails: Option<&Thumbnails<'_>>,
) -> Result<String> {
    let class = if rows.labels[row] == wanted { "same" } else { "other" };
    let picture = match thumbnails {
        Some(thumbnails) => {
            format!("<img alt=\"row {row}\" src=\"{}\">", thumbnails.address(row)?)
        }
        None => String::new(),
    };
    let (text, title) = (escaped(rows.label(row)), escaped(rows.title(row)));
    Ok(format!("<span class=\"neighbour {class}\" title=\"{title}\">{picture}{text}</span>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_class_is_marked() {
        let values = [0.0, 3.0, 1.0, -1.0, 9.0, 2.0, 8.0];
        let rows = Rows {
            values: &values,
            columns: 1,
            labels: &[1, 1, 2, 1, 2, 1, 2],
            classes: &["fox", "owl", "<emu>"].map(String::from),
            numbers: &[0, 1, 2, 3, 4, 5, 6],
        };
        let pairs = Pairs::among(rows);
        let table = neighbours(&[("before", pairs), ("after", pairs)], None).unwrap();
        assert_eq!(table.matches("<tr>").count(), 1 + 7);
        assert_eq!(table.matches("<span").count(), 7 * (1 + 5 + 5));
        assert!(table.contains(
            "class=\"neighbour other\" title=\"row 2, label &lt;emu&gt;\">&lt;emu&gt;</span>"
        ));
    }
}
