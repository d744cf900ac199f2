//! The page around the pictures.

use std::path::Path;

use super::escaped;
use crate::{Result, output};

/// What a browser lets the page do: show what it holds itself.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// A page in one file: it asks for nothing else, reads well in light and dark and on a phone.
pub(crate) struct Page {
    title: String,
    body: String,
}

impl Page {
    pub(crate) fn new(title: &str) -> Self {
        Self { title: escaped(title), body: String::new() }
    }

    /// Adds a paragraph of text.
    pub(crate) fn say(&mut self, text: &str) {
        self.body += &format!("<p>{}</p>\n", escaped(text));
    }

    /// Adds a line as it is typed.
    pub(crate) fn command(&mut self, line: &str) {
        self.body += &format!("<p><code>{}</code></p>\n", escaped(line));
    }

    /// Adds a heading.
    pub(crate) fn section(&mut self, heading: &str) {
        self.body += &format!("<h2>{}</h2>\n", escaped(heading));
    }

    /// Adds something in HTML that may be wider than the page.
    pub(crate) fn add(&mut self, html: &str) {
        self.body += &format!("<div class=\"wide\">{html}</div>\n");
    }

    /// Adds pictures beside each other, each under its caption.
    pub(crate) fn beside(&mut self, pictures: &[(&str, String)]) {
        let figure = |(caption, picture): &(&str, String)| {
            format!("<figure><figcaption>{}</figcaption>{picture}</figure>\n", escaped(caption))
        };
        let figures: String = pictures.iter().map(figure).collect();
        self.body += &format!("<div class=\"beside\">\n{figures}</div>\n");
    }

    /// Adds what colours mean.
    pub(crate) fn key(&mut self, colours: &[(&str, &str)]) {
        let key = |(colour, meaning): &(&str, &str)| {
            format!("<span class=\"key\" style=\"--of:{colour}\">{}</span>", escaped(meaning))
        };
        let keys: String = colours.iter().map(key).collect();
        self.body += &format!("<p>{keys}</p>\n");
    }

    /// The whole page.
    fn html(&self) -> String {
        let Self { title, body } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n\
             <style>\n{}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n",
            include_str!("page.css")
        )
    }

    /// Writes it, whole or not at all.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        output::write(path, |file| file.write_all(self.html().as_bytes()))
    }
}

/// A table of texts with its titles.
pub(crate) fn table(titles: &[&str], rows: &[Vec<String>]) -> String {
    let cells = |tag: &str, texts: &mut dyn Iterator<Item = String>| -> String {
        texts.map(|text| format!("<{tag}>{}</{tag}>", escaped(text))).collect()
    };
    let titles = cells("th", &mut titles.iter().map(|title| (*title).to_owned()));
    let rows: String = rows
        .iter()
        .map(|row| format!("<tr>{}</tr>\n", cells("td", &mut row.iter().cloned())))
        .collect();
    format!("<table>\n<tr>{titles}</tr>\n{rows}</table>\n")
}
