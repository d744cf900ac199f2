//! Holds the public surface of the library against `docs/public-api.txt`, and with `--write` writes
//! it there.
//!
//! In the surface are all items, and the traits that each type implements, derived ones and auto
//! traits too: no longer to be `Clone` or `Send` breaks a caller just as a missing function does.
//! Implementations for all types are other crates' and are left out.

mod promise;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

use promise::{Difference, bound_by};
use public_api::Builder;
use rustdoc_types::FORMAT_VERSION;
use semver::Version;
use serde::Deserialize;

/// The exit status that tells that nothing was checked, apart from that of a surface that is not as
/// promised, 1.
const NOT_CHECKED: u8 = 2;

/// Set where this program stands in the place of rustdoc.
const AS_RUSTDOC: &str = "SURFACE_AS_RUSTDOC";

/// Traits that the compiler implements for its own use. No caller can name them, and which there
/// are changes with the compiler.
const COMPILERS_OWN: [&str; 3] = [
    "core::marker::Freeze for ",
    "core::marker::StructuralPartialEq for ",
    "core::marker::UnsafeUnpin for ",
];

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("cargo or rustdoc could not be run: {0}")]
    Run(#[from] io::Error),
    #[error("rustdoc failed")]
    Rustdoc,
    #[error("rustdoc's JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("rustdoc's JSON: {0}")]
    PublicApi(#[from] public_api::Error),
    #[error(
        "THE PUBLIC SURFACE WAS NOT CHECKED: this compiler's rustdoc writes JSON of format {0}, and {1} is read"
    )]
    Format(u32, u32),
    #[error(
        "{0}The public surface differs. To write it down: cargo run --release --package surface -- --write"
    )]
    Differs(String),
    #[error(
        "{0}This breaks what release {1} promised: {2} in Cargo.toml must not be an update of it"
    )]
    Broken(String, Version, Version),
}

/// What rustdoc's JSON says in every format.
#[derive(Deserialize)]
struct Header {
    format_version: u32,
    crate_version: Version,
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| Problem::File(path.to_owned(), error))
}

/// Has rustdoc write the library's JSON, beside the documentation in the target directory where
/// this program lies.
fn rustdoc_json(root: &Path) -> Result<PathBuf, Problem> {
    let program = env::current_exe()?;
    let target = program.ancestors().nth(2).unwrap_or(root);
    let mut cargo = Command::new("cargo");
    cargo.args(["doc", "--release", "--locked", "--no-deps", "--package", "wgpu-metric-learning"]);
    cargo.args(["--lib", "--target-dir"]).arg(target);
    cargo.env("RUSTDOCFLAGS", "-Z unstable-options --output-format json");
    cargo.env("RUSTDOC", &program).env(AS_RUSTDOC, "1");
    let status = cargo.current_dir(root).status()?;
    status.success().then(|| target.join("doc/wgpu_metric_learning.json")).ok_or(Problem::Rustdoc)
}

/// Runs rustdoc with the unstable options that its JSON needs. Were they allowed to all of cargo,
/// every dependency whose build script asks for them would be compiled anew, now and at the next
/// build without them.
fn as_rustdoc() -> Result<&'static str, Problem> {
    let status = Command::new("rustdoc")
        .args(env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1")
        .status()?;
    status.success().then_some("").ok_or(Problem::Rustdoc)
}

/// The version of the library and its surface, one item a line.
fn surface(json: &Path) -> Result<(Version, String), Problem> {
    let header: Header = serde_json::from_str(&read(json)?)?;
    if header.format_version != FORMAT_VERSION {
        return Err(Problem::Format(header.format_version, FORMAT_VERSION));
    }
    let items = Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?.to_string();
    let own = |item: &str| {
        item.starts_with("impl") && COMPILERS_OWN.iter().any(|name| item.contains(name))
    };
    Ok((
        header.crate_version,
        items.lines().filter(|item| !own(item)).map(|item| format!("{item}\n")).collect(),
    ))
}

fn run(write: bool) -> Result<&'static str, Problem> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("docs/public-api.txt");
    let (version, actual) = surface(&rustdoc_json(&root)?)?;
    let promised = read(&file)?;
    let difference = Difference::between(&promised, &actual);
    let bound = bound_by(&version, &read(&root.join("CHANGELOG.md"))?);
    match bound.filter(|_| difference.breaking) {
        Some(release) => Err(Problem::Broken(difference.to_string(), release, version)),
        None if write => {
            fs::write(&file, actual).map_err(|error| Problem::File(file, error))?;
            Ok("The public surface is written down in docs/public-api.txt.\n")
        }
        None if difference.is_empty() => Ok("The public surface is that of docs/public-api.txt.\n"),
        None => Err(Problem::Differs(difference.to_string())),
    }
}

fn main() -> ExitCode {
    let write = env::args().any(|argument| argument == "--write");
    match if env::var_os(AS_RUSTDOC).is_some() { as_rustdoc() } else { run(write) } {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::from(if matches!(problem, Problem::Format(..)) { NOT_CHECKED } else { 1 })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_format_is_told_apart() {
        let json = env::temp_dir().join(format!("surface-{}.json", std::process::id()));
        fs::write(&json, r#"{"crate_version": "0.1.0", "root": {}, "format_version": 1}"#)
            .expect("a temporary file");
        let read = surface(&json);
        fs::remove_file(&json).expect("the temporary file");
        assert!(matches!(read, Err(Problem::Format(1, FORMAT_VERSION))));
    }
}
