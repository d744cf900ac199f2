//! What the page's own thread does while the page is open, task by task: as long as one lasts, nothing
//! is drawn and no key is heard.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::page::Page;
use crate::problem::Result;

const TASK: &str = "ThreadControllerImpl::RunTask";
const EVENTS: &str = "Tracing.dataCollected";

/// The longest tasks of a page, in milliseconds.
#[derive(Clone, Copy)]
pub(crate) struct Longest {
    /// That a processor was busy with: what the page asks for, on whatever else the machine does.
    pub worked: f64,
    /// From its beginning to its end, with what it has waited for: a processor too.
    pub lasted: f64,
}

/// Writes down all tasks from now on.
pub(crate) fn watch(page: &mut Page) -> Result<()> {
    let categories = json!({ "includedCategories": ["toplevel"], "excludedCategories": ["*"] });
    page.ask("Tracing.start", json!({ "traceConfig": categories }))?;
    Ok(())
}

/// The longest tasks since `watch`.
pub(crate) fn longest(page: &mut Page) -> Result<Longest> {
    page.ask("Tracing.end", json!({}))?;
    page.hear("Tracing.tracingComplete")?;
    let parts = page.heard(EVENTS);
    let events: Vec<_> =
        parts.iter().filter_map(|part| part["value"].as_array()).flatten().collect();
    Ok(Longest::of(&events))
}

impl Longest {
    /// Those of the threads that pages run on; infinite where no time is told.
    fn of(events: &[&Value]) -> Self {
        let thread = |event: &Value| [event["pid"].as_i64(), event["tid"].as_i64()];
        let is_page = |event: &&&Value| {
            event["name"] == "thread_name" && event["args"]["name"] == "CrRendererMain"
        };
        let pages: HashSet<_> = events.iter().filter(is_page).map(|event| thread(event)).collect();
        let tasks = events.iter().filter(|one| one["name"] == TASK && pages.contains(&thread(one)));
        let times = tasks.map(|task| ["tdur", "dur"].map(|key| milliseconds(&task[key])));
        let longest = times.fold([0.0; 2], |longest: [f64; 2], times| {
            [longest[0].max(times[0]), longest[1].max(times[1])]
        });
        let told = |time: f64| if time > 0.0 { time } else { f64::INFINITY };
        Self { worked: told(longest[0]), lasted: told(longest[1]) }
    }
}

/// Of microseconds, which are left out where there are none.
fn milliseconds(microseconds: &Value) -> f64 {
    microseconds.as_f64().unwrap_or(0.0) / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_of_pages_alone_count() {
        let event = |thread: u32, name: &str, time: u32| {
            json!({ "pid": 1, "tid": thread, "name": name, "tdur": time, "dur": 2 * time,
                "args": { "name": if thread == 7 { "CrRendererMain" } else { "Compositor" } } })
        };
        let events = [
            event(7, "thread_name", 0),
            event(8, "thread_name", 0),
            event(7, TASK, 3000),
            event(7, TASK, 2000),
            event(8, TASK, 9000),
            event(7, "V8.GC", 8000),
        ];
        let Longest { worked, lasted } = Longest::of(&events.each_ref());
        assert_eq!([worked, lasted], [3.0, 6.0]);
        let none = Longest::of(&[]);
        assert_eq!([none.worked, none.lasted], [f64::INFINITY; 2]);
    }
}
