//! The page around the pictures.

use std::env;
use std::path::Path;

use super::{Picture, escaped};
use crate::{Result, output};

/// What a browser lets the page do: show what it holds itself.
const POLICY: &str = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

/// What pictures look like wherever they stand.
pub(super) const OF_PICTURES: &str = include_str!("picture.css");

/// A page in one file: it asks for nothing else, reads well in light and dark and on a phone.
pub(crate) struct Page {
    title: String,
    body: String,
    pub(super) pictures: Vec<Picture>,
}

impl Page {
    /// A page that begins with the command and the version that have made it, and with what has
    /// computed.
    pub(crate) fn new(title: &str, on: &str) -> Self {
        let (title, body, pictures) = (escaped(title), String::new(), Vec::new());
        let mut page = Self { title, body, pictures };
        page.body += &format!("<p><code>{}</code></p>\n", escaped(command()));
        page.say(&format!("wgpu-metric-learning {}, {on}.", env!("CARGO_PKG_VERSION")));
        page
    }

    /// Adds a paragraph of text.
    pub(crate) fn say(&mut self, text: &str) {
        self.body += &format!("<p>{}</p>\n", escaped(text));
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
    pub(crate) fn beside(&mut self, pictures: impl IntoIterator<Item = Picture>) {
        let first = self.pictures.len();
        self.pictures.extend(pictures);
        let figure = |Picture { caption, svg, .. }: &Picture| {
            format!("<figure><figcaption>{}</figcaption>{svg}</figure>\n", escaped(caption))
        };
        let figures: String = self.pictures[first..].iter().map(figure).collect();
        self.body += &format!("<div class=\"beside\">\n{figures}</div>\n");
    }

    /// The whole page.
    fn html(&self) -> String {
        let Self { title, body, .. } = self;
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <link rel=\"icon\" href=\"data:,\">\n<title>{title}</title>\n\
             <style>\n{}{OF_PICTURES}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}</body>\n</html>\n",
            include_str!("page.css")
        )
    }

    /// Writes it, whole or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<()> {
        output::write(path, |file| file.write_all(self.html().as_bytes()))
    }
}

/// The line that was typed, as a shell takes it.
fn command() -> String {
    let quoted = |argument: String| {
        let is_plain = |letter: char| letter.is_alphanumeric() || "-_./=,:@+".contains(letter);
        match argument.chars().all(is_plain) && !argument.is_empty() {
            true => argument,
            false => format!("'{}'", argument.replace('\'', r"'\''")),
        }
    };
    let arguments =
        env::args_os().skip(1).map(|argument| quoted(argument.to_string_lossy().into()));
    std::iter::once(env!("CARGO_BIN_NAME").to_owned())
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
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
