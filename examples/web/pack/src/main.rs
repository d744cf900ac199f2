//! Builds the page into a folder of static files, `target/page` unless another one is named.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use wasm_bindgen_cli_support as bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// The profile of the workspace that the page is compiled with.
const PROFILE: &str = "web";

fn main() -> Result<()> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("a folder of the page")?;
    let root = page.ancestors().nth(2).context("the root of the repository")?;
    let target = match env::var_os("CARGO_TARGET_DIR") {
        Some(folder) => env::current_dir()?.join(folder),
        None => root.join("target"),
    };
    let folder = env::args_os().nth(1).map_or_else(|| target.join("page"), PathBuf::from);

    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let compiled = Command::new(cargo)
        .args(["build", "--locked", "--package", "web", "--target", TARGET, "--profile", PROFILE])
        .arg("--target-dir")
        .arg(&target)
        .current_dir(root)
        .status()?;
    ensure!(
        compiled.success(),
        "the page was not compiled; `rustup target add {TARGET}` installs its target"
    );

    fs::create_dir_all(&folder)?;
    bindgen::Bindgen::new()
        .input_path(target.join(TARGET).join(PROFILE).join("metric_learning.wasm"))
        .web(true)?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&folder)?;
    let copy = |file: &Path| -> Result<u64> {
        Ok(fs::copy(file, folder.join(file.file_name().context("a file")?))?)
    };
    for entry in fs::read_dir(page.join("static"))? {
        copy(&entry?.path())?;
    }
    let wasm = fs::metadata(folder.join("metric_learning_bg.wasm"))?.len();
    println!("{}, with {:.2} MB of WebAssembly", folder.display(), wasm as f64 / 1e6);
    Ok(())
}
