//! Losses, written for people.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use wgpu_metric_learning::Loss;

use super::objective::{choices, default_of, to_json};

/// Every loss that is taken with its settings and their defaults, and what each choice is one of.
pub fn help(takes: impl Fn(&Loss) -> bool) -> String {
    let mut help = String::from("Losses, with their settings and defaults:\n");
    let mut chosen = BTreeSet::new();
    let is_taken = |name: &&str| {
        serde_json::from_value(json!({ "loss": name })).is_ok_and(|loss: Loss| takes(&loss))
    };
    for name in Loss::NAMES.iter().filter(|name| is_taken(name)) {
        help += &format!("  {name}\n");
        for (setting, value) in default_of(name) {
            if setting == "loss" {
                continue;
            }
            if value.is_string() {
                chosen.insert(setting.clone());
            }
            help += &format!("    {setting}: {value}\n");
        }
    }
    help += "\nChoices:\n";
    for setting in chosen {
        let names = choices(&setting).unwrap_or_default();
        help += &format!("  {setting}: {}\n", names.join(", "));
    }
    help.trim_end().to_owned()
}

/// The loss with its settings in one line: choices by their value, numbers where they are not the
/// default.
pub fn describe(loss: &Loss) -> String {
    let settings = to_json(loss);
    let defaults = default_of(loss.name());
    let words = settings.as_object().into_iter().flatten().filter_map(|(key, value)| match value {
        _ if key == "loss" => None,
        Value::Bool(set) => set.then(|| key.clone()),
        Value::String(choice) => Some(choice.clone()),
        number => (defaults.get(key) != Some(number)).then(|| format!("{key}={number}")),
    });
    std::iter::once(loss.name().into()).chain(words).collect::<Vec<_>>().join(" ")
}
