//! The settings of the losses in the cases: every choice that they have, and numbers of the size of
//! the distances.

use serde_json::{Map, Value, json};
use wgpu_metric_learning::{
    Contrastive, Distance, Form, Loss, Margin, Mining, Reduction, Sampling, Thresholds,
};

use crate::objective;

/// The loss with every combination of its choices, those that its JSON form shows.
pub(super) fn variants(name: &str) -> Vec<Loss> {
    let default: Map<_, _> = [("loss".to_string(), json!(name))].into_iter().collect();
    let default = objective::to_json(&read(default));
    let mut variants = vec![Map::new()];
    for (key, value) in default.as_object().into_iter().flatten() {
        let with = |variant: &Map<String, Value>, choice: Value| {
            let mut variant = variant.clone();
            variant.insert(key.clone(), choice);
            variant
        };
        let choices = choices(key, value);
        variants = variants
            .iter()
            .flat_map(|variant| choices.iter().map(|one| with(variant, one.clone())))
            .collect();
    }
    variants.into_iter().map(read).filter(is_defined).collect()
}

/// What a setting can be, where it is a choice; otherwise as it is.
fn choices(key: &str, default: &Value) -> Vec<Value> {
    let choices = match key {
        "distance" => json!(Distance::ALL),
        "bins" => json!([default, 1, 255]),
        "epsilon" => json!([null, 0.1]),
        "centers_per_class" => json!([default, 3]),
        "form" => json!(Form::ALL),
        "mining" => json!(Mining::ALL),
        "power" => json!([1, 2]),
        "reduction" => json!(Reduction::ALL),
        "sampling" => json!(Sampling::ALL),
        _ if default.is_boolean() => json!([false, true]),
        _ => json!([default]),
    };
    choices.as_array().cloned().unwrap_or_default()
}

fn is_defined(loss: &Loss) -> bool {
    let draws = matches!(loss, Loss::Margin(Margin { sampling: Sampling::DistanceWeighted, .. }));
    let weighs_unit_rows = loss.distance() == Some(Distance::Euclidean) && loss.normalize();
    let ends = loss.normalize()
        && matches!(loss.distance(), Some(Distance::Euclidean | Distance::SquaredEuclidean));
    let is_of_cosines = loss.distance() == Some(Distance::Cosine);
    loss.reductions().any(|reduction| reduction == loss.reduction())
        && (!draws || weighs_unit_rows)
        && (!matches!(loss, Loss::Circle(_) | Loss::ArcFace(_)) || is_of_cosines)
        && (!matches!(loss, Loss::FastAp(_)) || is_of_cosines || ends)
}

/// The loss with numbers of about this size in the place of its margins, temperatures and
/// thresholds.
pub(super) fn sized(loss: &Loss, size: f32, seed: u32) -> Loss {
    let mut settings = objective::to_json(loss).as_object().cloned().unwrap_or_default();
    let is_of_rates = matches!(loss, Loss::MultiSimilarity(_));
    for (key, value) in &mut settings {
        *value = match key.as_str() {
            "alpha" if is_of_rates => json!(1.0 / size),
            "alpha" if matches!(loss, Loss::ProxyAnchor(_)) => json!(10.0 / size),
            "beta" => json!(10.0 / size),
            "base" => json!(size),
            "epsilon" if !value.is_null() => json!(0.25 * size),
            "margin" if matches!(loss, Loss::Circle(_) | Loss::ArcFace(_)) => {
                json!(0.4 * size.min(1.0))
            }
            "gamma" if matches!(loss, Loss::SoftTriple(_)) => json!(0.25 * size),
            "gamma" | "scale" => json!(10.0 / size),
            "margin" | "negative_margin" => json!(size),
            "positive_margin" | "alpha" | "temperature" | "delta" => json!(0.25 * size),
            "seed" => json!(seed),
            "reduction" if value.is_object() => json!(Reduction::MeanWithin(between(loss, size))),
            _ => continue,
        };
    }
    read(settings)
}

/// Thresholds among the terms of a loss with numbers of about this size.
fn between(loss: &Loss, size: f32) -> Thresholds {
    let unit = match loss {
        Loss::Contrastive(Contrastive { power: 2, .. }) => 0.25 * size * size,
        Loss::LiftedStructured(_) => size * size,
        Loss::Contrastive(_) | Loss::Triplet(_) | Loss::Margin(_) => 0.5 * size,
        _ => 4.0,
    };
    Thresholds { low: Some(0.05 * unit), high: Some(2.0 * unit) }
}

/// The settings come from losses' own JSON forms, so they are always read.
fn read(settings: Map<String, Value>) -> Loss {
    serde_json::from_value(settings.into()).expect("the JSON form of a loss")
}

/// The plain losses that take thresholds, with some; `sized` sets them.
pub(super) fn thresholded() -> impl Iterator<Item = Loss> {
    let reduction = json!(Reduction::MeanWithin(Thresholds::default()));
    let is_plain = |loss: &Loss| {
        let default = objective::default_of(loss.name());
        let settings = objective::to_json(loss);
        loss.takes_thresholds()
            && ["distance", "normalize", "reduction"]
                .iter()
                .all(|&key| settings[key] == default[key])
    };
    let plain = Loss::NAMES.iter().flat_map(|name| variants(name)).filter(is_plain);
    plain.map(move |loss| {
        let mut settings = objective::to_json(&loss).as_object().cloned().unwrap_or_default();
        settings.insert("reduction".into(), reduction.clone());
        read(settings)
    })
}
