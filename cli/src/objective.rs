//! The objective, read from the command line.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};
use wgpu_metric_learning::{
    Contrastive, Distance, Form, LiftedStructured, Loss, Margin, Mining, Mode, MultiMargin, NtXent,
    Reduction, Sampling, SigLip, SupCon, Triplet,
};

use super::{Error, Result, names};

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
    /// What was chosen, and not left to be the default.
    chosen: Vec<String>,
}

impl WeightedLoss {
    /// Takes the default reduction of the mode, where none was chosen.
    pub fn settle(&mut self, mode: Mode) {
        let chooses = self.chooses("reduction");
        if let (Loss::Contrastive(loss), Mode::PairRows | Mode::PairIndices, false) =
            (&mut self.loss, mode, chooses)
        {
            loss.reduction = Reduction::HadsellMean;
        }
    }

    /// Whether the setting was chosen, and not left to be the default.
    pub fn chooses(&self, setting: &str) -> bool {
        self.chosen.iter().any(|chosen| chosen == setting)
    }

    /// Refuses a setting other than the default that has no effect.
    pub fn check(&self, mode: Mode) -> Result<()> {
        let idle = match &self.loss {
            Loss::Triplet(loss) if loss.soft && loss.margin != Triplet::default().margin => {
                Some(("margin", "a soft one has none"))
            }
            Loss::Margin(loss) if loss.sampling == Sampling::All && loss.seed != 0 => {
                Some(("seed", "the sampling All draws nothing"))
            }
            Loss::MultiMargin(loss) if mode == Mode::Scores => {
                let default = MultiMargin::default();
                let of_rows = [
                    ("distance", loss.distance != default.distance),
                    ("normalize", loss.normalize != default.normalize),
                ];
                let idle = of_rows.into_iter().find(|(_, is_set)| *is_set);
                idle.map(|(setting, _)| (setting, "scores are no rows with distances"))
            }
            _ => None,
        };
        let Some((setting, reason)) = idle else { return Ok(()) };
        let name = self.loss.name();
        let problem = format!("{setting} has no effect on this {name}: {reason}");
        Err(Error::option("--objective", problem))
    }
}

/// Reads a loss's name, `bench:` and the name of a benchmarked one, a JSON object or array of them,
/// or `@` and the file of one.
pub fn parse(text: &str) -> Result<Objective> {
    let text = text.trim();
    if let Some(path) = file(text) {
        return read(path)
            .and_then(|text| parse_json(&text))
            .map_err(|problem| Error::file(path, problem));
    }
    let objective = if text.starts_with(['{', '[']) {
        parse_json(text)
    } else if let Some(name) = text.strip_prefix(BENCHMARKED) {
        find_benchmarked(name).and_then(|(_, loss)| one(to_json(&loss)))
    } else {
        one(json!({ "loss": text }))
    };
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

/// What names of losses in their benchmarked settings begin with.
pub const BENCHMARKED: &str = "bench:";

/// The losses in the settings that the benchmarks of other implementations have, by their names.
pub fn benchmarked() -> [(&'static str, Loss); 9] {
    let reduction = Reduction::MeanNonZero;
    let triplet = |mining| Triplet { margin: 0.2, mining, reduction, ..Default::default() };
    [
        ("contrastive", Contrastive { power: 1, reduction, ..Default::default() }.into()),
        ("triplet_all", triplet(Mining::All).into()),
        ("triplet_hard", triplet(Mining::Hard).into()),
        ("lifted", LiftedStructured::default().into()),
        ("multi_margin", MultiMargin { divide_by_classes: true, ..Default::default() }.into()),
        ("margin", Margin::default().into()),
        ("ntxent", NtXent::default().into()),
        ("supcon", SupCon::default().into()),
        ("sig_lip", SigLip::default().into()),
    ]
}

/// One of them.
pub fn find_benchmarked(name: &str) -> Result<(&'static str, Loss), String> {
    let all = benchmarked();
    let found = names::find("benchmarked loss", name, all.iter().map(|(name, _)| *name))?;
    all.into_iter().find(|(name, _)| *name == found).ok_or_else(|| found.to_owned())
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
    let chosen = fields.keys().cloned().collect();
    spell_out(&mut fields)?;
    let loss = serde_json::from_value(fields.into()).map_err(|error| error.to_string())?;
    Ok(WeightedLoss { loss, weight, chosen })
}

/// What a setting is one of, by name.
pub fn choices(setting: &str) -> Option<Vec<&'static str>> {
    Some(match setting {
        "loss" => Loss::NAMES.to_vec(),
        "distance" => Distance::ALL.map(Distance::name).to_vec(),
        "form" => Form::ALL.map(Form::name).to_vec(),
        "mining" => Mining::ALL.map(Mining::name).to_vec(),
        "reduction" => Reduction::ALL.map(Reduction::name).to_vec(),
        "sampling" => Sampling::ALL.map(Sampling::name).to_vec(),
        _ => return None,
    })
}

/// Puts the names of losses, settings and choices as the library has them; says which there are,
/// where one is unknown.
fn spell_out(fields: &mut Map<String, Value>) -> Result<(), String> {
    for (setting, value) in fields.iter_mut() {
        let Value::String(name) = value else { continue };
        let Some(known) = choices(setting) else { continue };
        *name = names::find(setting, name, known)?.into();
    }
    let Some(Value::String(name)) = fields.get("loss") else { return Ok(()) };
    let settings = default_of(name);
    for setting in fields.keys() {
        let of = format!("setting of {name}");
        let found = names::find(&of, setting, settings.keys().map(String::as_str))?;
        if found != setting {
            return Err(format!("{setting:?} is no {of}: it is written {found:?}"));
        }
    }
    Ok(())
}

/// The settings of a loss by its name, as they are by default.
pub fn default_of(name: &str) -> Map<String, Value> {
    let loss = serde_json::from_value(json!({ "loss": name }));
    match loss.as_ref().map(to_json) {
        Ok(Value::Object(settings)) => settings,
        _ => Map::new(),
    }
}

/// The loss as JSON, every setting written out.
pub fn to_json(loss: &Loss) -> Value {
    as_written(loss)
}

/// What is serialized as JSON, by way of its text, where 0.2 stands as 0.2 and not as the f64
/// nearest to the f32.
pub fn as_written(of: &impl Serialize) -> Value {
    serde_json::to_string(of).and_then(|text| serde_json::from_str(&text)).unwrap_or_default()
}
