//! The commands that the documents name are those of the program.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::succeed;

/// Every document of the repository that a user reads.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut all: Vec<_> =
        ["README.md", "CONTRIBUTING.md", "docs/performance.md"].map(|name| root.join(name)).into();
    for folder in ["docs/guide", "docs/internals"] {
        let entries = fs::read_dir(root.join(folder)).expect("the folder of the guide");
        all.extend(entries.map(|entry| entry.expect("a page").path()));
    }
    all
}

/// The words after the program's name, of every command in a block of code or between backticks.
fn commands(text: &str) -> Vec<Vec<String>> {
    let starts = ["wgpu-metric-learning ", "cargo run --release -- "];
    let mut is_in_block = false;
    let mut all = Vec::new();
    for line in text.lines() {
        is_in_block ^= line.starts_with("```");
        // Between backticks is every second piece.
        let pieces = line.split('`').enumerate();
        for (_, piece) in pieces.filter(|(at, _)| is_in_block || at % 2 == 1) {
            let arguments = starts.iter().find_map(|start| piece.strip_prefix(start));
            all.extend(arguments.map(|rest| rest.split_whitespace().map(str::to_owned).collect()));
        }
    }
    all
}

#[test]
fn commands_of_the_documents_exist() {
    let mut helps = BTreeMap::new();
    let mut flags = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("a page");
        for words in commands(&text) {
            let Some(subcommand) = words.first().filter(|word| !word.starts_with('-')) else {
                continue;
            };
            let help = helps
                .entry(subcommand.clone())
                .or_insert_with(|| succeed(&[subcommand.as_str(), "--help"]));
            for flag in words.iter().filter(|word| word.starts_with("--")) {
                let known = help.split_whitespace().any(|word| word.trim_end_matches(',') == flag);
                assert!(known, "{}: {} has no {flag}", document.display(), subcommand);
                flags += 1;
            }
        }
    }
    assert!(helps.len() > 4 && flags > 10, "{} commands, {flags} flags", helps.len());
}
