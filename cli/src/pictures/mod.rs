//! Reports: pages of one file each, with pictures that need no network and no script.

mod distances;
mod lines;
mod neighbours;
mod page;
mod scatter;
mod thumbnails;

pub(crate) use distances::{KEY, distances};
pub(crate) use lines::{Line, lines};
pub(crate) use neighbours::neighbours;
pub(crate) use page::{Page, table};
pub(crate) use scatter::scatter;
pub(crate) use thumbnails::Thumbnails;

use std::fmt::Display;

/// Labelled rows as pictures take them.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub values: &'a [f32],
    pub columns: usize,
    pub labels: &'a [u32],
    /// What the labels stand for; nothing where they are numbers.
    pub classes: &'a [String],
    /// Where each is in its file.
    pub numbers: &'a [usize],
}

impl<'a> Rows<'a> {
    fn row(&self, row: usize) -> &'a [f32] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// What is said of a row.
    fn title(&self, row: usize) -> String {
        format!("row {}, label {}", self.numbers[row], self.label(row))
    }

    /// The label of a row as its file has it.
    fn label(&self, row: usize) -> String {
        let label = self.labels[row];
        self.classes.get(label as usize).map_or_else(|| label.to_string(), String::clone)
    }

    /// At most so many rows, evenly spread: a page of all rows of a large file would not open.
    fn spread(&self, most: usize) -> Vec<usize> {
        let rows = self.labels.len();
        let taken = rows.min(most);
        (0..taken).map(|at| at * rows / taken).collect()
    }

    /// The Euclidean distance of two rows.
    fn distance(&self, row: usize, other: usize) -> f64 {
        let pairs = self.row(row).iter().zip(self.row(other));
        pairs.map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>().sqrt()
    }
}

/// Text as HTML and SVG take it.
fn escaped(text: impl Display) -> String {
    let text = text.to_string();
    let entity = |letter: char| match letter {
        '&' => "&amp;".into(),
        '<' => "&lt;".into(),
        '>' => "&gt;".into(),
        '"' => "&quot;".into(),
        '\'' => "&#39;".into(),
        letter => letter.to_string(),
    };
    text.chars().map(entity).collect()
}

/// The colour of a class, one of ten: the seven that most eyes tell apart, its yellow darkened, and
/// a grey, a brown and a violet.
///
/// Source: Okabe and Ito, "Color Universal Design", 2008.
pub(crate) fn colour(class: usize) -> &'static str {
    const COLOURS: [&str; 10] = [
        "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7f7f7f",
        "#8c510a", "#5e4fa2",
    ];
    COLOURS[class % COLOURS.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread_and_their_distances_right() {
        let values = [0.0, 0.0, 3.0, 4.0, 3.0, 0.0];
        let rows = Rows {
            values: &values,
            columns: 2,
            labels: &[1, 2, 1],
            classes: &[],
            numbers: &[0, 1, 2],
        };
        assert_eq!((rows.distance(0, 1), rows.distance(1, 2)), (5.0, 4.0));
        assert_eq!((rows.spread(10), rows.spread(2)), (vec![0, 1, 2], vec![0, 1]));
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("<a href=\"x\">'&'"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
    }
}
