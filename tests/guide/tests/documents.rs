//! The documents of the repository: their links lead somewhere, the files and targets that they name
//! exist, the book has every page and every picture as it is drawn, and what is computed by hand
//! follows from its formulas.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use guide::{PAGES, pictures, root};

/// The documents that a reader begins with, and the folder of the others.
const FIRST: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"];
const FOLDER: &str = "docs";

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file below a folder whose name ends so, but for the book that has been built.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && path != root().join(FOLDER).join("book") {
            found.extend(files(&path, end));
        } else if path.to_string_lossy().ends_with(end) {
            found.push(path);
        }
    }
    found
}

fn documents() -> Vec<PathBuf> {
    let mut all: Vec<_> = FIRST.iter().map(|name| root().join(name)).collect();
    all.extend(files(&root().join(FOLDER), ".md"));
    all
}

/// The text outside of blocks of code, and the lines of those in a shell.
fn prose_and_commands(text: &str) -> (String, Vec<String>) {
    let (mut prose, mut commands) = (String::new(), Vec::new());
    let mut block = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), block) {
            (Some(language), None) => block = Some(language),
            (Some(_), Some(_)) => block = None,
            (None, None) => prose.extend([line, "\n"]),
            (None, Some("sh")) => commands.push(line.to_owned()),
            (None, Some(_)) => {}
        }
    }
    (prose, commands)
}

/// What stands between backticks.
fn code_spans(prose: &str) -> impl Iterator<Item = &str> {
    prose.split('`').skip(1).step_by(2)
}

/// The paths of a span, of which braces may hold a part of each.
fn alternatives(span: &str) -> Vec<String> {
    let parts = span.split_once('{').and_then(|(head, rest)| Some((head, rest.split_once('}')?)));
    match parts {
        Some((head, (names, tail))) => {
            names.split(',').map(|name| format!("{head}{name}{tail}")).collect()
        }
        None => vec![span.into()],
    }
}

/// The fragments that the headings of a page have.
fn fragments(text: &str) -> BTreeSet<String> {
    let (prose, _) = prose_and_commands(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let fragment = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        kept.chars()
            .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
            .map(|letter| if letter == ' ' { '-' } else { letter })
            .collect()
    };
    headings.map(fragment).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for page in documents() {
        let text = read(&page);
        let (prose, _) = prose_and_commands(&text);
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for target in targets.filter(|target| !target.starts_with("https://")) {
            let (path, fragment) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => page.clone(),
                path => page.parent().expect("a folder").join(path),
            };
            let leads = file.exists()
                && (fragment.is_empty() || fragments(&read(&file)).contains(fragment));
            if !leads {
                broken.push(format!("{}: {target}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn files_that_are_named_exist() {
    let mut missing = Vec::new();
    for page in documents() {
        let (prose, _) = prose_and_commands(&read(&page));
        for span in code_spans(&prose) {
            let is_path = span.contains('/')
                && !span.contains(' ')
                && root().join(span.split('/').next().expect("a part")).is_dir();
            // NAME stands for whatever is added.
            let named = |path: String| -> PathBuf {
                path.split('/').take_while(|part| !part.contains("NAME")).collect()
            };
            let exists = |path| root().join(named(path)).exists();
            if is_path && !alternatives(span).into_iter().all(exists) {
                missing.push(format!("{}: {span}", page.display()));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

/// Whether a manifest of the repository has such a line.
fn is_in_a_manifest(line: &str) -> bool {
    let mut manifests = files(&root().join("tests"), "Cargo.toml");
    manifests.extend(files(&root().join("examples"), "Cargo.toml"));
    manifests.extend(["Cargo.toml", "cli/Cargo.toml"].map(|name| root().join(name)));
    manifests.iter().any(|manifest| read(manifest).lines().any(|one| one == line))
}

fn target_exists(option: &str, name: &str) -> bool {
    let has_source = |folder: &str| {
        let folder = root().join(folder);
        folder.join(format!("{name}.rs")).exists() || folder.join(name).is_dir()
    };
    match option {
        "--test" => has_source("tests") || has_source("cli/tests"),
        "--bench" => has_source("benches"),
        "--example" => has_source("examples"),
        "-p" | "--package" => is_in_a_manifest(&format!("name = \"{name}\"")),
        _ => true,
    }
}

#[test]
fn targets_of_cargo_that_are_named_exist() {
    let mut missing = Vec::new();
    let mut seen = 0;
    for page in documents() {
        let (prose, mut commands) = prose_and_commands(&read(&page));
        commands.extend(code_spans(&prose).map(str::to_owned));
        for command in commands.iter().filter(|command| command.contains("cargo ")) {
            let words: Vec<_> =
                command.split_whitespace().take_while(|word| *word != "--").collect();
            for pair in words.windows(2) {
                seen += usize::from(pair[0].starts_with('-'));
                if !target_exists(pair[0], pair[1]) {
                    missing.push(format!("{}: {command}", page.display()));
                }
            }
        }
    }
    assert!(missing.is_empty() && seen > 0, "{}", missing.join("\n"));
}

#[test]
fn the_book_has_every_page_and_its_examples_are_tests() {
    let folder = root().join(FOLDER);
    let summary = read(&folder.join("SUMMARY.md"));
    let listed: BTreeSet<_> =
        summary.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    for page in files(&folder, ".md") {
        let name =
            page.strip_prefix(&folder).expect("below it").to_string_lossy().replace('\\', "/");
        assert!(name == "SUMMARY.md" || listed.contains(&*name), "SUMMARY.md lacks {name}");
        let has_examples = read(&page).contains("```rust");
        assert!(!has_examples || PAGES.contains(&&*name), "the examples of {name} are not tested");
    }
}

#[test]
fn every_public_type_has_a_reason() {
    let folder = root().join(FOLDER);
    let page = read(&folder.join("public-api.md"));
    let reasons: BTreeSet<_> = code_spans(&page).collect();
    let surface = read(&folder.join("public-api.txt"));
    let kinds = ["pub struct ", "pub enum ", "pub trait ", "pub mod wgpu_metric_learning::"];
    let items = surface.lines().filter_map(|line| {
        let item = line.strip_prefix("#[non_exhaustive] ").unwrap_or(line);
        kinds.iter().find_map(|kind| item.strip_prefix(kind))
    });
    let names =
        items.filter_map(|item| item.split(": ").next()?.split('<').next()?.rsplit("::").next());
    let missing: BTreeSet<_> = names.filter(|name| !reasons.contains(name)).collect();
    assert!(missing.is_empty() && reasons.len() > 50, "public-api.md lacks {missing:?}");
}

#[test]
fn every_picture_is_as_it_is_drawn() {
    let folder = root().join(FOLDER).join("pictures");
    let drawn = pictures::all();
    for (name, picture) in &drawn {
        let kept = read(&folder.join(name)).replace("\r\n", "\n");
        assert!(kept == *picture, "{name} is not as `cargo run --release -p guide` draws it");
    }
    assert_eq!(files(&folder, ".svg").len(), drawn.len(), "a picture that nothing draws");
}

/// For N rows of 512 numbers in P ranks: what a rank receives, what it holds, and how long that
/// takes at 50 GB and 10^13 operations a second.
#[test]
fn figures_of_many_ranks_follow_from_their_formulas() {
    const DIMENSIONS: f64 = 512.0;
    let text = read(&root().join("docs/guide/many.md"));
    let table = text.lines().skip_while(|line| !line.starts_with("| GPUs | batch |")).skip(2);
    let mut rows = 0;
    for line in table.take_while(|line| line.starts_with('|')) {
        // Numbers without their commas and units.
        let cells: Vec<_> =
            line.trim_matches('|').split('|').map(|cell| cell.replace(',', "")).collect();
        let cells: Vec<_> =
            cells.iter().filter_map(|cell| cell.split_whitespace().next()).collect();
        let [ranks, batch] = [0, 1].map(|at| cells[at].parse::<f64>().expect("a count"));
        let others = batch - batch / ranks;
        let received = 4.0 * others * (2.0 * DIMENSIONS + 1.0);
        let expected = [
            received / 1e9,
            4.0 * batch * DIMENSIONS / 1e9,
            received / 50e9,
            3.0 * batch * (batch / ranks) * DIMENSIONS / 1e13,
        ];
        for (told, expected) in cells[2..].iter().zip(expected) {
            let digits = told.split_once('.').map_or(0, |(_, digits)| digits.len());
            assert_eq!(*told, format!("{expected:.digits$}"), "{line}");
        }
        rows += 1;
    }
    assert_eq!(rows, 6);
}
