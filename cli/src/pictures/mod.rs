//! Reports: pages of one file each, with pictures that need no network and no script, and the same
//! pictures as files.

mod distances;
mod files;
mod frame;
mod lines;
mod neighbours;
mod page;
mod pairs;
mod scatter;
mod thumbnails;

pub(crate) use distances::distances;
pub(crate) use files::Paths;
pub(crate) use lines::{Line, Lines, lines};
pub(crate) use neighbours::neighbours;
pub(crate) use page::{Page, table};
pub(crate) use pairs::Pairs;
pub(crate) use scatter::scatter;
pub(crate) use thumbnails::Thumbnails;

use std::fmt::Display;

/// A picture under its caption.
pub(crate) struct Picture {
    /// The name of its files, without an ending.
    pub name: String,
    pub caption: String,
    pub svg: String,
}

impl Picture {
    pub(crate) fn new(name: &str, caption: &str, svg: String) -> Self {
        Self { name: name.into(), caption: caption.into(), svg }
    }
}

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
        self.class(self.labels[row])
    }

    /// What a label stands for.
    fn class(&self, label: u32) -> String {
        self.classes.get(label as usize).map_or_else(|| label.to_string(), String::clone)
    }

    /// At most so many rows, evenly spread: a page of all rows of a large file would not open.
    fn spread(&self, most: usize) -> Vec<usize> {
        let rows = self.labels.len();
        let taken = rows.min(most);
        (0..taken).map(|at| at * rows / taken).collect()
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
fn colour(class: usize) -> &'static str {
    COLOURS[class % COLOURS.len()]
}

const COLOURS: [&str; 10] = [
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#7f7f7f",
    "#8c510a", "#5e4fa2",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_spread() {
        let rows = Rows {
            values: &[0.0, 3.0, 4.0],
            columns: 1,
            labels: &[1, 2, 1],
            classes: &[],
            numbers: &[0, 1, 2],
        };
        assert_eq!((rows.spread(10), rows.spread(2)), (vec![0, 1, 2], vec![0, 1]));
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("<a href=\"x\">'&'"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;");
    }
}
