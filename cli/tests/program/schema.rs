//! What is printed with `--json` is what `docs/output.schema.json` says.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use wgpu_metric_learning::Distance;

use crate::{npy, objects, scratch};

/// The definitions of the schema.
fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/output.schema.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// What is wrong with a value, by the part of JSON Schema that ours is written in.
fn problem(schema: &Value, value: &Value) -> Option<String> {
    let rules = schema.as_object().unwrap();
    rules
        .iter()
        .find_map(|(rule, wanted)| match rule.as_str() {
            "description" | "properties" | "patternProperties" => None,
            "const" => (wanted != value).then(|| format!("{value} is not {wanted}")),
            "enum" => {
                let is_known = wanted.as_array().unwrap().contains(value);
                (!is_known).then(|| format!("{value} is none of {wanted}"))
            }
            "type" => {
                let types = wanted.as_array().cloned().unwrap_or_else(|| vec![wanted.clone()]);
                let is_one = types.iter().any(|of| is_of(value, of.as_str().unwrap()));
                (!is_one).then(|| format!("{value} is no {wanted}"))
            }
            "required" | "additionalProperties" if !value.is_object() => None,
            "required" => {
                let missing = |key: &&Value| value.get(key.as_str().unwrap()).is_none();
                wanted
                    .as_array()
                    .unwrap()
                    .iter()
                    .find(missing)
                    .map(|key| format!("{key} is missing"))
            }
            "items" => value.as_array().unwrap().iter().find_map(|item| problem(wanted, item)),
            "additionalProperties" => {
                assert_eq!(*wanted, json!(false));
                let unknown =
                    value.as_object().unwrap().keys().find(|key| rule_of(schema, key).is_none());
                unknown.map(|key| format!("{key} is unknown"))
            }
            rule => panic!("a rule that is not checked: {rule}"),
        })
        .or_else(|| {
            let entries = value.as_object().filter(|_| rules.contains_key("properties"))?;
            entries.iter().find_map(|(key, value)| {
                let problem = problem(rule_of(schema, key)?, value)?;
                Some(format!("{key}: {problem}"))
            })
        })
}

/// What a key has to be; a pattern is told by its beginning.
fn rule_of<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    let patterns = schema.get("patternProperties").and_then(Value::as_object);
    let is_like = |pattern: &str| {
        let (begins, _) = pattern.trim_start_matches('^').rsplit_once('[').unwrap();
        let begins = begins.trim_start_matches('(');
        let (names, rest) = begins.split_once(')').unwrap_or((begins, ""));
        names.split('|').any(|name| key.starts_with(&format!("{name}{rest}")))
    };
    schema["properties"]
        .get(key)
        .or_else(|| patterns?.iter().find(|(pattern, _)| is_like(pattern)).map(|(_, rule)| rule))
}

fn is_of(value: &Value, name: &str) -> bool {
    match name {
        "number" => value.is_number(),
        "integer" => value.is_u64() || value.is_i64(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("a type that is not checked: {other}"),
    }
}

#[test]
fn every_line_is_as_the_schema_says() {
    let schema = schema();
    let definitions = schema["$defs"].as_object().unwrap();
    let (i, queries) = (scratch("i.npy"), scratch("q.npy"));
    fs::write(&queries, npy::floats("(1, 64)", &[0.5; 64])).unwrap();
    let [i, q] = [&i, &queries].map(|path| path.to_str().unwrap());
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits.npy");
    let sum = r#"[{"loss":"SigLip"},{"loss":"L2"}]"#;
    let copy = scratch("digits.npz");
    let copy = copy.to_str().unwrap();
    let commands: [(&str, Vec<&str>); 14] = [
        ("evaluate", vec!["evaluate", "--objective", "SigLip", "--backend", "cpu"]),
        ("evaluate_sum", vec!["evaluate", "--objective", sum, "--backend", "cpu"]),
        ("measure", vec!["measure", "--backend", "cpu", "--per-class", "--bootstrap", "9"]),
        ("train_step", vec!["train", "--steps", "2", "--validate-every", "1", "--backend", "cpu"]),
        ("train", vec!["train", "--steps", "1", "--backend", "cpu"]),
        ("search_query", vec!["search", "--embeddings", digits, "--queries", q]),
        ("search", vec!["search", "--embeddings", digits, "--queries", q, "--out-indices", i]),
        ("written", vec!["convert", digits, copy]),
        ("verify", vec!["verify", "--tpr-at-fpr", "0,0.1"]),
        ("adapters", vec!["adapters"]),
        ("validate", vec!["validate", "--backend", "cpu", "--quick", "--only", "\"loss\":\"L1\""]),
        ("bench_limits", vec!["bench", "--predict", "rx-6900-xt", "--n", "512"]),
        ("bench", vec!["bench", "--backend", "cpu", "--n", "64", "--seconds", "0.01"]),
        ("plan", vec!["plan", "--objective", "Triplet"]),
    ];
    for (name, arguments) in &commands {
        let lines = objects(arguments);
        assert!(!lines.is_empty(), "{name} prints nothing");
        let agrees = |line: &Value| problem(&definitions[*name], line).is_none();
        assert!(lines.iter().any(agrees), "{name}: {:?}", problem(&definitions[*name], &lines[0]));
        for line in &lines {
            let count = definitions
                .values()
                .filter(|definition| problem(definition, line).is_none())
                .count();
            assert_eq!(count, 1, "{count} definitions have {line}");
        }
    }
    let named: Vec<_> = commands.iter().map(|(name, _)| *name).collect();
    assert!(definitions.keys().all(|name| named.contains(&name.as_str())), "{named:?}");
    let references = schema["oneOf"].as_array().unwrap();
    assert_eq!(references.len(), definitions.len());
}

/// Adds what every key of a schema has to be, with where it stands.
fn keys(schema: &Value, place: &str, found: &mut Vec<(String, Value, String)>) {
    for key in ["items", "properties", "patternProperties"] {
        let Some(parts) = schema.get(key) else { continue };
        if key == "items" {
            keys(parts, place, found);
            continue;
        }
        for (name, rule) in parts.as_object().unwrap() {
            let mut alone = rule.clone();
            alone.as_object_mut().unwrap().remove("description");
            // Whether it may be left out is no meaning.
            if let Some([of, Value::String(null)]) = alone["type"].as_array().map(Vec::as_slice) {
                assert_eq!(null, "null");
                alone["type"] = of.clone();
            }
            found.push((name.clone(), alone, place.into()));
            keys(rule, &format!("{place}.{name}"), found);
        }
    }
}

#[test]
fn a_key_means_the_same_wherever_it_stands() {
    let schema = schema();
    let mut found = Vec::new();
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        keys(definition, name, &mut found);
    }
    for (name, rule, place) in &found {
        let (_, first, elsewhere) = found.iter().find(|(other, ..)| other == name).unwrap();
        assert_eq!(rule, first, "{name} of {place} and of {elsewhere}");
    }
    assert!(found.iter().filter(|(name, ..)| name == "backend").count() > 7, "{found:?}");
}

#[test]
fn what_the_schema_does_not_say_is_noticed() {
    let definition = &schema()["$defs"]["verify"];
    let mut line = objects(&["verify"]).remove(0);
    assert_eq!(problem(definition, &line), None);
    line["another"] = json!(1);
    assert_eq!(problem(definition, &line), Some("another is unknown".into()));
    line.as_object_mut().unwrap().remove("another");
    line["auc"] = json!("high");
    assert!(problem(definition, &line).unwrap().starts_with("auc: "));
    line.as_object_mut().unwrap().remove("auc");
    assert_eq!(problem(definition, &line), Some("\"auc\" is missing".into()));
}

/// What every setting called `distance` can be, anywhere in the schema.
fn distances(schema: &Value) -> Vec<&Value> {
    let within: Vec<_> = match schema {
        Value::Object(entries) => entries.values().collect(),
        Value::Array(entries) => entries.iter().collect(),
        _ => Vec::new(),
    };
    let own = schema.get("distance").and_then(|rules| rules.get("enum"));
    own.into_iter().chain(within.into_iter().flat_map(distances)).collect()
}

#[test]
fn every_distance_is_known() {
    let schema = schema();
    let found = distances(&schema);
    assert!(found.len() > 1 && found.iter().all(|&found| *found == json!(Distance::ALL)));
}
