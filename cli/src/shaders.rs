//! `shaders`: every kernel in every variant, as it reaches the driver.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde::Serialize;
use wgpu::{BindGroupLayoutEntry, BindingType, BufferBindingType};
use wgpu_metric_learning::shaders::{self, ShaderSource};

use super::translation::{Language, Translation, translate};
use super::{Error, Result, print};

const INDEX: &str = "index.json";

#[derive(Args)]
pub(crate) struct Arguments {
    /// The folder that is written to, made where there is none: a file for each variant, and
    /// index.json.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// The language.
    #[arg(long = "as", value_name = "LANGUAGE", value_enum, default_value_t = Language::Wgsl)]
    language: Language,
}

/// Writes the kernels and says how many.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let Arguments { out, language } = arguments;
    let mut index = Vec::new();
    for source in shaders::all().into_iter().filter(|source| language.has(source)) {
        let path = format!("{}.{}", source.name, language.extension());
        let file = out.join(&path);
        let translation =
            translate(&source, *language).map_err(|problem| Error::file(&file, problem))?;
        write(&file, &translation.bytes)?;
        index.push(entry(path, &source, &translation));
    }
    let count = index.len();
    let text = serde_json::to_string_pretty(&index).map_err(Error::output)? + "\n";
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
#[derive(Serialize)]
struct Entry {
    path: String,
    entry_point: String,
    tier: &'static str,
    constants: BTreeMap<&'static str, u32>,
    workgroup_size: [u32; 3],
    bindings: Vec<Binding>,
}

#[derive(Serialize)]
struct Binding {
    group: u32,
    binding: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    access: &'static str,
}

fn entry(path: String, source: &ShaderSource, translation: &Translation) -> Entry {
    Entry {
        path,
        entry_point: translation.entry.clone(),
        tier: source.tier.name(),
        // They are whole numbers, and are to be read as such.
        constants: source.constants.iter().map(|&(name, value)| (name, value as u32)).collect(),
        workgroup_size: translation.workgroup_size,
        bindings: source.bindings.iter().map(binding).collect(),
    }
}

fn binding(entry: &BindGroupLayoutEntry) -> Binding {
    let (kind, access) = match entry.ty {
        BindingType::Buffer { ty: BufferBindingType::Storage { read_only: true }, .. } => {
            ("storage", "read")
        }
        BindingType::Buffer { ty: BufferBindingType::Storage { read_only: false }, .. } => {
            ("storage", "read_write")
        }
        _ => ("uniform", "read"),
    };
    Binding { group: 0, binding: entry.binding, kind, access }
}
