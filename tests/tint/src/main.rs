//! Compiles every kernel that `wgpu-metric-learning shaders` has written to a folder with Tint, the
//! WGSL compiler of Chromium, each as a module and as a compute pipeline.
//!
//! A headless Chromium opens a page of this program's, which compiles the kernels on WebGPU and
//! posts what it found. The page also compiles two kernels that must be refused, one with a barrier
//! that only some invocations reach and one with a buffer that is not in its layout: a browser that
//! takes them has checked nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use std::{env, fs, io};

use browser::{Answer, Browser, Gpu};
use serde_json::{Value, json};

const PAGE: &str = include_str!("page.html");

/// How long the browser has for all kernels, of which it compiles some hundreds a second.
const PATIENCE: Duration = Duration::from_secs(300);

/// How many refused kernels are told with their reason.
const TOLD: usize = 10;

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("usage: tint CHROMIUM FOLDER, the folder being that of `shaders --out FOLDER`")]
    Usage,
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0}: {1}")]
    Json(PathBuf, serde_json::Error),
    #[error("{0} lists no kernel")]
    Empty(PathBuf),
    #[error("Chromium could not be run: {0}")]
    Run(#[from] io::Error),
    #[error("Chromium has not answered within {} s", PATIENCE.as_secs())]
    Silence,
    #[error("the page: {0}")]
    Page(String),
    #[error("a kernel that must be refused was taken: {0}")]
    Control(Value),
    #[error("of {1} kernels Tint refused {0}")]
    Refused(usize, usize),
}

fn main() -> ExitCode {
    match check() {
        Ok(count) => {
            println!("Tint compiled all {count} kernels, and refused those it had to refuse");
            ExitCode::SUCCESS
        }
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn check() -> Result<usize, Problem> {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [chromium, folder] = arguments.as_slice() else { return Err(Problem::Usage) };
    let kernels = kernels(folder)?;
    let (address, reports) = serve(json!(kernels).to_string())?;
    let browser = Browser::open(chromium, &address, Gpu::Software, &[])?;
    let report = reports.recv_timeout(PATIENCE).map_err(|_| Problem::Silence)?;
    drop(browser);
    judge(&report, kernels.len())
}

/// Serves the page and the kernels that it asks for; returns its address and what is posted to it.
fn serve(kernels: String) -> io::Result<(String, Receiver<String>)> {
    let (sender, reports) = channel();
    let address = browser::serve(move |request| {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/") => Answer::file("text/html", PAGE),
            ("GET", "/kernels.json") => Answer::file("application/json", kernels.as_str()),
            ("POST", "/report") => {
                // Only the first report is waited for.
                let _ = sender.send(request.body);
                Answer::taken()
            }
            _ => Answer::missing(),
        }
    })?;
    Ok((address, reports))
}

/// What the folder's index says of each kernel, with its WGSL.
fn kernels(folder: &Path) -> Result<Vec<Value>, Problem> {
    let index = folder.join("index.json");
    let text = read(&index)?;
    let mut kernels: Vec<Value> =
        serde_json::from_str(&text).map_err(|error| Problem::Json(index.clone(), error))?;
    if kernels.is_empty() {
        return Err(Problem::Empty(index));
    }
    for kernel in &mut kernels {
        let path = kernel["path"].as_str().unwrap_or_default();
        kernel["wgsl"] = read(&folder.join(path))?.into();
    }
    Ok(kernels)
}

fn read(path: &Path) -> Result<String, Problem> {
    fs::read_to_string(path).map_err(|error| Problem::File(path.to_path_buf(), error))
}

/// The number of kernels, where the page compiled that many and refused only what it had to.
fn judge(report: &str, count: usize) -> Result<usize, Problem> {
    let report: Value =
        serde_json::from_str(report).map_err(|error| Problem::Page(error.to_string()))?;
    let (Some(refused), true) = (report["refused"].as_array(), report["checked"] == count) else {
        return Err(Problem::Page(report.to_string()));
    };
    for kernel in refused.iter().take(TOLD) {
        let [path, problem] = ["path", "problem"].map(|key| kernel[key].as_str().unwrap_or("?"));
        eprintln!("{path}: {problem}");
    }
    if !refused.is_empty() {
        return Err(Problem::Refused(refused.len(), count));
    }
    let says = |reason: &Value, text| reason.as_str().is_some_and(|reason| reason.contains(text));
    let unbound = report["unbound"].as_array().map_or(&[][..], Vec::as_slice);
    let is_controlled = says(&report["divergent"], "uniform control flow")
        && !unbound.is_empty()
        && unbound.iter().all(|reason| says(reason, "PipelineLayout"));
    if is_controlled { Ok(count) } else { Err(Problem::Control(report)) }
}
