//! The objective: read from the command line, and written for people.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::{Value, json};
use wgpu_metric_learning::{Loss, Mode, Reduction};

use super::{Error, Result};

/// More bytes than any objective has.
const LONGEST: u64 = 1 << 20;

/// What the program is asked to evaluate.
pub struct Objective {
    /// The losses with their weights.
    pub losses: Vec<WeightedLoss>,
    /// Whether it is a weighted sum; otherwise there is one loss, reported by itself.
    pub is_sum: bool,
}

/// A loss and its weight.
pub struct WeightedLoss {
    pub loss: Loss,
    pub weight: f32,
    /// Whether the reduction was chosen, and not left to be the default.
    chooses_reduction: bool,
}

impl WeightedLoss {
    /// Takes the default reduction of the mode, where none was chosen.
    pub fn settle(&mut self, mode: Mode) {
        match &mut self.loss {
            Loss::Contrastive(loss)
                if matches!(mode, Mode::PairRows | Mode::PairIndices)
                    && !self.chooses_reduction =>
            {
                loss.reduction = Reduction::HadsellMean;
            }
            _ => {}
        }
    }
}

/// Reads a loss's name, a JSON object or array of them, or `@` and the file of one.
pub fn parse(text: &str) -> Result<Objective> {
    let text = text.trim();
    if let Some(path) = file(text) {
        return read(path)
            .and_then(|text| parse_json(&text))
            .map_err(|problem| Error::file(path, problem));
    }
    let objective =
        if text.starts_with(['{', '[']) { parse_json(text) } else { one(json!({ "loss": text })) };
    objective.map_err(|problem| Error::option("--objective", problem))
}

/// The file that is named in the place of an objective.
pub fn file(text: &str) -> Option<&Path> {
    text.trim().strip_prefix('@').map(Path::new)
}

fn read(path: &Path) -> Result<String, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if text.len() as u64 > LONGEST {
        return Err(format!("an objective has at most {LONGEST} bytes, the file has more"));
    }
    let text = String::from_utf8(text).map_err(|error| format!("not JSON in UTF-8: {error}"))?;
    Ok(text.strip_prefix('\u{feff}').map(String::from).unwrap_or(text))
}

fn parse_json(text: &str) -> Result<Objective, String> {
    match serde_json::from_str(text).map_err(|error| error.to_string())? {
        Value::Array(losses) if !losses.is_empty() => {
            let losses = losses.into_iter().map(parse_one).collect::<Result<_, _>>()?;
            Ok(Objective { losses, is_sum: true })
        }
        value => one(value),
    }
}

fn one(value: Value) -> Result<Objective, String> {
    let is_sum = value.get("weight").is_some();
    Ok(Objective { losses: vec![parse_one(value)?], is_sum })
}

/// An object with the fields of a loss, and maybe a `weight`.
fn parse_one(value: Value) -> Result<WeightedLoss, String> {
    let Value::Object(mut fields) = value else {
        return Err("expected a JSON object such as {\"loss\":\"Triplet\",\"margin\":0.2}, or an array of them".into());
    };
    let weight = match fields.remove("weight") {
        Some(weight) => {
            serde_json::from_value(weight).map_err(|error| format!("weight: {error}"))?
        }
        None => 1.0,
    };
    let chooses_reduction = fields.contains_key("reduction");
    let loss = serde_json::from_value(fields.into()).map_err(|error| error.to_string())?;
    Ok(WeightedLoss { loss, weight, chooses_reduction })
}

/// The loss as JSON, every setting written out.
pub fn to_json(loss: &Loss) -> Value {
    // By way of its text, where 0.2 stands as 0.2 and not as the f64 nearest to the f32.
    serde_json::to_string(loss).and_then(|text| serde_json::from_str(&text)).unwrap_or_default()
}

/// The loss with its settings in one line: choices by their value, numbers where they are not the
/// default.
pub fn describe(loss: &Loss) -> String {
    let settings = to_json(loss);
    let defaults = parse_one(json!({ "loss": loss.name() }))
        .map(|parsed| to_json(&parsed.loss))
        .unwrap_or_default();
    let words = settings.as_object().into_iter().flatten().filter_map(|(key, value)| match value {
        _ if key == "loss" => None,
        Value::Bool(set) => set.then(|| key.clone()),
        Value::String(choice) => Some(choice.clone()),
        number => (defaults.get(key) != Some(number)).then(|| format!("{key}={number}")),
    });
    std::iter::once(loss.name().into()).chain(words).collect::<Vec<_>>().join(" ")
}
