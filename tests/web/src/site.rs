//! The page as a web server gives it, with what is changed of it for a test.

use std::fs;
use std::path::PathBuf;

use browser::{Answer, Request};

use crate::problem::{Problem, Result};

/// A change of one of the files.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Edit {
    Before(&'static str, &'static str),
    After(&'static str, &'static str),
    /// The file, what is in it, and what comes in its place everywhere.
    Instead(&'static str, &'static str, &'static str),
}

/// Every file of the page by its name, and of the digits.
pub(crate) struct Site {
    files: Vec<(String, Vec<u8>)>,
}

impl Site {
    pub(crate) fn read(folder: &PathBuf) -> Result<Self> {
        let problem = |error| Problem::File(folder.clone(), error);
        let mut files = Vec::new();
        for entry in fs::read_dir(folder).map_err(problem)? {
            let path = entry.map_err(problem)?.path();
            let contents = fs::read(&path).map_err(|error| Problem::File(path.clone(), error))?;
            files.push((path.file_name().unwrap_or_default().to_string_lossy().into(), contents));
        }
        Ok(Self { files })
    }

    /// Serves the page with these edits; returns its address.
    pub(crate) fn serve(&self, edits: &[Edit]) -> Result<String> {
        let mut files = self.files.clone();
        for edit in edits {
            edit.make(&mut files)?;
        }
        let answer = move |request: Request| {
            let name = request.path.trim_start_matches('/');
            let name = if name.is_empty() { "index.html" } else { name };
            match files.iter().find(|(one, _)| one == name) {
                Some((_, contents)) => Answer::file(kind(name), contents.as_slice()),
                None => Answer::missing(),
            }
        };
        Ok(browser::serve(answer)?)
    }
}

impl Edit {
    fn make(self, files: &mut [(String, Vec<u8>)]) -> Result<()> {
        let (Self::Before(name, text) | Self::After(name, text) | Self::Instead(name, text, _)) =
            self;
        let missing = Problem::Edit(name, text);
        let Some((_, contents)) = files.iter_mut().find(|(one, _)| one == name) else {
            return Err(missing);
        };
        let old = String::from_utf8_lossy(contents);
        let new = match self {
            Self::Before(..) => format!("{text}{old}"),
            Self::After(..) => format!("{old}{text}"),
            Self::Instead(_, from, to) if old.contains(from) => old.replace(from, to),
            Self::Instead(..) => return Err(missing),
        };
        *contents = new.into_bytes();
        Ok(())
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html",
        "js" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
