//! What the page shows soon, and what it tells where something goes wrong.

use serde_json::json;

use crate::files::Files;
use crate::keyboard::choose;
use crate::page::{LONG, PHONE, Page};
use crate::problem::{Problem, Result};
use crate::site::{Edit, Site};
use crate::tasks::{self, Longest};

/// So large the page's WebAssembly is not.
pub(crate) const MOST_BYTES: u64 = 3_000_000;

/// So long after it was asked for, in milliseconds, the page has a first result at the latest.
pub(crate) const SOON: f64 = 3000.0;

/// So long a task of the page may keep a processor busy, in milliseconds, in which nothing is drawn. How
/// long it lasts is told, and not held: with a GPU that is software a page waits for its turn.
pub(crate) const STILL: f64 = 100.0;

/// Every so many-th case of the quick selection is validated.
const EVERY: usize = 100;

/// How often figures are taken again where they do not hold.
const ATTEMPTS: usize = 3;

/// What goes wrong in the worker of the page, and what is told of it.
const PLANTS: &[(&str, Edit, &str)] = &[
    ("wrong-distances", Edit::Before(WORKER, include_str!("plants/wrong.js")), "of its bound"),
    ("lost", Edit::Before(WORKER, include_str!("plants/lost.js")), "the device was lost while "),
    ("memory", Edit::Before(WORKER, include_str!("plants/memory.js")), "out of GPU memory while "),
];

const WORKER: &str = "worker.js";

/// The first visit of a browser: the quick validation, of which the first result comes soon, and
/// during which the page is never still for long.
pub(crate) fn validates_soon(start: impl Fn() -> Result<Page>, site: &Site) -> Result<Page> {
    let address = site.serve(&[])?;
    let mut least = [f64::INFINITY; 2];
    // Whatever else the machine does is not in all of them.
    for attempt in 1..=ATTEMPTS {
        let mut page = start()?;
        tasks::watch(&mut page)?;
        page.visit(&address)?;
        let told = validate(&mut page, if attempt == 1 { EVERY } else { 3 * EVERY })?;
        let Longest { worked, lasted } = tasks::longest(&mut page)?;
        let cases = number_before(&told, " cases is within its bounds.");
        if cases.is_none_or(|cases| cases < 4) {
            let failures = page.text("failures")?;
            return Err(Problem::Wrong { task: "validate", found: json!([told, failures]) });
        }
        println!("validate: {told}");
        let first = page.evaluate("eyes.first")?.as_f64().unwrap_or(f64::INFINITY);
        println!(
            "  the first result after {first:.0} ms; tasks worked for up to {worked:.0} ms, and lasted {lasted:.0}"
        );
        least = [least[0].min(first), least[1].min(worked)];
        if least[0] < SOON && least[1] <= STILL {
            page.picture("validate-phone", PHONE)?;
            return Ok(page);
        }
        page.end(|_| false)?;
    }
    let [first, worked] = least;
    Err(Problem::Slow { first, worked })
}

/// Validates every so many-th case; what is told at the end.
fn validate(page: &mut Page, every: usize) -> Result<String> {
    page.evaluate(&format!(
        "eyes.find('selection').add(new Option('for a test', '{every}', true, true));
        eyes.find('validate').requestSubmit()"
    ))?;
    let state = "eyes.find('validate-state')";
    page.until(
        &format!("/within|failed/.test({state}.textContent) || {state}.matches('.problem')"),
        LONG,
    )?;
    page.text("validate-state")
}

/// Faults, a lost device and lack of memory are told.
pub(crate) fn tell_what_is_planted(page: &mut Page, site: &Site) -> Result<()> {
    for &(name, plant, says) in PLANTS {
        page.visit(&site.serve(&[plant])?)?;
        let told = validate(page, 3 * EVERY)?;
        let failures = page.text("failures")?;
        if !failures.contains(says) || !told.contains("cases failed") {
            return Err(Problem::Wrong { task: name, found: json!([told, failures]) });
        }
        println!("{name}: {told}");
        page.picture(name, PHONE)?;
    }
    Ok(())
}

/// Browser's arguments for 20 MB of memory for WebAssembly, in pages of 64 KiB.
pub(crate) const LITTLE_MEMORY: &str = "--js-flags=--wasm-max-mem-pages=320";

/// Files that do not fit into the memory of WebAssembly are told so: once read by the library, which
/// asks for memory and hears that there is none, and once as they are handed over, which ends it.
pub(crate) fn lacks_memory(page: &mut Page, site: &Site, files: &Files) -> Result<()> {
    page.visit_whole(&site.serve(&[])?)?;
    choose(page, "#labels", &files.labels)?;
    let says = ["no memory for its 3200000 values", "out of memory: WebAssembly has "];
    for (file, says) in files.large.iter().zip(says) {
        choose(page, "#embeddings", file)?;
        page.evaluate("eyes.find('own').requestSubmit()")?;
        page.until("eyes.find('own-state').matches('.problem')", LONG)?;
        let told = page.text("own-state")?;
        if !told.contains(says) {
            return Err(Problem::Wrong { task: "a large file", found: json!(told) });
        }
        println!("a large file: {told}");
    }
    Ok(())
}

/// A browser without WebGPU is told so.
pub(crate) fn misses_webgpu(page: &mut Page, site: &Site) -> Result<()> {
    page.visit(&site.serve(&[])?)?;
    page.until("!eyes.find('missing').hidden", LONG)?;
    let told = page.text("missing")?;
    if !told.contains("WebGPU") {
        return Err(Problem::Wrong { task: "missing", found: json!(told) });
    }
    println!("without WebGPU: {told}");
    page.picture("missing", PHONE)
}

/// The number that stands before these words.
fn number_before(text: &str, words: &str) -> Option<usize> {
    text.strip_suffix(words)?.rsplit(' ').next()?.parse().ok()
}
