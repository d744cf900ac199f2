//! Where a training stands, as a `.safetensors` file beside that of the head.

use std::path::Path;

use safetensors::SafeTensors;
use serde_json::Value;
use wgpu_metric_learning::training::Checkpoint;

use super::MADE_BY;
use super::course::Best;
use crate::Result;
use crate::tensors::{self, Tensor};

const PARAMETERS: &str = "parameters";
const MOMENTS: &str = "moments";
const MOMENTS_OF_ONE: &str = "moments_of_one";
/// The steps of the optimiser, and the batches that were drawn.
const COUNTS: &str = "counts";

/// Of the best head: its parameters, its MAP@R, its steps and how often none was better since.
const BEST: &str = "best";
const BEST_MAP_AT_R: &str = "best.map_at_r";
const BEST_COUNTS: &str = "best.counts";

/// Writes it, with the best head where there is one, and with it of which training it is.
pub(super) fn write(
    path: &Path,
    checkpoint: &Checkpoint,
    best: Option<&Best>,
    training: &Value,
) -> Result<()> {
    let Checkpoint { parameters, moments, moments_of_one, steps, batches } = checkpoint;
    let count = parameters.len();
    let mut tensors = vec![
        Tensor::new(PARAMETERS, &[count], parameters),
        Tensor::new(MOMENTS, &[count, 2], moments.as_flattened()),
        Tensor::new(MOMENTS_OF_ONE, &[2], moments_of_one),
        Tensor::new(COUNTS, &[2], &[*steps, *batches]),
    ];
    if let Some(Best { parameters, steps, map_at_r, worse }) = best {
        tensors.push(Tensor::new(BEST, &[parameters.len()], parameters));
        tensors.push(Tensor::new(BEST_MAP_AT_R, &[1], &[*map_at_r]));
        tensors.push(Tensor::new(BEST_COUNTS, &[2], &[*steps, *worse]));
    }
    tensors::write(path, &tensors, training.to_string())
}

/// Reads one of the training that is described so, and the best head of it.
pub(super) fn read(path: &Path, training: &Value) -> Result<(Checkpoint, Option<Best>)> {
    tensors::read(path, |bytes| parse(bytes, training))
}

fn parse(bytes: &[u8], training: &Value) -> Result<(Checkpoint, Option<Best>), String> {
    let file = tensors::parse(bytes)?;
    let (_, parameters) = tensors::numbers::<f32>(&file, PARAMETERS)?;
    let (_, moments) = tensors::numbers::<f64>(&file, MOMENTS)?;
    let (_, of_one) = tensors::numbers::<f64>(&file, MOMENTS_OF_ONE)?;
    let (_, counts) = tensors::numbers::<u32>(&file, COUNTS)?;
    let (&[first, second], &[steps, batches]) = (&of_one[..], &counts[..]) else {
        return Err(format!("{MOMENTS_OF_ONE} and {COUNTS} have to hold two numbers each"));
    };
    let made = tensors::training(bytes)?.unwrap_or_default();
    if let Some(difference) = difference(&made, training) {
        return Err(difference);
    }
    let best = match file.tensor(BEST) {
        Ok(_) => Some(best(&file, parameters.len())?),
        Err(_) => None,
    };
    let checkpoint = Checkpoint {
        parameters,
        moments: moments.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect(),
        moments_of_one: [first, second],
        steps,
        batches,
    };
    Ok((checkpoint, best))
}

/// The best head of so many parameters.
fn best(file: &SafeTensors<'_>, count: usize) -> Result<Best, String> {
    let (_, parameters) = tensors::numbers::<f32>(file, BEST)?;
    let (_, map_at_r) = tensors::numbers::<f32>(file, BEST_MAP_AT_R)?;
    let (_, counts) = tensors::numbers::<u32>(file, BEST_COUNTS)?;
    match (&map_at_r[..], &counts[..]) {
        (&[map_at_r], &[steps, worse]) if parameters.len() == count => {
            Ok(Best { parameters, steps, map_at_r, worse })
        }
        _ => Err(format!("{BEST} has to hold a head of {count} parameters")),
    }
}

/// In what a training that a file is of differs from the one that is asked for.
fn difference(made: &Value, asked: &Value) -> Option<String> {
    let asked = asked.as_object()?;
    // Another version goes on as well.
    let mut asked = asked.iter().filter(|(key, _)| *key != MADE_BY);
    let (key, asked) = asked.find(|(key, asked)| made.get(key) != Some(*asked))?;
    let made = made.get(key).unwrap_or_default();
    Some(format!("is of another training: its {key} is {made}, and {asked} is asked for"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let checkpoint = Checkpoint {
            parameters: vec![1.5, -0.25],
            moments: vec![[0.1, 1e-300], [f64::MIN_POSITIVE, 0.0]],
            moments_of_one: [0.3, 0.7],
            steps: 7,
            batches: 9,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        write(&path, &checkpoint, None, &json!({ "seed": 1, "rows": 5 })).unwrap();
        let found = read(&path, &json!({ "rows": 5, "seed": 1, "made_by": "another" }));
        assert_eq!(found.unwrap(), (checkpoint.clone(), None));
        let other = read(&path, &json!({ "seed": 2, "rows": 5 })).unwrap_err().to_string();
        assert!(other.ends_with("its seed is 1, and 2 is asked for"), "{other}");
        let other = read(&path, &json!({ "new": [3] })).unwrap_err().to_string();
        assert!(other.ends_with("its new is null, and [3] is asked for"), "{other}");
        let best = Best { parameters: vec![0.5, 2.0], steps: 5, map_at_r: 0.75, worse: 2 };
        write(&path, &checkpoint, Some(&best), &json!({})).unwrap();
        assert_eq!(read(&path, &json!({})).unwrap(), (checkpoint.clone(), Some(best.clone())));
        let short = Best { parameters: vec![0.5], ..best };
        write(&path, &checkpoint, Some(&short), &json!({})).unwrap();
        let short = read(&path, &json!({})).unwrap_err().to_string();
        assert!(short.ends_with("best has to hold a head of 2 parameters"), "{short}");
        let head = Tensor::new("0.weight", &[1], &[1.0_f32]);
        tensors::write(&path, &[head], "{}".into()).unwrap();
        let head = read(&path, &json!({})).unwrap_err().to_string();
        assert!(head.ends_with("has no tensor parameters"), "{head}");
    }
}
