//! What a visitor does on the page, by keys alone.

use std::time::Duration;

use serde_json::json;

use crate::files::Files;
use crate::page::{
    DARK_DESK, DARK_PHONE, DESK, DOWN, END, ENTER, HOME, LONG, PHONE, Page, RIGHT, SHORT, SPACE,
};
use crate::problem::{Problem, Result};

/// So much Precision@1 gains at least over the frames that are watched, in hundredths.
const GAIN: f64 = 20.0;

/// More than there are to choose among.
const MOST_LOSSES: usize = 20;

/// Steps that are watched once loss, mining and margin are others.
const MORE_STEPS: u64 = 30;

/// Fewer losses than are timed.
const LEAST_POINTS: usize = 7;

/// Does everything that the page is for, with what it shows then left on it.
pub(crate) fn visitor(page: &mut Page, files: &Files) -> Result<()> {
    validates(page, files)?;
    watches(page)?;
    benches(page, files)?;
    evaluates(page, files)?;
    page.picture("whole-light", DESK)?;
    page.picture("whole-dark", DARK_DESK)?;
    page.picture("whole-phone", PHONE)?;
    page.picture("whole-phone-dark", DARK_PHONE)
}

/// Everything that a page without a GPU pretends to compute.
pub(crate) fn everything(page: &mut Page) -> Result<()> {
    page.evaluate(
        "for (const id of ['validate', 'watch', 'bench']) eyes.find(id).requestSubmit()",
    )?;
    page.evaluate(
        "for (const id of ['embeddings', 'labels']) {
            const transfer = new DataTransfer();
            transfer.items.add(new File([''], 'staged.npy'));
            eyes.find(id).files = transfer.files;
        }
        eyes.find('own').requestSubmit();
        eyes.find('limits').open = true",
    )?;
    page.until("eyes.find('own-state').textContent === 'Done.'", SHORT)?;
    page.until("eyes.shown('watch-found').steps === '61'", SHORT)?;
    page.until("/timed/.test(eyes.find('bench-state').textContent)", SHORT)?;
    page.until("/failed/.test(eyes.find('validate-state').textContent)", SHORT)
}

/// Enter begins a validation, Space cancels it, and the focus stays.
pub(crate) fn cancels_validate(page: &mut Page, patience: Duration) -> Result<()> {
    page.tab_to("#validate-start")?;
    page.press(ENTER)?;
    page.until("eyes.find('validate-cancel').ariaDisabled === 'false'", patience)?;
    page.tab_to("#validate-cancel")?;
    page.press(SPACE)?;
    page.until("eyes.find('validate-state').textContent === 'Cancelled.'", patience)?;
    page.until("document.activeElement.id === 'validate-cancel'", patience)
}

fn validates(page: &mut Page, files: &Files) -> Result<()> {
    // Last in the list, where End comes to.
    page.evaluate("eyes.find('selection').add(new Option('for a test', '1000'))")?;
    cancels_validate(page, SHORT)?;
    page.tab_to("#selection")?;
    page.press(END)?;
    page.until("eyes.find('selection').value === '1000'", SHORT)?;
    page.tab_to("#validate-start")?;
    page.press(SPACE)?;
    page.until("/is within its bounds/.test(eyes.find('validate-state').textContent)", LONG)?;
    page.tab_to("a “Save the report”")?;
    page.press(ENTER)?;
    let report = files.saved("validation.json")?;
    let is_whole = report["check_agrees"] == true
        && report["cases"].as_u64().is_some_and(|cases| cases > 1)
        && report["limits"]["maxBufferSize"].as_u64().is_some_and(|size| size > 0);
    if !is_whole {
        return Err(Problem::Wrong { task: "the report of a validation", found: report });
    }
    page.tab_to("summary “Limits of the adapter”")?;
    page.press(SPACE)?;
    page.until("eyes.find('limits').open", SHORT)?;
    println!("validate, by keys: {}", page.text("validate-state")?);
    Ok(())
}

fn watches(page: &mut Page) -> Result<()> {
    // The links above are the short way, past Validate.
    page.tab_to("a “Watch”")?;
    page.press(ENTER)?;
    page.tab_to_next("#watch-loss")?;
    page.tab_to("#watch-start")?;
    page.press(ENTER)?;
    let steps = "Number((eyes.shown('watch-found').steps ?? '0').replaceAll(',', ''))";
    let until = |page: &mut Page, count: u64| page.until(&format!("{steps} >= {count}"), LONG);
    until(page, 60)?;
    // Precision@1 comes some frames late.
    page.until("/at first/.test(eyes.shown('watch-found')['Precision@1'])", LONG)?;
    let found = page.evaluate("eyes.shown('watch-found')")?;
    let precision = found["Precision@1"].as_str().unwrap_or_default().to_owned();
    match percents(&precision)[..] {
        [last, first] if last > first + GAIN => {}
        _ => return Err(Problem::Wrong { task: "watch", found }),
    }
    println!("watch, by keys: Precision@1 {precision}");
    goes_by_the_keys(page, steps)?;
    page.tab_to("#watch-pause")?;
    page.press(SPACE)?;
    page.until("eyes.find('watch-state').textContent === 'Paused.'", SHORT)?;
    page.until("/ steps of Triplet/.test(eyes.find('embedding').ariaLabel)", SHORT)?;
    page.press(ENTER)?;
    page.until("eyes.find('watch-state').textContent === 'Training.'", SHORT)?;
    page.press(SPACE)?;
    page.until("eyes.find('watch-state').textContent === 'Paused.'", SHORT)
}

/// Loss, mining and margin are changed while it trains.
fn goes_by_the_keys(page: &mut Page, steps: &str) -> Result<()> {
    let value = |page: &mut Page, id: &str| page.evaluate(&format!("eyes.find('{id}').value"));
    page.tab_to("#watch-loss")?;
    page.press(HOME)?;
    for _ in 0..MOST_LOSSES {
        if value(page, "watch-loss")? == "Triplet" {
            break;
        }
        page.press(DOWN)?;
    }
    page.until("!eyes.find('watch-mining').disabled", SHORT)?;
    for (id, key) in [("watch-mining", DOWN), ("watch-margin", RIGHT)] {
        let before = value(page, id)?;
        page.tab_to(&format!("#{id}"))?;
        page.press(key)?;
        page.until(
            &format!("eyes.find('{id}').value !== '{}'", before.as_str().unwrap_or_default()),
            SHORT,
        )?;
    }
    let begun = page.evaluate(steps)?.as_u64().unwrap_or_default();
    page.until(&format!("{steps} >= {}", begun + MORE_STEPS), LONG)
}

fn benches(page: &mut Page, files: &Files) -> Result<()> {
    page.tab_to("#largest")?;
    page.press(HOME)?;
    page.until("eyes.find('largest').value === '256'", SHORT)?;
    page.tab_to("#bench-start")?;
    page.press(ENTER)?;
    page.until("eyes.find('bench-cancel').ariaDisabled === 'false'", SHORT)?;
    page.tab_to("#bench-cancel")?;
    page.press(ENTER)?;
    page.until("eyes.find('bench-state').textContent === 'Cancelled.'", SHORT)?;
    page.tab_to("#bench-start")?;
    page.press(SPACE)?;
    page.until("/timed/.test(eyes.find('bench-state').textContent)", LONG)?;
    page.tab_to("a “Save the times”")?;
    page.press(ENTER)?;
    let times = files.saved("bench.json")?;
    let points = times["points"].as_array().map_or(&[][..], Vec::as_slice);
    // Where the browser grants its clock, every loss has a time by it.
    let granted = page.evaluate(
        "navigator.gpu.requestAdapter().then((adapter) => adapter.features.has('timestamp-query'))",
    )?;
    let bars = page.evaluate("document.querySelectorAll('#times meter').length")?;
    let is_whole = points.len() >= LEAST_POINTS
        && bars == points.len()
        && times["limits"]["operations_per_second"].as_f64().is_some_and(|count| count > 0.0)
        && points.iter().all(|point| point["gpu_ms"].is_number() == (granted == true));
    if !is_whole {
        return Err(Problem::Wrong { task: "the times", found: times });
    }
    println!("bench, by keys: {} GPU's clock granted: {granted}", page.text("bench-state")?);
    Ok(())
}

fn evaluates(page: &mut Page, files: &Files) -> Result<()> {
    choose(page, "#embeddings", &files.wrong)?;
    choose(page, "#labels", &files.wrong)?;
    page.tab_to("#own-start")?;
    page.press(ENTER)?;
    page.until("/the file of embeddings: /.test(eyes.find('own-state').textContent)", LONG)?;
    println!("wrong files: {}", page.text("own-state")?);
    page.picture("wrong-files", PHONE)?;

    choose(page, "#embeddings", &files.embeddings)?;
    choose(page, "#labels", &files.labels)?;
    page.tab_to("#loss")?;
    page.press(DOWN)?;
    page.tab_to("#own-start")?;
    page.press(SPACE)?;
    shows_own(page)?;
    drop_files(page, files)?;
    page.evaluate("eyes.find('own').requestSubmit()")?;
    shows_own(page)
}

fn shows_own(page: &mut Page) -> Result<()> {
    page.until("eyes.find('own-state').textContent === 'Done.'", LONG)?;
    page.until("eyes.shown('own-found')['Precision@1'] > 0.5", SHORT)?;
    page.until("!eyes.find('scatter').hidden", SHORT)?;
    page.until("/^300 rows of 10 classes/.test(eyes.find('scatter').ariaLabel)", SHORT)
}

/// Chooses a file in the dialog that Enter opens.
pub(crate) fn choose(page: &mut Page, input: &str, file: &str) -> Result<()> {
    page.tab_to(input)?;
    page.press(ENTER)?;
    let dialog = page.hear("Page.fileChooserOpened")?;
    let chosen = json!({ "files": [file], "backendNodeId": dialog["backendNodeId"] });
    page.ask("DOM.setFileInputFiles", chosen)?;
    Ok(())
}

/// Drops both files on their part of the page, after the ones there were are taken away.
fn drop_files(page: &mut Page, files: &Files) -> Result<()> {
    page.evaluate("for (const id of ['embeddings', 'labels']) eyes.find(id).value = ''")?;
    page.evaluate("eyes.find('own-title').scrollIntoView()")?;
    let place = page.evaluate("eyes.find('own-title').getBoundingClientRect().toJSON()")?;
    let of_files = json!({
        "items": [],
        "files": [files.labels, files.embeddings],
        "dragOperationsMask": 1,
    });
    let at = |side: &str| place[side].as_f64().unwrap_or_default() + 5.0;
    for kind in ["dragEnter", "dragOver", "drop"] {
        let drag = json!({ "type": kind, "x": at("left"), "y": at("top"), "data": of_files });
        page.ask("Input.dispatchDragEvent", drag)?;
    }
    let named = |id: &str, name: &str| format!("eyes.find('{id}').files[0]?.name === '{name}'");
    page.until(&named("embeddings", "digits.npy"), SHORT)?;
    page.until(&named("labels", "digits-labels.npy"), SHORT)
}

/// The numbers that stand before a percent sign.
fn percents(text: &str) -> Vec<f64> {
    let words: Vec<_> = text.split([' ', ',']).collect();
    words.windows(2).filter(|pair| pair[1] == "%").filter_map(|pair| pair[0].parse().ok()).collect()
}
