//! Pages on which something is wrong for those who use keys, a screen reader, weak eyes or a finger:
//! the rules must find it.

use std::time::Duration;

use crate::access::{self, Breaches};
use crate::keyboard;
use crate::page::{Page, SHORT};
use crate::problem::{Problem, Result};
use crate::site::{Edit, Site};
use crate::tasks::{self, Longest};
use crate::visits::STILL;

/// So long a button has to do something.
const AT_ONCE: Duration = Duration::from_secs(2);

/// The page whose worker only pretends to compute, on an adapter that is not there.
const STAGE: [Edit; 2] = [
    Edit::Before("common.js", include_str!("adapter.js")),
    Edit::After("worker.js", include_str!("stage.js")),
];

/// What is wrong, where, by which rule it is found, and what that says.
type Fault = (&'static str, Edit, fn(&mut Page) -> Result<Breaches>, &'static str);

const FAULTS: &[Fault] = {
    use Edit::{After, Instead};
    const HTML: &str = "index.html";
    const CSS: &str = "page.css";
    &[
        (
            "a control that Tab leaves out",
            Instead(HTML, "id=\"largest\"", "id=\"largest\" tabindex=\"-1\""),
            access::keys,
            "#largest is not reached by Tab",
        ),
        (
            "a control that comes first",
            Instead(HTML, "id=\"objective\"", "id=\"objective\" tabindex=\"1\""),
            access::keys,
            "comes after",
        ),
        (
            "a control that is drawn elsewhere",
            After(CSS, "#selection { position: absolute; top: 0; }"),
            access::keys,
            "comes after",
        ),
        (
            "a key that does nothing",
            After("page.js", "addEventListener('keydown', (event) => event.preventDefault());"),
            access::keys,
            "is not reached by Tab",
        ),
        (
            "a focus that is not seen",
            Instead(CSS, "outline: 3px solid var(--strong)", "outline: none"),
            access::keys,
            "nobody sees",
        ),
        (
            "a focus that is hardly seen",
            Instead(CSS, "outline: 3px solid var(--strong)", "outline: 3px solid var(--raised)"),
            access::keys,
            "nobody sees",
        ),
        (
            "a heading that hears clicks",
            After("page.js", "find('own-title').addEventListener('click', () => {});"),
            access::clicks,
            "H2 hears click",
        ),
        (
            "a list without a label",
            Instead(HTML, "<label for=\"selection\">Cases</label>", "Cases"),
            access::names,
            "a combobox has no name",
        ),
        (
            "a part that has no name",
            Instead(HTML, " aria-labelledby=\"times-title\"", ""),
            everything_names,
            "has no name",
        ),
        (
            "a thing that can be used and has no role",
            Instead(
                HTML,
                "<h2 id=\"bench-title\">",
                "<h2 id=\"bench-title\"><span tabindex=\"0\">!</span>",
            ),
            access::names,
            "can have the focus, with the role",
        ),
        (
            "a state that is not told",
            Instead(HTML, "id=\"bench-state\" role=\"status\"", "id=\"bench-state\""),
            access::names,
            "3 of 4 states",
        ),
        (
            "a state that interrupts",
            Instead(HTML, "id=\"own-state\"", "id=\"own-state\" aria-live=\"assertive\""),
            access::names,
            "3 of 4 states",
        ),
        (
            "a heading of no level between",
            Instead(HTML, "<h2 id=\"watch-title\">Watch</h2>", "<h4 id=\"watch-title\">Watch</h4>"),
            access::headings,
            "“Watch” of level 4",
        ),
        (
            "a page of no language",
            Instead(HTML, "<html lang=\"en\">", "<html>"),
            access::language,
            "the language is",
        ),
        (
            "grey on white",
            Instead(CSS, "--text: light-dark(#1a1a1a", "--text: light-dark(#808080"),
            access::contrast,
            "on light",
        ),
        (
            "grey on black",
            Instead(
                CSS,
                "--text: light-dark(#1a1a1a, #e8e8e8)",
                "--text: light-dark(#1a1a1a, #666)",
            ),
            access::contrast,
            "on dark",
        ),
        (
            "a small button",
            After(CSS, "#bench-start { min-height: 0; padding: 0; }"),
            access::fingers,
            "#bench-start",
        ),
        ("a wide page", After(CSS, "#validate { width: 30rem; }"), access::width, "of 320"),
        (
            "something that moves",
            After(
                CSS,
                "@keyframes turn { to { rotate: 1turn; } } h1 { animation: turn 9s infinite; }",
            ),
            access::stillness,
            "moves by itself",
        ),
        (
            "something that a script moves",
            After(
                "page.js",
                "setInterval(() => { document.querySelector('h1').style.paddingLeft = `${performance.now() % 99}px`; }, 9);",
            ),
            access::stillness,
            "moves by itself",
        ),
        (
            "words for every case",
            Instead("run.js", "tenths === tenth ||", "false &&"),
            access::announcements,
            "told of too often",
        ),
        (
            "a bar without a name",
            Instead(HTML, " aria-label=\"Cases that are done\"", ""),
            access::announcements,
            "the bar cannot be read",
        ),
        (
            "old words for a picture",
            Instead("watch.js", "if (steps % DESCRIBED_EVERY === 1)", "if (steps < 0)"),
            everything_pictures,
            "no picture says “61 steps of”",
        ),
        (
            "a button that Enter does not press",
            Instead(
                HTML,
                "type=\"submit\" id=\"validate-start\"",
                "type=\"button\" id=\"validate-start\"",
            ),
            cancelling,
            "did not come true",
        ),
        (
            "a button that Space does not press",
            Instead(
                "run.js",
                "cancel.addEventListener(\"click\"",
                "cancel.addEventListener(\"mousedown\"",
            ),
            cancelling,
            "did not come true",
        ),
        (
            "a task that takes long",
            After(
                "page.js",
                "find('validate').addEventListener('submit', () => { for (const end = performance.now() + 2000; performance.now() < end;); });",
            ),
            stillness,
            "a task worked for ",
        ),
    ]
};

fn everything_names(page: &mut Page) -> Result<Breaches> {
    keyboard::everything(page)?;
    access::names(page)
}

fn everything_pictures(page: &mut Page) -> Result<Breaches> {
    keyboard::everything(page)?;
    access::pictures(page)
}

/// Validate is begun, and nothing keeps the page from being drawn.
fn stillness(page: &mut Page) -> Result<Breaches> {
    tasks::watch(page)?;
    page.evaluate("eyes.find('validate').requestSubmit()")?;
    page.until("!eyes.find('found').hidden", SHORT)?;
    let Longest { worked, .. } = tasks::longest(page)?;
    let is_still = worked <= STILL;
    Ok(if is_still { Vec::new() } else { vec![format!("a task worked for {worked:.0} ms")] })
}

/// Validate is begun and cancelled by keys.
fn cancelling(page: &mut Page) -> Result<Breaches> {
    match keyboard::cancels_validate(page, AT_ONCE) {
        Ok(()) => Ok(Vec::new()),
        Err(problem @ (Problem::Never { .. } | Problem::Unreached { .. })) => {
            Ok(vec![problem.to_string()])
        }
        Err(problem) => Err(problem),
    }
}

/// The page without a GPU keeps every rule, empty and full; and every fault is found.
pub(crate) fn are_caught(page: &mut Page, site: &Site) -> Result<()> {
    let whole = site.serve(&STAGE)?;
    page.visit_whole(&whole)?;
    let mut breaches = access::all(page)?;
    keyboard::everything(page)?;
    breaches.extend(access::all(page)?);
    breaches.extend(access::pictures(page)?);
    page.visit_whole(&whole)?;
    breaches.extend(access::announcements(page)?);
    page.visit_whole(&whole)?;
    breaches.extend(cancelling(page)?);
    page.visit_whole(&whole)?;
    breaches.extend(stillness(page)?);
    if !breaches.is_empty() {
        return Err(Problem::Breaches(breaches));
    }
    for &(fault, edit, rule, says) in FAULTS {
        page.visit_whole(&site.serve(&[STAGE[0], STAGE[1], edit])?)?;
        let found = rule(page)?;
        if !found.iter().any(|breach| breach.contains(says)) {
            return Err(Problem::Uncaught { fault, found });
        }
    }
    println!("everybody can use the page: {} faults of it are caught", FAULTS.len());
    Ok(())
}
