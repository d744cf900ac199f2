//! The objective: read from the command line, and written for people.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wgpu_metric_learning::Loss;

use super::{Error, Result};

/// Reads a loss's name, a JSON object, or `@` and the file of one.
pub fn parse(text: &str) -> Result<Loss> {
    let text = text.trim();
    if let Some(path) = text.strip_prefix('@') {
        let path = Path::new(path);
        let text = fs::read_to_string(path).map_err(|error| Error::file(path, error))?;
        return parse_json(&text).map_err(|problem| Error::file(path, problem));
    }
    let loss =
        if text.starts_with('{') { parse_json(text) } else { from_name(text).map_err(|error| error.to_string()) };
    loss.map_err(|problem| Error::option("--objective", problem))
}

fn parse_json(text: &str) -> Result<Loss, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if !value.is_object() {
        return Err("expected a JSON object such as {\"loss\":\"Triplet\",\"margin\":0.2}".into());
    }
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn from_name(name: &str) -> serde_json::Result<Loss> {
    serde_json::from_value(json!({ "loss": name }))
}

/// The loss as JSON, every setting written out.
pub fn to_json(loss: &Loss) -> Value {
    // By way of its text, where 0.2 stands as 0.2 and not as the f64 nearest to the f32.
    serde_json::to_string(loss).and_then(|text| serde_json::from_str(&text)).unwrap_or_default()
}

/// The loss with its settings in one line: choices by their value, numbers where they are not the default.
pub fn describe(loss: &Loss) -> String {
    let settings = to_json(loss);
    let defaults = from_name(loss.name()).map(|default| to_json(&default)).unwrap_or_default();
    let words = settings.as_object().into_iter().flatten().filter_map(|(key, value)| match value {
        _ if key == "loss" => None,
        Value::Bool(set) => set.then(|| key.clone()),
        Value::String(choice) => Some(choice.clone()),
        number => (defaults.get(key) != Some(number)).then(|| format!("{key}={number}")),
    });
    std::iter::once(loss.name().into()).chain(words).collect::<Vec<_>>().join(" ")
}
