//! Rules that let everybody use the page: by keys alone, with a screen reader, with weak eyes, with a
//! finger. Each gives what is against it.
//!
//! Source: Web Content Accessibility Guidelines 2.2, of which the comments name the criteria.

use serde_json::{Value, json};

use crate::page::{DARK_DESK, DESK, LARGE, LONG, PHONE, Page, SHORT, TAB};
use crate::problem::Result;

/// What is against a rule.
pub(crate) type Breaches = Vec<String>;

/// Contrast of text (1.4.3), and of what shows the focus (1.4.11).
const LEAST_CONTRAST: f64 = 4.5;
const LEAST_CONTRAST_OF_FOCUS: f64 = 3.0;

/// Pixels that a finger needs (2.5.5).
const FINGER: f64 = 44.0;

/// How often a validation is told of at most: that it has begun, the tenths, that it is done.
const MOST_TOLD: usize = 11;

/// Roles that say nothing without a name, and those of what can be used.
const NAMED: &[&str] = &[
    "RootWebArea",
    "Canvas",
    "image",
    "img",
    "meter",
    "navigation",
    "progressbar",
    "region",
    "table",
];
const USED: &[&str] = &[
    "button",
    "combobox",
    "ComboBoxMenuList",
    "ComboBoxSelect",
    "DisclosureTriangle",
    "link",
    "option",
    "region",
    "slider",
    "textbox",
];

/// Everything but what is told (`announcements`) holds on the page as it is now.
pub(crate) fn all(page: &mut Page) -> Result<Breaches> {
    let rules = [keys, names, headings, language, contrast, fingers, width, stillness, clicks];
    let mut breaches = Vec::new();
    for rule in rules {
        breaches.extend(rule(page)?);
    }
    Ok(breaches)
}

/// Tab comes to every control (2.1.1), in the order in which they are read (2.4.3), does not stay
/// anywhere (2.1.2), and what has the focus is seen to have it (2.4.7, 2.4.11).
pub(crate) fn keys(page: &mut Page) -> Result<Breaches> {
    let controls = strings(&page.evaluate("eyes.controls()")?);
    let mut stops: Vec<Value> = Vec::new();
    for _ in 0..controls.len() + 2 {
        page.press(TAB)?;
        let stop = page.evaluate("eyes.focused()")?;
        if !stop.is_null() {
            stops.push(stop);
        }
    }
    // Round and round: once around, from the first one in the document on.
    let place = |stop: &Value| stop["place"].as_u64().unwrap_or_default();
    let again = stops.iter().skip(1).position(|stop| place(stop) == place(&stops[0]));
    stops.truncate(again.map_or(stops.len(), |at| at + 1));
    let first = (0..stops.len()).min_by_key(|&at| place(&stops[at])).unwrap_or_default();
    stops.rotate_left(first);

    let mut breaches = Vec::new();
    for control in controls {
        if !stops.iter().any(|stop| stop["name"] == control.as_str()) {
            breaches.push(format!("{control} is not reached by Tab"));
        }
    }
    for pair in stops.windows(2) {
        let [one, next] = [&pair[0], &pair[1]];
        let is_above = number(next, "bottom") <= number(one, "top");
        if place(next) <= place(one) || is_above {
            breaches.push(format!("{} comes after {}", next["name"], one["name"]));
        }
    }
    for stop in &stops {
        if number(stop, "outline") < 2.0 || number(stop, "contrast") < LEAST_CONTRAST_OF_FOCUS {
            breaches.push(format!("nobody sees that {} has the focus", stop["name"]));
        }
        if stop["isInView"] != true {
            breaches.push(format!("{} has the focus out of view", stop["name"]));
        }
    }
    Ok(breaches)
}

/// What a click does, keys can do too (2.1.1): nothing hears clicks but what has the focus.
pub(crate) fn clicks(page: &mut Page) -> Result<Breaches> {
    let document = page.ask("Runtime.evaluate", json!({ "expression": "document" }))?;
    let object = document["result"]["objectId"].clone();
    let whole = json!({ "objectId": object, "depth": -1 });
    let listeners = page.ask("DOMDebugger.getEventListeners", whole)?["listeners"].take();
    let mut breaches = Vec::new();
    for listener in listeners.as_array().into_iter().flatten() {
        let kind = listener["type"].as_str().unwrap_or_default();
        if !["click", "dblclick", "mousedown", "pointerdown", "touchstart"].contains(&kind) {
            continue;
        }
        let node = json!({ "backendNodeId": listener["backendNodeId"] });
        let node = page.ask("DOM.describeNode", node)?["node"].take();
        let name = node["nodeName"].as_str().unwrap_or_default();
        if !["A", "BUTTON", "INPUT", "SELECT", "SUMMARY", "TEXTAREA"].contains(&name) {
            breaches.push(format!("{name} hears {kind}, and no key"));
        }
    }
    Ok(breaches)
}

/// Whatever can be used, or is a picture or a part, has a role and a name (1.1.1, 4.1.2); what is
/// told is told politely (4.1.3).
pub(crate) fn names(page: &mut Page) -> Result<Breaches> {
    let mut breaches = Vec::new();
    let mut polite = 0;
    for node in tree(page)? {
        let Node { role, name, properties } = &node;
        let can_focus = property(properties, "focusable") == true;
        if can_focus && role != "RootWebArea" && !USED.contains(&role.as_str()) {
            breaches.push(format!("“{name}” can have the focus, with the role {role:?}"));
        }
        if name.is_empty() && (can_focus || NAMED.contains(&role.as_str())) {
            breaches.push(format!("a {role} has no name"));
        }
        polite += usize::from(role == "status" && property(properties, "live") == "polite");
    }
    let states = page.evaluate("document.querySelectorAll('[id$=-state]').length")?;
    if states != polite {
        breaches.push(format!("{polite} of {states} states are told politely"));
    }
    Ok(breaches)
}

/// One heading of level 1, and no level is left out (1.3.1).
pub(crate) fn headings(page: &mut Page) -> Result<Breaches> {
    let mut breaches = Vec::new();
    let mut above = 0;
    for Node { role, name, properties } in tree(page)? {
        if role != "heading" {
            continue;
        }
        let level = property(&properties, "level").as_u64().unwrap_or_default();
        if level > above + 1 || (level == 1) != (above == 0) {
            breaches
                .push(format!("the heading “{name}” of level {level} comes after one of {above}"));
        }
        above = level;
    }
    Ok(breaches)
}

/// The page tells its language (3.1.1).
pub(crate) fn language(page: &mut Page) -> Result<Breaches> {
    let language = page.evaluate("document.documentElement.lang")?;
    let is_english = language == "en";
    Ok(if is_english { Vec::new() } else { vec![format!("the language is {language}")] })
}

/// Text can be read, in light and in dark (1.4.3).
pub(crate) fn contrast(page: &mut Page) -> Result<Breaches> {
    let mut breaches = Vec::new();
    for (screen, ground) in [(DARK_DESK, "dark"), (DESK, "light")] {
        page.show_on(screen)?;
        for text in list(&page.evaluate("eyes.texts()")?) {
            let contrast = number(text, "contrast");
            if contrast < LEAST_CONTRAST {
                breaches
                    .push(format!("{} has a contrast of {contrast:.2} on {ground}", text["text"]));
            }
        }
    }
    Ok(breaches)
}

/// What is touched on a phone is as large as a finger (2.5.5).
pub(crate) fn fingers(page: &mut Page) -> Result<Breaches> {
    page.show_on(PHONE)?;
    let targets = page.evaluate("eyes.targets()")?;
    page.show_on(DESK)?;
    let mut breaches = Vec::new();
    for target in list(&targets) {
        let [width, height] = ["width", "height"].map(|side| number(target, side));
        if width.min(height) < FINGER {
            breaches.push(format!("{} is {width:.0} x {height:.0} large", target["name"]));
        }
    }
    Ok(breaches)
}

/// On a narrow screen, and at 400 %, the page is as wide as the screen (1.4.10).
pub(crate) fn width(page: &mut Page) -> Result<Breaches> {
    page.show_on(LARGE)?;
    let width = page.evaluate("document.documentElement.scrollWidth")?;
    page.show_on(DESK)?;
    let is_whole = width.as_u64().is_some_and(|width| width <= 320);
    Ok(if is_whole { Vec::new() } else { vec![format!("the page is {width} wide, of 320")] })
}

/// Nothing moves by itself (2.2.2), so that there is nothing to leave out for those who ask for less
/// motion.
pub(crate) fn stillness(page: &mut Page) -> Result<Breaches> {
    page.evaluate("document.activeElement.blur()")?;
    let one = page.seen()?;
    page.evaluate("new Promise((resolve) => { setTimeout(resolve, 200); })")?;
    let animations = page.evaluate("document.getAnimations().length")?;
    let is_still = animations == 0 && page.seen()? == one;
    Ok(if is_still { Vec::new() } else { vec!["the page moves by itself".into()] })
}

/// A validation has a bar that is said in numbers, and is told of now and then, not with every case
/// (4.1.3). It takes some 5 seconds on a page without a GPU (`stage.js`).
pub(crate) fn announcements(page: &mut Page) -> Result<Breaches> {
    page.evaluate("eyes.find('validate').requestSubmit()")?;
    page.until("eyes.find('validate-progress').value >= 50", SHORT)?;
    let mut breaches = Vec::new();
    let bar = tree(page)?.into_iter().find(|node| node.role == "progressbar");
    if bar.is_none_or(|Node { name, .. }| name.is_empty()) {
        breaches.push("the bar cannot be read".into());
    }
    let is_done = "/failed/.test(eyes.find('validate-state').textContent)";
    page.until(&format!("{is_done} || eyes.told.length > {MOST_TOLD}"), LONG)?;
    let told = strings(&page.evaluate("eyes.told")?);
    if !told.iter().any(|words| words.contains("% done")) {
        breaches.push("nobody is told how far a validation has come".into());
    }
    if told.len() > MOST_TOLD {
        breaches.push(format!("a validation is told of too often: {:?}", told.last()));
    }
    Ok(breaches)
}

/// What pictures show is said, as it is now (1.1.1), on a page where all of them are shown.
pub(crate) fn pictures(page: &mut Page) -> Result<Breaches> {
    let names: Vec<_> = tree(page)?.into_iter().map(|node| node.name).collect();
    let mut breaches = Vec::new();
    for words in [
        "61 steps of",
        "75.0 % are nearest",
        "from 4 to 0.06557",
        "3 rows of 2 classes",
        "50 % of the longest",
    ] {
        if !names.iter().any(|name| name.contains(words)) {
            breaches.push(format!("no picture says “{words}”"));
        }
    }
    Ok(breaches)
}

/// What a screen reader has of an element.
struct Node {
    role: String,
    name: String,
    properties: Value,
}

fn tree(page: &mut Page) -> Result<Vec<Node>> {
    let nodes = page.ask("Accessibility.getFullAXTree", json!({}))?["nodes"].take();
    let is_heard = |node: &&Value| node["ignored"] != true;
    let text = |value: &Value| value["value"].as_str().unwrap_or_default().trim().to_owned();
    let node = |node: &Value| Node {
        role: text(&node["role"]),
        name: text(&node["name"]),
        properties: node["properties"].clone(),
    };
    Ok(list(&nodes).iter().filter(is_heard).map(node).collect())
}

fn property<'a>(properties: &'a Value, name: &str) -> &'a Value {
    let found = list(properties).iter().find(|property| property["name"] == name);
    found.map_or(&Value::Null, |property| &property["value"]["value"])
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn strings(value: &Value) -> Vec<String> {
    list(value).iter().filter_map(|text| text.as_str().map(String::from)).collect()
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_default()
}
