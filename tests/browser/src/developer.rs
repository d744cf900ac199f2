//! A browser that is asked and told by the DevTools protocol, as its developer tools do it.
//!
//! Its messages are JSON with a zero byte after each, over two pipes, which Chromium has for
//! descriptors 3 and 4.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{Browser, Gpu};

/// How long the browser has for an answer.
const PATIENCE: Duration = Duration::from_secs(240);

/// Runs a program whose descriptors 3 and 4 are the pipes of its input and output.
const WITH_PIPES: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#;

/// What goes wrong between this program and the browser.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The browser cannot be run or spoken to.
    #[error("the browser: {0}")]
    Run(#[from] io::Error),
    /// No answer came in time.
    #[error("the browser has not answered {method} within {} s", PATIENCE.as_secs())]
    Silence {
        /// What it was asked.
        method: String,
    },
    /// The browser knows better.
    #[error("the browser refused {method}: {why}")]
    Refused {
        /// What it was asked.
        method: String,
        /// What it says.
        why: String,
    },
    /// Code in the page has thrown.
    #[error("in the page: {0}")]
    Thrown(String),
}

/// A browser with one page, and a session of the protocol with it.
#[derive(Debug)]
pub struct Developer {
    browser: Browser,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    asked: u64,
    /// Events that nobody has asked for yet.
    heard: Vec<Value>,
}

impl Developer {
    /// Opens an empty page.
    ///
    /// # Errors
    ///
    /// That the browser cannot be run or has no page.
    pub fn open(chromium: &Path, gpu: Gpu, more: &[String]) -> Result<Self, Trouble> {
        let mut command = Command::new("sh");
        command.args(["-c", WITH_PIPES]).arg(chromium).arg("--remote-debugging-pipe");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut browser = Browser::start(command, "about:blank", gpu, more)?;
        let (to, answers) = browser.pipes().ok_or_else(|| io::Error::other("it has no pipes"))?;
        let (sender, from) = channel();
        thread::spawn(move || {
            for message in BufReader::new(answers).split(0).flatten() {
                // What is no JSON, and what comes when nobody listens any more, is of no use.
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                let _ = sender.send(message);
            }
        });
        let mut developer = Self { browser, to, from, session: None, asked: 0, heard: Vec::new() };
        let targets = developer.ask("Target.getTargets", json!({}))?;
        let pages = targets["targetInfos"].as_array().cloned().unwrap_or_default();
        let page = pages.iter().find(|target| target["type"] == "page");
        let target = page.map(|page| page["targetId"].clone()).unwrap_or_default();
        let whole = json!({ "targetId": target, "flatten": true });
        let session = developer.ask("Target.attachToTarget", whole)?;
        developer.session = session["sessionId"].as_str().map(String::from);
        Ok(developer)
    }

    /// Asks the browser, or tells it; what it answers.
    ///
    /// # Errors
    ///
    /// That it refuses, or is silent.
    pub fn ask(&mut self, method: &str, parameters: Value) -> Result<Value, Trouble> {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.to.write_all(format!("{message}\0").as_bytes())?;
        let end = Instant::now() + PATIENCE;
        loop {
            let mut answer = self.next(end, method)?;
            if answer["id"] != self.asked {
                self.heard.push(answer);
            } else if let Some(why) = answer["error"]["message"].as_str() {
                return Err(Trouble::Refused { method: method.into(), why: why.into() });
            } else {
                return Ok(answer["result"].take());
            }
        }
    }

    /// Waits for an event, or takes the first one of those that have come since the last time.
    ///
    /// # Errors
    ///
    /// That there is none.
    pub fn hear(&mut self, event: &str) -> Result<Value, Trouble> {
        let end = Instant::now() + PATIENCE;
        let mut at = 0;
        loop {
            while at < self.heard.len() {
                if self.heard[at]["method"] == event {
                    return Ok(self.heard.remove(at)["params"].take());
                }
                at += 1;
            }
            let next = self.next(end, event)?;
            self.heard.push(next);
        }
    }

    /// All events of this kind that have come so far.
    pub fn heard(&mut self, event: &str) -> Vec<Value> {
        self.heard.extend(self.from.try_iter());
        let (found, left): (Vec<_>, _) =
            self.heard.drain(..).partition(|one| one["method"] == event);
        self.heard = left;
        found.into_iter().map(|mut one| one["params"].take()).collect()
    }

    /// The value of an expression in the page, or of its promise.
    ///
    /// # Errors
    ///
    /// What it throws.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value, Trouble> {
        let parameters = json!({
            "expression": expression,
            "awaitPromise": true,
            "returnByValue": true,
            // As if somebody had done it by hand.
            "userGesture": true,
        });
        let mut answer = self.ask("Runtime.evaluate", parameters)?;
        if let Some(why) = answer.get("exceptionDetails") {
            let text = why["exception"]["description"].as_str().or(why["text"].as_str());
            return Err(Trouble::Thrown(text.unwrap_or("something").into()));
        }
        Ok(answer["result"]["value"].take())
    }

    /// Ends the browser; what pages have said in the console.
    pub fn console(self) -> Vec<String> {
        self.browser.console()
    }

    fn next(&self, end: Instant, method: &str) -> Result<Value, Trouble> {
        let left = end.saturating_duration_since(Instant::now());
        self.from.recv_timeout(left).map_err(|error| match error {
            RecvTimeoutError::Timeout => Trouble::Silence { method: method.into() },
            RecvTimeoutError::Disconnected => Trouble::Run(io::Error::other("it has ended")),
        })
    }
}
