//! The rooms of `src/` look one way: each names those below it alone, and none goes through the
//! roof of the crate. Rust checks no order inside a crate, so the paths in the sources are read.

use std::fs;
use std::path::{Path, PathBuf};

use crate::sources;

/// The rooms from the ground up: each knows those on the steps below. These know nothing of wgpu.
const GROUND: &[&[&str]] = &[
    &["error", "parallel"],
    &["names"],
    &["data::input", "wgsl"],
    &["data::mode"],
    &["data::shape"],
    &["loss"],
    &["data"],
    &["measures", "search", "training"],
];
/// What stands on the ground, and knows nothing of the other one: how a result is defined, with
/// what computes it so,
const DEFINITION: &[&[&str]] = &[&["definition"], &["reference", "cpu", "sharded"]];
/// and how it is computed.
const COMPUTATION: &[&[&str]] = &[
    &["gpu::cut"],
    &["gpu::kernel"],
    &["gpu::device"],
    &["gpu::dispatch"],
    &["gpu::pairs", "gpu::training"],
    &["gpu::plan"],
    &["gpu", "shaders"],
    // Names of the public surface for what stands below.
    &["profile", "testing", "tuning"],
];
/// What offers either.
const ROOF: &[&str] = &["engine"];

/// Modules of the public surface, which show the plans of what they ask for.
const SHOWN: &[(&str, &str)] = &[
    ("measures", "gpu::MeasurePlan"),
    ("measures", "gpu::VerificationPlan"),
    ("search", "gpu::SearchPlan"),
    ("training", "cpu::Activations"),
    ("training", "cpu::CpuOptimizer"),
    ("training", "cpu::CpuTrainer"),
    ("training", "gpu::GpuTrainer"),
    ("training", "gpu::LinearPlan"),
    ("training", "gpu::MlpPlan"),
    ("training", "gpu::OptimizerPlan"),
];

/// Whether a path is a room, or is in it.
fn is_within(path: &str, room: &str) -> bool {
    path.strip_prefix(room).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The room that a path is in, the innermost one; none for what stands in the root of the crate.
fn room_of(path: &str) -> Option<&'static str> {
    let all = [GROUND, DEFINITION, COMPUTATION, &[ROOF]].into_iter().flatten().copied().flatten();
    all.copied().filter(|room| is_within(path, room)).max_by_key(|room| room.len())
}

/// The step that a room is on.
fn step_of(steps: &[&[&str]], room: &str) -> Option<usize> {
    steps.iter().position(|step| step.contains(&room))
}

fn knows(room: &str, other: &str) -> bool {
    let below = |steps| match (step_of(steps, room), step_of(steps, other)) {
        (Some(own), Some(other)) => other < own,
        // What stands on the ground knows all of it.
        (None, Some(_)) => steps == GROUND,
        _ => false,
    };
    room == other
        || ROOF.contains(&room)
        || [GROUND, DEFINITION, COMPUTATION].into_iter().any(below)
}

/// The words, `::` and other signs of a source with their lines, without its comments and its
/// module of tests.
fn tokens(text: &str) -> Vec<(usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let mut tokens = Vec::new();
    for (line, code) in text[..end].lines().enumerate() {
        let mut rest = code.split("//").next().unwrap_or_default().trim_start();
        while let Some(first) = rest.chars().next() {
            let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
            let length = match rest.find(|letter| !is_of_word(letter)) {
                None => rest.len(),
                Some(0) if rest.starts_with("::") => 2,
                Some(0) => first.len_utf8(),
                Some(length) => length,
            };
            let (token, after) = rest.split_at(length);
            tokens.push((line + 1, token));
            rest = after.trim_start();
        }
    }
    tokens
}

/// The paths from the root of the crate that a module of this path names, and their lines.
fn paths(module: &str, text: &str) -> Vec<(usize, String)> {
    let tokens = tokens(text);
    let mut paths = Vec::new();
    for at in 1..tokens.len().saturating_sub(1) {
        let [before, word, after] = [at - 1, at, at + 1].map(|at| tokens[at].1);
        if before == "::" || after != "::" {
            continue;
        }
        let mut base: Vec<&str> = match word {
            "crate" => vec![],
            "super" => module.split("::").collect(),
            _ => continue,
        };
        base.pop();
        tree(&tokens, at + 2, &base, &mut paths);
    }
    paths
}

/// Adds the paths of a tree, as `use` has them, that begins at a token; the token after it.
fn tree(
    tokens: &[(usize, &str)],
    at: usize,
    base: &[&str],
    paths: &mut Vec<(usize, String)>,
) -> usize {
    let Some(&(line, word)) = tokens.get(at) else { return at };
    let sign = |at: usize| tokens.get(at).map_or("", |&(_, sign)| sign);
    if word == "{" {
        let mut next = at + 1;
        while !matches!(sign(next), "}" | "") {
            next = tree(tokens, next, base, paths);
            next += usize::from(sign(next) == ",");
        }
        return next + 1;
    }
    let path = match word {
        "super" => base[..base.len().saturating_sub(1)].to_vec(),
        "self" => base.to_vec(),
        _ => [base, &[word]].concat(),
    };
    if sign(at + 1) == "::" && sign(at + 2) != "<" {
        return tree(tokens, at + 2, &path, paths);
    }
    paths.push((line, path.join("::")));
    at + if sign(at + 1) == "as" { 3 } else { 1 }
}

/// What a source names that its room does not know.
fn offences(file: &str, text: &str) -> Vec<String> {
    let module = file.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
    let Some(room) = room_of(&module) else {
        return vec![format!("src/{file} is in no room of tests/host/rooms.rs")];
    };
    let mut offences = Vec::new();
    for (line, path) in paths(&module, text) {
        if SHOWN.contains(&(module.as_str(), path.as_str())) {
            continue;
        }
        match room_of(&path) {
            Some(other) if knows(room, other) => {}
            Some(other) => offences.push(format!("src/{file}:{line}: {room} -> {other} ({path})")),
            None => offences.push(format!("src/{file}:{line}: {room} -> the roof ({path})")),
        }
    }
    if step_of(COMPUTATION, room).is_none() {
        let wgpu = tokens(text)
            .windows(2)
            .find(|pair| pair[0].1 == "wgpu" && pair[1].1 == "::")
            .map(|pair| format!("src/{file}:{}: {room} -> wgpu", pair[0].0));
        offences.extend(wgpu);
    }
    offences
}

#[test]
fn every_room_knows_those_below_it_alone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let is_in_a_room = |path: &PathBuf| {
        // The roof, and tests, which know everything.
        !path.ends_with("src/lib.rs") && !path.components().any(|part| part.as_os_str() == "tests")
    };
    for room in [GROUND, DEFINITION, COMPUTATION, &[ROOF]].concat().concat() {
        let path = root.join(room.replace("::", "/"));
        assert!(path.is_dir() || path.with_extension("rs").is_file(), "there is no room {room}");
    }
    let mut all = Vec::new();
    for path in sources(&root).into_iter().filter(is_in_a_room) {
        let text = fs::read_to_string(&path).expect("a source");
        let file = path.strip_prefix(&root).expect("a path below the root").to_string_lossy();
        all.extend(offences(&file.replace('\\', "/"), &text));
    }
    all.sort();
    assert!(all.is_empty(), "{} arrows that run back:\n{}", all.len(), all.join("\n"));
}

#[test]
fn an_arrow_that_runs_back_is_named() {
    let named = |file, text| offences(file, text).join(", ");
    let back =
        "use std::fmt;\n\nuse crate::gpu::{cut::tiles::Tile, plan::loss::Plan as Other, kernel};\n";
    assert_eq!(
        named("gpu/device/context.rs", back),
        "src/gpu/device/context.rs:3: gpu::device -> gpu::plan (gpu::plan::loss::Plan)"
    );
    assert_eq!(named("gpu/plan/evaluate.rs", back), "");
    assert_eq!(
        named("gpu/pairs/list.rs", "\nfn f() { super::super::training::linear::f::<u32>() }"),
        "src/gpu/pairs/list.rs:2: gpu::pairs -> gpu::training (gpu::training::linear::f)"
    );
    assert_eq!(
        named("loss/mod.rs", "// crate::gpu\nuse crate::Error;\nfn f(_: &wgpu::Buffer) {}"),
        "src/loss/mod.rs:2: loss -> the roof (Error), src/loss/mod.rs:3: loss -> wgpu"
    );
    assert_eq!(
        named("reference/mod.rs", "use super::gpu;\n#[cfg(test)]\nmod tests {\nuse crate::gpu;\n}"),
        "src/reference/mod.rs:1: reference -> gpu (gpu)"
    );
    assert_eq!(
        named("gpu/cut/mod.rs", "macro_rules! m { () => { $crate::reference::evaluate() } }"),
        "src/gpu/cut/mod.rs:1: gpu::cut -> reference (reference::evaluate)"
    );
    assert_eq!(
        named("gpu/new.rs", "use super::plan::loss::Plan;"),
        "",
        "a file of the whole of `gpu`"
    );
    assert_eq!(named("new.rs", ""), "src/new.rs is in no room of tests/host/rooms.rs");
}

/// Lines of a source, its tests among them, that name the crate that the tests share.
fn names_support(text: &str) -> Vec<usize> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let named = code.enumerate().filter(|(_, code)| code.contains("support::"));
    named.map(|(line, _)| line + 1).collect()
}

#[test]
fn what_is_published_compiles_without_the_crate_of_the_tests() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "benches", "examples", "cli/src"] {
        let files = sources(&root.join(folder)).into_iter();
        for path in files.filter(|path| path.extension().is_some_and(|ending| ending == "rs")) {
            let text = fs::read_to_string(&path).expect("a source");
            let lines = names_support(&text);
            assert!(lines.is_empty(), "{path:?} names `support` in the lines {lines:?}");
        }
    }
    assert_eq!(names_support("\nlet sizes = support::SIZES;"), [2]);
}
