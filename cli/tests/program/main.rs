//! The program as its user runs it: the built binary, its files, its answers and its exit codes.

mod adapters;
mod bench;
mod effects;
mod environment;
mod errors;
mod files;
mod goldens;
mod guide;
mod kinds;
mod measure;
mod names;
mod npy;
mod objectives;
mod outputs;
mod pictures;
mod predict;
mod release;
mod schema;
mod search;
mod shaders;
mod times;
mod train;
mod validate;
mod verify;
mod without_files;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

/// The program with these arguments, not yet started.
fn program(arguments: &[impl AsRef<str>]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wgpu-metric-learning"));
    command.args(arguments.iter().map(AsRef::as_ref)).stdin(Stdio::null());
    command
}

fn run(arguments: &[impl AsRef<str>]) -> Output {
    program(arguments).output().expect("the program starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8 on stdout")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8 on stderr")
}

/// What the program prints when it succeeds.
#[track_caller]
fn succeed(arguments: &[impl AsRef<str>]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}\n{}", stdout(&output), stderr(&output));
    stdout(&output)
}

/// The objects that the program prints, one a line.
#[track_caller]
fn objects(arguments: &[impl AsRef<str>]) -> Vec<Value> {
    let mut arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
    arguments.push("--json");
    succeed(&arguments)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

/// The only object that the program prints.
#[track_caller]
fn object(arguments: &[impl AsRef<str>]) -> Value {
    let objects = objects(arguments);
    assert_eq!(objects.len(), 1);
    objects.into_iter().next().unwrap()
}

/// A path for a file, another one at every call and in every process: tests run side by side, and
/// several use the same names.
fn scratch(name: &str) -> PathBuf {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let own = format!("{}-{call}", std::process::id());
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("program").join(own);
    // An earlier run may have left files there.
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder for scratch files");
    folder.join(name)
}

/// An environment in which wgpu finds no adapter: a backend that this system does not have.
const NO_ADAPTER: (&str, &str) = ("WGPU_BACKEND", if cfg!(windows) { "metal" } else { "dx12" });
