//! `shaders`: every kernel in every variant, as it reaches the driver.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value, json};
use wgpu::{BindGroupLayoutEntry, BindingType, BufferBindingType};
use wgpu_metric_learning::shaders::{self, ShaderSource};

use super::translation::{Language, Translation, translate};
use super::{Error, Result, print};

const INDEX: &str = "index.json";

#[derive(Args)]
pub struct Arguments {
    /// The folder that is written to, made where there is none: a file for each variant, and
    /// index.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The language.
    #[arg(long = "as", value_name = "LANGUAGE", value_enum, default_value_t = Language::Wgsl)]
    language: Language,
}

/// Writes the kernels and says how many.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { out, language } = arguments;
    let mut index = Vec::new();
    for source in shaders::all().into_iter().filter(|source| language.has(source.tier)) {
        let path = format!("{}.{}", source.name, language.extension());
        let file = out.join(&path);
        let translation =
            translate(&source, *language).map_err(|problem| Error::file(&file, problem))?;
        write(&file, &translation.bytes)?;
        index.push(entry(path, &source, &translation));
    }
    let count = index.len();
    let text = format!("{:#}\n", Value::Array(index));
    write(&out.join(INDEX), text.as_bytes())?;
    print(&format!("{count} kernels in {}", out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    let folder = file.parent().unwrap_or(file);
    fs::create_dir_all(folder).map_err(|error| Error::file(folder, error))?;
    fs::write(file, bytes).map_err(|error| Error::file(file, error))
}

/// What the index says of a file.
fn entry(path: String, source: &ShaderSource, translation: &Translation) -> Value {
    // They are whole numbers, and are to be read as such.
    let constants: Map<_, _> = source
        .constants
        .iter()
        .map(|&(name, value)| (name.to_string(), json!(value as u32)))
        .collect();
    json!({
        "path": path,
        "entry_point": translation.entry,
        "tier": source.tier.to_string(),
        "constants": constants,
        "workgroup_size": translation.workgroup_size,
        "bindings": source.bindings.iter().map(binding).collect::<Vec<_>>(),
    })
}

fn binding(entry: &BindGroupLayoutEntry) -> Value {
    let (ty, access) = match entry.ty {
        BindingType::Buffer { ty: BufferBindingType::Storage { read_only: true }, .. } => {
            ("storage", "read")
        }
        BindingType::Buffer { ty: BufferBindingType::Storage { read_only: false }, .. } => {
            ("storage", "read_write")
        }
        _ => ("uniform", "read"),
    };
    json!({ "group": 0, "binding": entry.binding, "type": ty, "access": access })
}
