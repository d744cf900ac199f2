//! `shaders`: every kernel in every variant, in every language.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use naga::back::pipeline_constants::process_overrides;
use naga::valid::{Capabilities, ValidationFlags, Validator};
use serde_json::Value;

use crate::errors::fails;
use crate::{NO_ADAPTER, program, scratch, stderr, succeed};

/// Writes the kernels in a language and returns the folder with the index.
fn written(language: &str) -> (PathBuf, Vec<Value>) {
    let folder = scratch(language);
    let out = folder.to_str().unwrap();
    let answer = succeed(&["shaders", "--out", out, "--as", language]);
    let index = fs::read_to_string(folder.join("index.json")).expect("an index");
    let index: Vec<Value> = serde_json::from_str(&index).expect("a JSON array");
    assert_eq!(answer, format!("{} kernels in {out}\n", index.len()));
    (folder, index)
}

/// The files below a folder, with `/` between folders.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        match path.is_dir() {
            true => {
                files.extend(self::files(&path).into_iter().map(|file| format!("{name}/{file}")))
            }
            false => drop(files.insert(name)),
        }
    }
    files
}

/// Writes the kernels and checks that the index lists every file once.
#[track_caller]
fn listed(language: &str) -> (PathBuf, Vec<Value>) {
    let (folder, index) = written(language);
    let mut paths: BTreeSet<_> =
        index.iter().map(|entry| entry["path"].as_str().unwrap().to_string()).collect();
    assert_eq!(paths.len(), index.len(), "a path is listed twice");
    assert!(paths.insert("index.json".into()));
    assert_eq!(files(&folder), paths);
    (folder, index)
}

/// The files that the index lists, with their entries.
fn texts(language: &str) -> Vec<(Value, String)> {
    let (folder, index) = listed(language);
    let text = |entry: &Value| {
        fs::read_to_string(folder.join(entry["path"].as_str().unwrap())).expect("a text")
    };
    index.into_iter().map(|entry| (entry.clone(), text(&entry))).collect()
}

/// The module of a text. It begins with `enable subgroups;` where its tier has them, which the
/// standard asks for and naga refuses.
fn parse(entry: &Value, text: &str) -> naga::Module {
    let text = match entry["tier"] == "subgroups" {
        true => text.strip_prefix("enable subgroups;\n").expect("subgroups are enabled first"),
        false => text,
    };
    naga::front::wgsl::parse_str(text)
        .unwrap_or_else(|error| panic!("{}", error.emit_to_string(text)))
}

/// Bytes of workgroup memory that every device of WebGPU has.
const BASELINE_MEMORY: u32 = 16384;

fn workgroup_memory(module: &naga::Module) -> u32 {
    let mut layouter = naga::proc::Layouter::default();
    layouter.update(module.to_ctx()).expect("a layout");
    let globals = module.global_variables.iter().map(|(_, global)| global);
    let workgroup = globals.filter(|global| global.space == naga::AddressSpace::WorkGroup);
    workgroup.map(|global| layouter[global.ty].size).sum()
}

#[test]
fn the_wgsl_is_valid_on_every_device_of_its_tier_and_as_the_index_says() {
    for (entry, text) in texts("wgsl") {
        let module = parse(&entry, &text);
        let has_subgroups = entry["tier"] == "subgroups";
        let capabilities =
            if has_subgroups { Capabilities::SUBGROUP } else { Capabilities::empty() };
        let info = Validator::new(ValidationFlags::all(), capabilities)
            .validate(&module)
            .expect("valid WGSL");
        let (module, _) = process_overrides(&module, &info, None, &Default::default())
            .expect("values of all constants");
        let is_entry = |point: &&naga::EntryPoint| entry["entry_point"] == point.name;
        let point = module.entry_points.iter().find(is_entry).expect("the entry point");
        assert_eq!(entry["workgroup_size"], serde_json::json!(point.workgroup_size), "{entry}");
        assert!(point.workgroup_size.iter().product::<u32>() <= 256, "{entry}");
        let memory = workgroup_memory(&module);
        assert!(memory <= BASELINE_MEMORY, "{entry} takes {memory} bytes of workgroup memory");
        for (name, value) in entry["constants"].as_object().unwrap() {
            assert!(
                text.contains(&format!("override {name}: u32 = {value}u;")),
                "{name} of {entry}"
            );
        }
        for (_, global) in module.global_variables.iter() {
            let Some(naga::ResourceBinding { group, binding }) = global.binding else { continue };
            let (ty, access) = match global.space {
                naga::AddressSpace::Uniform => ("uniform", "read"),
                naga::AddressSpace::Storage { access }
                    if access.contains(naga::StorageAccess::STORE) =>
                {
                    ("storage", "read_write")
                }
                _ => ("storage", "read"),
            };
            let expected = serde_json::json!({ "group": group, "binding": binding, "type": ty, "access": access });
            assert!(
                entry["bindings"].as_array().unwrap().contains(&expected),
                "{expected} of {entry}"
            );
        }
    }
}

#[test]
fn every_variant_translates() {
    for (language, entry_line) in
        [("msl", "kernel void"), ("hlsl", "[numthreads("), ("glsl", "layout(local_size_x")]
    {
        for (entry, text) in texts(language) {
            assert_eq!(text.matches(entry_line).count(), 1, "{entry}");
            assert!(
                text.contains(&format!("void {}(", entry["entry_point"].as_str().unwrap())),
                "{entry}"
            );
        }
    }
    let (folder, index) = listed("spirv");
    for entry in index {
        let module = fs::read(folder.join(entry["path"].as_str().unwrap())).expect("a module");
        assert_eq!(module[..4], 0x0723_0203_u32.to_le_bytes(), "{entry}");
    }
}

#[test]
fn the_same_files_without_an_adapter() {
    let (folder, _) = written("wgsl");
    let other = scratch("wgsl");
    let arguments = ["shaders", "--out", other.to_str().unwrap()];
    let output =
        program(&arguments).env(NO_ADAPTER.0, NO_ADAPTER.1).output().expect("the program starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let names = files(&folder);
    assert_eq!(names, files(&other));
    for name in names {
        assert_eq!(
            fs::read(folder.join(&name)).unwrap(),
            fs::read(other.join(&name)).unwrap(),
            "{name}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_written() {
    let file = scratch("file");
    fs::write(&file, "in the way").expect("a file");
    let folder = file.join("folder");
    fails(&["shaders", "--out", folder.to_str().unwrap()], &[file.to_str().unwrap()]);
}
