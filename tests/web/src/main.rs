//! Opens the page of `examples/web` in headless Chromium, and does on it what a visitor does, by keys
//! alone: validates, watches, benches, cancels, saves, gives files, and wrong ones. Looks at it with
//! the rules for those who see, hear or move otherwise, and at pages that break them; opens it where
//! WebGPU is missing; and plants what the page must tell: a fault, a lost device, memory that is not
//! there. Makes pictures of it where a folder for them is named.

mod access;
mod faults;
mod files;
mod keyboard;
mod page;
mod problem;
mod site;
mod tasks;
mod visits;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use browser::Gpu;
use serde_json::json;

use files::Files;
use page::Page;
use problem::{Problem, Result};
use site::Site;
use visits::MOST_BYTES;

const REQUEST: &str = "Network.requestWillBeSent";

fn main() -> ExitCode {
    match check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<()> {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let (chromium, folder, digits, pictures) = match arguments.as_slice() {
        [chromium, page, digits] => (chromium, page, digits, None),
        [chromium, page, digits, pictures] => (chromium, page, digits, Some(pictures.as_path())),
        _ => return Err(Problem::Usage),
    };
    if let Some(pictures) = pictures {
        fs::create_dir_all(pictures).map_err(|error| Problem::File(pictures.into(), error))?;
    }
    is_small(&folder.join("metric_learning_bg.wasm"))?;
    let site = Site::read(folder)?;
    let files = Files::write(digits)?;
    let start = |gpu| Page::start(chromium, gpu, &[], pictures);
    let nothing = |_: &str| false;

    let mut page = visits::validates_soon(|| start(Gpu::Software), &site)?;
    let address = site.serve(&[])?;
    page.heard(REQUEST);
    page.visit_whole(&address)?;
    let saved = json!({ "behavior": "allow", "downloadPath": files.folder });
    page.ask("Browser.setDownloadBehavior", saved)?;
    keyboard::visitor(&mut page, &files)?;
    asks_for_its_own(&mut page, &address)?;
    visits::tell_what_is_planted(&mut page, &site)?;
    page.end(nothing)?;

    let mut page = start(Gpu::None)?;
    faults::are_caught(&mut page, &site)?;
    page.end(|_| true)?;

    let little = [String::from(visits::LITTLE_MEMORY)];
    let mut page = Page::start(chromium, Gpu::Software, &little, pictures)?;
    visits::lacks_memory(&mut page, &site, &files)?;
    page.end(nothing)?;

    let mut page = start(Gpu::None)?;
    visits::misses_webgpu(&mut page, &site)?;
    // What the browser itself says of a machine without a GPU.
    page.end(|line| line.contains("No available adapters."))
}

fn is_small(wasm: &Path) -> Result<()> {
    let found = fs::metadata(wasm).map_err(|error| Problem::File(wasm.to_path_buf(), error))?;
    let size = found.len();
    if size < MOST_BYTES { Ok(()) } else { Err(Problem::Large { wasm: wasm.to_path_buf(), size }) }
}

/// The page has asked for no file but its own.
fn asks_for_its_own(page: &mut Page, address: &str) -> Result<()> {
    let asked = page.heard(REQUEST);
    let is_own = |url: &str| url.starts_with(address) || url.starts_with("blob:");
    let visited: Vec<_> = asked.iter().filter_map(|one| one["request"]["url"].as_str()).collect();
    let others: Vec<_> = visited.iter().filter(|url| !is_own(url)).collect();
    if visited.iter().any(|url| url.starts_with(address)) && others.is_empty() {
        return Ok(());
    }
    Err(Problem::Wrong { task: "requests", found: json!(others) })
}
