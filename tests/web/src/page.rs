//! The page in a browser: opened, looked at, and used by keys.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use browser::{Developer, Gpu};
use serde_json::{Value, json};

use crate::problem::{Problem, Result};

/// How long the page has for whatever it computes.
pub(crate) const LONG: Duration = Duration::from_secs(240);

/// How long it has for what it answers at once.
pub(crate) const SHORT: Duration = Duration::from_secs(30);

const EYES: &str = include_str!("eyes.js");

/// More presses of Tab than there are controls.
const MOST_TABS: usize = 60;

/// A key, as browsers name and number it, with what it writes.
pub(crate) struct Key(&'static str, u32, &'static str);

pub(crate) const TAB: Key = Key("Tab", 9, "");
pub(crate) const ENTER: Key = Key("Enter", 13, "\r");
pub(crate) const SPACE: Key = Key(" ", 32, " ");
pub(crate) const END: Key = Key("End", 35, "");
pub(crate) const HOME: Key = Key("Home", 36, "");
pub(crate) const RIGHT: Key = Key("ArrowRight", 39, "");
pub(crate) const DOWN: Key = Key("ArrowDown", 40, "");

/// What it is seen on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Screen {
    width: u32,
    height: u32,
    is_dark: bool,
}

pub(crate) const DESK: Screen = Screen { width: 1000, height: 900, is_dark: false };
pub(crate) const DARK_DESK: Screen = Screen { is_dark: true, ..DESK };
pub(crate) const PHONE: Screen = Screen { width: 360, height: 740, is_dark: false };
pub(crate) const DARK_PHONE: Screen = Screen { is_dark: true, ..PHONE };
/// A desk's, at 400 %.
pub(crate) const LARGE: Screen = Screen { width: 320, height: 256, is_dark: false };

/// A browser with the page in it.
pub(crate) struct Page {
    developer: Developer,
    pictures: Option<PathBuf>,
}

impl Page {
    /// Starts a browser.
    pub(crate) fn start(
        chromium: &Path,
        gpu: Gpu,
        more: &[String],
        pictures: Option<&Path>,
    ) -> Result<Self> {
        let developer = Developer::open(chromium, gpu, more)?;
        let mut page = Self { developer, pictures: pictures.map(Path::to_path_buf) };
        for domain in ["Page", "DOM", "Network", "Accessibility"] {
            page.ask(&format!("{domain}.enable"), json!({}))?;
        }
        page.ask("Page.addScriptToEvaluateOnNewDocument", json!({ "source": EYES }))?;
        page.ask("Page.setInterceptFileChooserDialog", json!({ "enabled": true }))?;
        page.show_on(DESK)?;
        Ok(page)
    }

    /// Opens an address, and waits until the page has come.
    pub(crate) fn visit(&mut self, address: &str) -> Result<()> {
        // Of the pages before.
        self.developer.heard("Page.domContentEventFired");
        self.ask("Page.navigate", json!({ "url": address }))?;
        self.developer.hear("Page.domContentEventFired")?;
        Ok(())
    }

    /// Opens an address, and waits until the page can be used.
    pub(crate) fn visit_whole(&mut self, address: &str) -> Result<()> {
        self.visit(address)?;
        self.until("eyes.find('loss').options.length > 0", LONG)?;
        self.until("eyes.find('watch-start').ariaDisabled !== 'true'", LONG)
    }

    pub(crate) fn ask(&mut self, method: &str, parameters: Value) -> Result<Value> {
        Ok(self.developer.ask(method, parameters)?)
    }

    pub(crate) fn hear(&mut self, event: &str) -> Result<Value> {
        Ok(self.developer.hear(event)?)
    }

    pub(crate) fn heard(&mut self, event: &str) -> Vec<Value> {
        self.developer.heard(event)
    }

    pub(crate) fn evaluate(&mut self, expression: &str) -> Result<Value> {
        Ok(self.developer.evaluate(expression)?)
    }

    pub(crate) fn text(&mut self, id: &str) -> Result<String> {
        let text = self.evaluate(&format!("eyes.find('{id}').innerText"))?;
        Ok(text.as_str().unwrap_or_default().into())
    }

    /// Waits until an expression is true.
    pub(crate) fn until(&mut self, condition: &str, patience: Duration) -> Result<()> {
        let milliseconds = patience.as_millis();
        let is_true = self.evaluate(&format!("eyes.comes(() => {condition}, {milliseconds})"))?;
        if is_true == true {
            return Ok(());
        }
        let said = self.evaluate("eyes.told.slice(-5)")?;
        Err(Problem::Never { condition: condition.into(), said })
    }

    /// Presses a key, and lets it go.
    pub(crate) fn press(&mut self, Key(key, number, text): Key) -> Result<()> {
        let code = if key == " " { "Space" } else { key };
        for kind in ["keyDown", "keyUp"] {
            let mut stroke = json!({
                "type": kind,
                "key": key,
                "code": code,
                "windowsVirtualKeyCode": number,
                "nativeVirtualKeyCode": number,
            });
            if kind == "keyDown" && !text.is_empty() {
                stroke["text"] = json!(text);
            }
            self.ask("Input.dispatchKeyEvent", stroke)?;
        }
        Ok(())
    }

    /// Presses Tab until a control has the focus: `#` and its id, or its element and text.
    pub(crate) fn tab_to(&mut self, name: &str) -> Result<()> {
        let mut reached = Vec::new();
        while reached.len() < MOST_TABS {
            self.press(TAB)?;
            let focused = self.evaluate("eyes.focused()?.name ?? 'nothing'")?;
            let focused = focused.as_str().unwrap_or_default().to_owned();
            if focused == name {
                return Ok(());
            }
            reached.push(focused);
        }
        Err(Problem::Unreached { name: name.into(), reached })
    }

    /// Presses Tab once, which has to come to this control.
    pub(crate) fn tab_to_next(&mut self, name: &str) -> Result<()> {
        self.press(TAB)?;
        let focused = self.evaluate("eyes.focused()?.name ?? 'nothing'")?;
        if focused == name {
            return Ok(());
        }
        let reached = vec![focused.to_string()];
        Err(Problem::Unreached { name: name.into(), reached })
    }

    /// Gives the page another screen.
    pub(crate) fn show_on(&mut self, screen: Screen) -> Result<()> {
        let Screen { width, height, is_dark } = screen;
        let sizes = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.ask("Emulation.setDeviceMetricsOverride", sizes)?;
        let scheme = if is_dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.ask("Emulation.setEmulatedMedia", json!({ "features": features }))?;
        Ok(())
    }

    /// The screen as it is now, as PNG in base 64.
    pub(crate) fn seen(&mut self) -> Result<String> {
        let picture = self.ask("Page.captureScreenshot", json!({}))?;
        Ok(picture["data"].as_str().unwrap_or_default().into())
    }

    /// Makes a picture of the whole page on a screen, where pictures are wanted.
    pub(crate) fn picture(&mut self, name: &str, screen: Screen) -> Result<()> {
        let Some(folder) = self.pictures.clone() else { return Ok(()) };
        self.show_on(screen)?;
        let content = self.ask("Page.getLayoutMetrics", json!({}))?["cssContentSize"].take();
        let clip = json!({ "x": 0, "y": 0, "width": content["width"], "height": content["height"], "scale": 1 });
        let whole = json!({ "captureBeyondViewport": true, "clip": clip });
        let picture = self.ask("Page.captureScreenshot", whole)?;
        let path = folder.join(format!("{name}.png"));
        let bytes = from_base_64(picture["data"].as_str().unwrap_or_default());
        fs::write(&path, bytes).map_err(|error| Problem::File(path, error))?;
        self.show_on(DESK)
    }

    /// Ends the browser; fails where a page has complained in the console.
    pub(crate) fn end(self, is_known: impl Fn(&str) -> bool) -> Result<()> {
        let mut said = self.developer.console();
        said.retain(|line| !is_known(line));
        if said.is_empty() { Ok(()) } else { Err(Problem::Console(said)) }
    }
}

/// The bytes that letters stand for, four for three of them.
fn from_base_64(letters: &str) -> Vec<u8> {
    let value = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let letters = letters.trim_end_matches('=').as_bytes();
    let of_four = |four: &[u8]| {
        let bits = four.iter().fold(0_u32, |bits, &letter| bits << 6 | u32::from(value(letter)));
        let whole = (bits << (6 * (4 - four.len()))).to_be_bytes();
        whole[1..four.len()].to_vec()
    };
    letters.chunks(4).flat_map(of_four).collect()
}

#[cfg(test)]
mod tests {
    use super::from_base_64;

    #[test]
    fn letters_are_bytes() {
        assert_eq!(from_base_64("TWFu"), b"Man");
        assert_eq!(from_base_64("TWE="), b"Ma");
        assert_eq!(from_base_64("TQ=="), b"M");
        assert_eq!(from_base_64("+/8="), [0xfb, 0xff]);
    }
}
