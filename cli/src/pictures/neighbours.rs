//! Some rows and what is nearest to them.

use std::fmt::Write;

use super::{Rows, Thumbnails, escaped};
use crate::Result;

/// Rows that are asked for their neighbours,
const QUERIES: usize = 8;
/// and how many of these are shown.
const NEIGHBOURS: usize = 5;

/// A table of some rows with their nearest neighbours before and after, what is of another class
/// marked.
pub(crate) fn neighbours(
    before: &Rows<'_>,
    after: &Rows<'_>,
    thumbnails: Option<&Thumbnails<'_>>,
) -> Result<String> {
    let mut table = String::from(
        "<table class=\"neighbours\">\n<tr><th>row</th><th>nearest before</th><th>nearest after</th></tr>\n",
    );
    for query in before.spread(QUERIES) {
        let own = before.labels[query];
        let cell = |row: usize| -> Result<String> {
            let class = if before.labels[row] == own { "same" } else { "other" };
            let picture = match thumbnails {
                Some(thumbnails) => {
                    format!("<img alt=\"row {row}\" src=\"{}\">", thumbnails.address(row)?)
                }
                None => String::new(),
            };
            let text = escaped(before.label(row));
            let title = escaped(before.title(row));
            Ok(format!(
                "<span class=\"neighbour {class}\" title=\"{title}\">{picture}{text}</span>"
            ))
        };
        let cells = |rows: &Rows<'_>| -> Result<String> {
            nearest(rows, query).into_iter().map(&cell).collect()
        };
        let (query, before, after) = (cell(query)?, cells(before)?, cells(after)?);
        let _ = writeln!(table, "<tr><td>{query}</td><td>{before}</td><td>{after}</td></tr>");
    }
    Ok(table + "</table>\n")
}

/// The nearest other rows, the nearest first, of equal ones the first.
fn nearest(rows: &Rows<'_>, query: usize) -> Vec<usize> {
    let others = (0..rows.labels.len()).filter(|&row| row != query);
    let mut others: Vec<_> = others.map(|row| (rows.distance(query, row), row)).collect();
    others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    others.into_iter().take(NEIGHBOURS).map(|(_, row)| row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let values = [0.0, 3.0, 1.0, -1.0, 9.0, 2.0, 8.0];
        let rows = Rows {
            values: &values,
            columns: 1,
            labels: &[1, 1, 2, 1, 2, 1, 2],
            classes: &["fox", "owl", "<emu>"].map(String::from),
            numbers: &[0, 1, 2, 3, 4, 5, 6],
        };
        assert_eq!(nearest(&rows, 0), [2, 3, 5, 1, 6]);
        let table = neighbours(&rows, &rows, None).unwrap();
        assert_eq!(table.matches("<tr>").count(), 1 + 7);
        assert!(table.contains(
            "class=\"neighbour other\" title=\"row 2, label &lt;emu&gt;\">&lt;emu&gt;</span>"
        ));
    }
}
