//! Opens the page of `examples/web` in headless Chromium, and does on it what a visitor does: it
//! validates, cancels, gives files of its own, and wrong ones; opens it where WebGPU is missing; and
//! plants a fault that the page must tell. Makes pictures of it where a folder for them is named.
//!
//! The page holds a picture that comes when its task is done, so that the browser, which makes its
//! screenshot when a page has come whole, makes it then.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use std::{env, fs, io};

use browser::{Answer, Browser, Gpu, Request};
use serde_json::Value;

/// How long the page has for a task, and the browser for a picture of it.
const PATIENCE: Duration = Duration::from_secs(240);

/// Every so many-th case of the quick selection is validated.
const EVERY: usize = 100;

const CHECK: &str = include_str!("check.js");

/// What a distance is multiplied by that the page must find wrong.
const FAULT: &str = "const make = GPUDevice.prototype.createShaderModule;
GPUDevice.prototype.createShaderModule = function (module) {
    return make.call(this, { ...module, code: module.code.replaceAll(\" sqrt(\", \" 1.01 * sqrt(\") });
};\n";

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("usage: web-check CHROMIUM PAGE DIGITS [PICTURES], all but the first folders")]
    Usage,
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("Chromium could not be run: {0}")]
    Run(#[from] io::Error),
    #[error("{task}: nothing came of it within {patience} s; the console says {said:?}", patience = PATIENCE.as_secs())]
    Silence { task: &'static str, said: Vec<String> },
    #[error("{task}: the console says {said:?}")]
    Console { task: &'static str, said: Vec<String> },
    #[error("{task}: {found}")]
    Wrong { task: &'static str, found: Value },
}

fn main() -> ExitCode {
    match check() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Something that is done on the page.
struct Visit {
    task: &'static str,
    /// What is chosen for it, as a query.
    choices: String,
    gpu: Gpu,
    /// Whether a fault is planted.
    fault: bool,
    /// The name of a picture, and what its browser is told.
    picture: &'static str,
    look: &'static [&'static str],
}

impl Default for Visit {
    fn default() -> Self {
        Self {
            task: "validate",
            choices: String::new(),
            gpu: Gpu::Software,
            fault: false,
            picture: "light",
            look: &["--window-size=1000,1500"],
        }
    }
}

const DARK: &[&str] = &["--window-size=1000,1700", "--blink-settings=preferredColorScheme=0"];
const NARROW: &[&str] = &["--window-size=500,2200"];

fn check() -> Result<(), Problem> {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let (chromium, page, digits, pictures) = match arguments.as_slice() {
        [chromium, page, digits] => (chromium, page, digits, None),
        [chromium, page, digits, pictures] => (chromium, page, digits, Some(pictures.as_path())),
        _ => return Err(Problem::Usage),
    };
    let visit = |visit: Visit| visit.make(chromium, &[page, digits], pictures);
    let selection = |every: usize| format!("&selection={every}");

    let found = visit(Visit { choices: selection(EVERY), ..Visit::default() })?;
    let text = |found: &Value, key: &str| found[key].as_str().unwrap_or_default().to_owned();
    let cases = number_before(&text(&found, "told"), " cases is within its bounds.");
    if cases.is_none_or(|cases| cases < 8) {
        return Err(Problem::Wrong { task: "validate", found });
    }
    println!(
        "{}\n  the first after {:.1} s, the page never still for more than {:.0} ms",
        text(&found, "told"),
        found["first"].as_f64().unwrap_or(f64::NAN) / 1e3,
        // What else this machine does is in it, so that no limit of it would hold everywhere.
        found["longest"].as_f64().unwrap_or(f64::NAN),
    );

    let planted =
        Visit { choices: selection(3 * EVERY), fault: true, picture: "fault", ..Visit::default() };
    let found = visit(planted)?;
    if !text(&found, "told").contains("cases failed")
        || !text(&found, "failures").contains("\"loss\"")
    {
        return Err(Problem::Wrong { task: "a planted fault", found });
    }
    println!("A planted fault was told: {}", text(&found, "told"));

    let narrow = Visit {
        choices: selection(3 * EVERY),
        picture: "narrow",
        look: NARROW,
        ..Visit::default()
    };
    visit(narrow)?;
    let found = visit(Visit { task: "own", picture: "dark", look: DARK, ..Visit::default() })?;
    if found["drawn"] != true || !text(&found, "found").contains("Precision@1") {
        return Err(Problem::Wrong { task: "own", found });
    }
    let found = visit(Visit { task: "bench", picture: "bench", look: NARROW, ..Visit::default() })?;
    let rows = found["rows"].as_u64().unwrap_or_default();
    if rows < 7 || text(&found, "told") != format!("{rows} points timed.") {
        return Err(Problem::Wrong { task: "bench", found });
    }
    println!("bench: {}", text(&found, "told"));
    for (task, gpu, says) in [
        ("wrong", Gpu::Software, "the file of embeddings: "),
        ("cancel", Gpu::Software, "Cancelled."),
        ("missing", Gpu::None, "WebGPU"),
    ] {
        let found = visit(Visit { task, gpu, picture: task, ..Visit::default() })?;
        if !text(&found, "told").contains(says) {
            return Err(Problem::Wrong { task, found });
        }
        println!("{task}: {}", text(&found, "told"));
    }
    Ok(())
}

/// The number that stands before these words.
fn number_before(text: &str, words: &str) -> Option<usize> {
    text.strip_suffix(words)?.rsplit(' ').next()?.parse().ok()
}

impl Visit {
    /// What comes of it.
    fn make(
        self,
        chromium: &Path,
        folders: &[&PathBuf],
        pictures: Option<&Path>,
    ) -> Result<Value, Problem> {
        let (address, reports) = serve(folders, self.fault)?;
        let pictures = pictures.map_or_else(env::temp_dir, Path::to_path_buf);
        let picture = pictures.join(format!("{}.png", self.picture));
        let mut more = vec![format!("--screenshot={}", picture.display())];
        more.extend(self.look.iter().map(ToString::to_string));
        let address = format!("{address}?task={}{}", self.task, self.choices);
        let mut browser = Browser::open(chromium, &address, self.gpu, &more)?;
        let report = reports.recv_timeout(PATIENCE);
        let has_ended = report.is_ok() && browser.ends_within(PATIENCE)?;
        let (task, mut said) = (self.task, browser.console());
        // What the browser itself says of a machine without a GPU.
        let is_own = |line: &String| line.contains("No available adapters.");
        said.retain(|line| self.gpu == Gpu::Software || !is_own(line));
        let (Ok(report), true) = (report, has_ended) else {
            return Err(Problem::Silence { task, said });
        };
        if !said.is_empty() {
            return Err(Problem::Console { task, said });
        }
        Ok(serde_json::from_str(&report).unwrap_or(Value::String(report)))
    }
}

/// What is held back until a task is done.
#[derive(Default)]
struct Held {
    is_done: Mutex<bool>,
    done: Condvar,
}

impl Held {
    fn wait(&self) {
        let is_done = self.is_done.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.done.wait_while(is_done, |is_done| !*is_done));
    }

    fn release(&self) {
        *self.is_done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.done.notify_all();
    }
}

/// Serves the files of these folders, with what does a task on the page; returns the address and
/// what comes of the task.
fn serve(folders: &[&PathBuf], fault: bool) -> Result<(String, Receiver<String>), Problem> {
    let mut files = Vec::new();
    for folder in folders {
        let problem = |error| Problem::File(folder.to_path_buf(), error);
        for entry in fs::read_dir(folder).map_err(problem)? {
            let path = entry.map_err(problem)?.path();
            let contents = fs::read(&path).map_err(|error| Problem::File(path.clone(), error))?;
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            files.push((name, contents));
        }
    }
    let held = Arc::new(Held::default());
    let (sender, reports) = channel();
    let answer = move |request: Request| {
        let path = request.path.split('?').next().unwrap_or_default();
        match (request.method.as_str(), path.trim_start_matches('/')) {
            ("POST", "report") => {
                // Only the first report is waited for.
                let _ = sender.send(request.body);
                held.release();
                Answer::taken()
            }
            ("GET", "held.svg") => {
                held.wait();
                Answer::file("image/svg+xml", r#"<svg xmlns="http://www.w3.org/2000/svg"/>"#)
            }
            ("GET", "check.js") => Answer::file("text/javascript", CHECK),
            ("GET", name) => file(&files, if name.is_empty() { "index.html" } else { name }, fault),
            _ => Answer::missing(),
        }
    };
    Ok((browser::serve(answer)?, reports))
}

fn file(files: &[(String, Vec<u8>)], name: &str, fault: bool) -> Answer {
    let Some((_, contents)) = files.iter().find(|(one, _)| one == name) else {
        return Answer::missing();
    };
    let kind = match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html",
        "js" => "text/javascript",
        "css" => "text/css",
        "svg" => "image/svg+xml",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    };
    match name {
        "index.html" => {
            let with = "<script type=\"module\" src=\"check.js\"></script><img src=\"held.svg\" alt=\"\"></body>";
            let text = String::from_utf8_lossy(contents).replace("</body>", with);
            Answer::file(kind, text)
        }
        "worker.js" if fault => Answer::file(kind, [FAULT.as_bytes(), contents].concat()),
        _ => Answer::file(kind, contents.as_slice()),
    }
}
