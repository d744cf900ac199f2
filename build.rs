//! Lists the WGSL files below `shaders/`, so that any of them can include any other.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const SHADERS: &str = "shaders";

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed={SHADERS}");
    let mut paths = Vec::new();
    list(Path::new(SHADERS), "", &mut paths)?;
    paths.sort();
    let out = env::var_os("OUT_DIR").expect("cargo names a folder for what a build script writes");
    fs::write(PathBuf::from(out).join("shaders.rs"), array_of(&paths))
}

/// Adds the files below `folder`, with `/` between folders on every platform.
fn list(folder: &Path, prefix: &str, paths: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{path}/"), paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

/// The Rust array of all shaders, each with its path and text.
fn array_of(paths: &[String]) -> String {
    let mut array = String::from("[\n");
    for path in paths {
        let file = format!("concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/{SHADERS}/{path}\")");
        writeln!(array, "Shader {{ path: {path:?}, text: include_str!({file}) }},")
            .expect("a string takes every text");
    }
    array + "]\n"
}
