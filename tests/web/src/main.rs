//! Opens the page of `examples/web` in headless Chromium, and does on it what a visitor does: it
//! validates, watches, benches, cancels, gives files of its own, and wrong ones; opens it where WebGPU
//! is missing; and plants what the page must tell: a fault, a lost device, memory that is not there.
//! Makes pictures of it where a folder for them is named.
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

/// Something that goes wrong in the worker of the page.
#[derive(Clone, Copy, Debug)]
enum Plant {
    Nothing,
    WrongDistances,
    LostDevice,
    NoMemory,
}

impl Plant {
    /// What comes before the worker's own code.
    const fn code(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::WrongDistances => include_str!("plants/wrong.js"),
            Self::LostDevice => include_str!("plants/lost.js"),
            Self::NoMemory => include_str!("plants/memory.js"),
        }
    }
}

/// So large the page's WebAssembly is not.
const MOST_BYTES: u64 = 3_000_000;

/// So long after it was asked for, in milliseconds, the page has a first result at the latest.
const SOON: f64 = 3000.0;

/// So long a task of the page may keep it from being drawn, in milliseconds.
const STILL: f64 = 100.0;

/// How often these figures are taken again where they do not hold.
const ATTEMPTS: usize = 3;

/// So much Precision@1 gains at least over the frames that are watched.
const GAIN: f64 = 20.0;

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("usage: web-check CHROMIUM PAGE DIGITS [PICTURES], all but the first folders")]
    Usage,
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{wasm} has {size} bytes, of {MOST_BYTES} at most", wasm = wasm.display())]
    Large { wasm: PathBuf, size: u64 },
    #[error("Chromium could not be run: {0}")]
    Run(#[from] io::Error),
    #[error("{task}: nothing came of it within {patience} s; the console says {said:?}", patience = PATIENCE.as_secs())]
    Silence { task: &'static str, said: Vec<String> },
    #[error("{task}: the console says {said:?}")]
    Console { task: &'static str, said: Vec<String> },
    #[error(
        "the first result came after {first:.0} ms, of {SOON} at most; the page was still for {longest:.0} ms, of {STILL} at most"
    )]
    Slow { first: f64, longest: f64 },
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
    plant: Plant,
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
            plant: Plant::Nothing,
            picture: "light",
            look: LIGHT,
        }
    }
}

const LIGHT: &[&str] = &["--window-size=1000,2400"];
const DARK: &[&str] = &["--window-size=1000,2400", "--blink-settings=preferredColorScheme=0"];
const NARROW_DARK: &[&str] = &["--window-size=500,2800", "--blink-settings=preferredColorScheme=0"];
const NARROW: &[&str] = &["--window-size=500,2800"];

fn check() -> Result<(), Problem> {
    let arguments: Vec<_> = env::args_os().skip(1).map(PathBuf::from).collect();
    let (chromium, page, digits, pictures) = match arguments.as_slice() {
        [chromium, page, digits] => (chromium, page, digits, None),
        [chromium, page, digits, pictures] => (chromium, page, digits, Some(pictures.as_path())),
        _ => return Err(Problem::Usage),
    };
    let wasm = page.join("metric_learning_bg.wasm");
    let size = fs::metadata(&wasm).map_err(|error| Problem::File(wasm.clone(), error))?.len();
    if size >= MOST_BYTES {
        return Err(Problem::Large { wasm, size });
    }
    let page = Page { chromium, folders: &[page, digits], pictures };
    validates(&page)?;
    watches(&page)?;
    evaluates(&page)?;
    tells_what_is_planted(&page)?;
    for (task, gpu, says) in [
        ("wrong", Gpu::Software, "the file of embeddings: "),
        ("cancel", Gpu::Software, "Cancelled."),
        ("missing", Gpu::None, "WebGPU"),
    ] {
        let found = page.open(Visit { task, gpu, picture: task, ..Visit::default() })?;
        if !text(&found, "told").contains(says) {
            return Err(Problem::Wrong { task, found });
        }
        println!("{task}: {}", text(&found, "told"));
    }
    Ok(())
}

fn validates(page: &Page<'_>) -> Result<(), Problem> {
    let found = page.open(Visit { choices: selection(EVERY), ..Visit::default() })?;
    let cases = number_before(&text(&found, "told"), " cases is within its bounds.");
    if cases.is_none_or(|cases| cases < 8) {
        return Err(Problem::Wrong { task: "validate", found });
    }
    println!("{}", text(&found, "told"));
    let number = |found: &Value, key: &str| found[key].as_f64().unwrap_or(f64::NAN);
    let figures = |found: &Value| [number(found, "first"), number(found, "longest")];
    let mut least = figures(&found);
    let hold = |[first, longest]: [f64; 2]| first < SOON && longest <= STILL;
    // Whatever else the machine does is not in all of them.
    for attempt in 0..ATTEMPTS {
        if hold(least) && (attempt > 0 || page.pictures.is_none()) {
            break;
        }
        let narrow = Visit {
            choices: selection(3 * EVERY),
            picture: "narrow",
            look: NARROW,
            ..Visit::default()
        };
        let again = figures(&page.open(narrow)?);
        least = [0, 1].map(|at| least[at].min(again[at]));
    }
    let [first, longest] = least;
    println!("  the first {first:.0} ms after the page, still for no more than {longest:.0} ms");
    if hold(least) { Ok(()) } else { Err(Problem::Slow { first, longest }) }
}

fn watches(page: &Page<'_>) -> Result<(), Problem> {
    // Once, and once more for a picture of it.
    let looks = [("watch", LIGHT), ("watch-narrow-dark", NARROW_DARK)];
    let looks = looks.into_iter().take(1 + usize::from(page.pictures.is_some()));
    for (picture, look) in looks {
        let found = page.open(Visit { task: "watch", picture, look, ..Visit::default() })?;
        let precisions = percents(&text(&found["trained"], "Precision@1"));
        let steps = text(&found["retrained"], "steps").parse().unwrap_or(0);
        match precisions[..] {
            [last, first] if last > first + GAIN && steps >= 30 => {}
            _ => return Err(Problem::Wrong { task: "watch", found }),
        }
        println!("watch: Precision@1 {}", text(&found["trained"], "Precision@1"));
    }
    Ok(())
}

fn evaluates(page: &Page<'_>) -> Result<(), Problem> {
    let found =
        page.open(Visit { task: "own", picture: "dark", look: DARK, ..Visit::default() })?;
    if found["drawn"] != true || !text(&found, "found").contains("Precision@1") {
        return Err(Problem::Wrong { task: "own", found });
    }
    let found =
        page.open(Visit { task: "bench", picture: "bench", look: NARROW, ..Visit::default() })?;
    let rows = found["rows"].as_u64().unwrap_or_default();
    if rows < 7 || text(&found, "told") != format!("{rows} points timed.") {
        return Err(Problem::Wrong { task: "bench", found });
    }
    println!("bench: {}", text(&found, "told"));
    Ok(())
}

fn tells_what_is_planted(page: &Page<'_>) -> Result<(), Problem> {
    for (plant, picture, says) in [
        (Plant::WrongDistances, "wrong-distances", "of its bound"),
        (Plant::LostDevice, "lost", "the device was lost while "),
        (Plant::NoMemory, "memory", "out of GPU memory while "),
    ] {
        let choices = selection(3 * EVERY);
        let found = page.open(Visit { choices, plant, picture, ..Visit::default() })?;
        let is_told = text(&found, "failures").contains(says);
        if !is_told || !text(&found, "told").contains("cases failed") {
            return Err(Problem::Wrong { task: picture, found });
        }
        println!("{plant:?} is told: {}", text(&found, "told"));
    }
    Ok(())
}

fn selection(every: usize) -> String {
    format!("&selection={every}")
}

fn text(found: &Value, key: &str) -> String {
    found[key].as_str().unwrap_or_default().to_owned()
}

/// The numbers that stand before a percent sign.
fn percents(text: &str) -> Vec<f64> {
    let words: Vec<_> = text.split([' ', ',']).collect();
    words.windows(2).filter(|pair| pair[1] == "%").filter_map(|pair| pair[0].parse().ok()).collect()
}

/// The number that stands before these words.
fn number_before(text: &str, words: &str) -> Option<usize> {
    text.strip_suffix(words)?.rsplit(' ').next()?.parse().ok()
}

/// The page, and what opens it.
struct Page<'a> {
    chromium: &'a Path,
    /// Its files, and the digits.
    folders: &'a [&'a PathBuf],
    pictures: Option<&'a Path>,
}

impl Page<'_> {
    /// What comes of a visit.
    fn open(&self, visit: Visit) -> Result<Value, Problem> {
        let (address, reports) = serve(self.folders, visit.plant)?;
        let pictures = self.pictures.map_or_else(env::temp_dir, Path::to_path_buf);
        let picture = pictures.join(format!("{}.png", visit.picture));
        let mut more = vec![format!("--screenshot={}", picture.display())];
        more.extend(visit.look.iter().map(ToString::to_string));
        let address = format!("{address}?task={}{}", visit.task, visit.choices);
        let mut browser = Browser::open(self.chromium, &address, visit.gpu, &more)?;
        let report = reports.recv_timeout(PATIENCE);
        let has_ended = report.is_ok() && browser.ends_within(PATIENCE)?;
        let (task, mut said) = (visit.task, browser.console());
        // What the browser itself says of a machine without a GPU.
        let is_own = |line: &String| line.contains("No available adapters.");
        said.retain(|line| visit.gpu == Gpu::Software || !is_own(line));
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
fn serve(folders: &[&PathBuf], plant: Plant) -> Result<(String, Receiver<String>), Problem> {
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
            ("GET", name) => file(&files, if name.is_empty() { "index.html" } else { name }, plant),
            _ => Answer::missing(),
        }
    };
    Ok((browser::serve(answer)?, reports))
}

fn file(files: &[(String, Vec<u8>)], name: &str, plant: Plant) -> Answer {
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
        "worker.js" => Answer::file(kind, [plant.code().as_bytes(), contents].concat()),
        _ => Answer::file(kind, contents.as_slice()),
    }
}
