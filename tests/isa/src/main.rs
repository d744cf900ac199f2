//! Compiles every kernel that `wgpu-metric-learning shaders --as spirv` has written to a folder with
//! Mesa's RADV, the compiler of AMD's GPUs, and holds what it says of them against `docs/isa.md`;
//! with `--write` writes it there. No such GPU is needed: nothing is run.
//!
//! A compiler that crashes takes its process along: this program runs itself as that process, and
//! again for the kernels after the one that crashed.

mod kernel;
mod limits;
mod loops;
mod table;
mod vulkan;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::{env, fs, thread};

use kernel::{Kernel, Outcome};
use vulkan::Compiler;

/// A family of RDNA2 and one of GCN, by the names that Mesa gives them.
const FAMILIES: [&str; 2] = ["navi21", "vega10"];

/// The exit status that tells that nothing was checked.
const NOT_CHECKED: u8 = 2;

/// Where drivers are listed.
const DRIVERS: &str = "/usr/share/vulkan/icd.d";

/// The first argument of a process that compiles.
const COMPILE: &str = "compile";

#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("usage: isa FOLDER [--write], the folder being that of `shaders --as spirv`")]
    Usage,
    #[error("{0}: {1}")]
    File(PathBuf, io::Error),
    #[error("{0}: {1}")]
    Json(PathBuf, serde_json::Error),
    #[error("the compiling process: {0}")]
    Process(io::Error),
    #[error("the compiling process answered: {0}")]
    Answer(String),
    #[error("the compiler: {0}")]
    Compiler(String),
    #[error("{DRIVERS} lists no RADV")]
    NoDriver,
    #[error("docs/isa.md is of {0}, and this is {1}")]
    OtherDriver(String, String),
    #[error(
        "{0}What the compiler says differs from docs/isa.md. To write it down: ./scripts/check-isa --write"
    )]
    Differs(String),
    #[error("{0}No kernel may be so: tests/isa/src/limits.rs.")]
    Faults(String),
}

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [COMPILE, folder, first] => compile(Path::new(folder), first),
        [folder] => check(Path::new(folder), false),
        [folder, "--write"] => check(Path::new(folder), true),
        _ => Err(Problem::Usage),
    };
    let Err(problem) = done else { return ExitCode::SUCCESS };
    match problem {
        Problem::NoDriver | Problem::OtherDriver(..) => {
            eprintln!("WHAT A GPU'S COMPILER SAYS WAS NOT CHECKED: {problem}");
            ExitCode::from(NOT_CHECKED)
        }
        _ => {
            eprintln!("error: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Compiles for every family, and holds the table against the one that is written down.
fn check(folder: &Path, is_to_be_written: bool) -> Result<(), Problem> {
    let driver = driver()?;
    let kernels = kernel::listed(folder)?;
    let families: Vec<_> = thread::scope(|scope| {
        let run = |family| {
            let (driver, kernels) = (&driver, &kernels);
            scope.spawn(move || outcomes(folder, family, driver, kernels.len()))
        };
        let running: Vec<_> = FAMILIES.into_iter().map(run).collect();
        running.into_iter().map(|one| one.join().expect("a thread that does not panic")).collect()
    });
    let mut told = Vec::new();
    let mut version = String::new();
    for (family, outcome) in FAMILIES.into_iter().zip(families) {
        let (compiler, outcomes) = outcome?;
        version = compiler;
        told.push((family, outcomes));
    }
    let text = table::text(&version, &kernels, &told);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/isa.md");
    let written = fs::read_to_string(&path).map_err(|error| Problem::File(path.clone(), error))?;
    let faults: String =
        told.iter().map(|(family, outcomes)| limits::faults(family, &kernels, outcomes)).collect();
    if is_to_be_written && faults.is_empty() {
        return fs::write(&path, text).map_err(|error| Problem::File(path, error));
    }
    match table::version(&written) {
        Some(written) if written != version && !is_to_be_written => {
            Err(Problem::OtherDriver(written.to_string(), version))
        }
        _ if !faults.is_empty() => Err(Problem::Faults(faults)),
        _ if written != text => Err(Problem::Differs(table::differences(&written, &text))),
        _ => {
            println!("{} kernels compile as docs/isa.md says, by {version}", kernels.len());
            Ok(())
        }
    }
}

/// RADV's entry in the list of drivers.
fn driver() -> Result<PathBuf, Problem> {
    let listed = fs::read_dir(DRIVERS).map_err(|_| Problem::NoDriver)?;
    let is_radv = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with("radeon_icd.")
    };
    listed.flatten().map(|entry| entry.path()).find(is_radv).ok_or(Problem::NoDriver)
}

/// The compiler's version, and what it says of each kernel for a family.
fn outcomes(
    folder: &Path,
    family: &str,
    driver: &Path,
    count: usize,
) -> Result<(String, Vec<Outcome>), Problem> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    loop {
        let (version, told) = process(folder, family, driver, outcomes.len())?;
        outcomes.extend(told);
        if outcomes.len() == count {
            return Ok((version, outcomes));
        }
        outcomes.push(Outcome::Crash);
        if outcomes.len() == count {
            return Ok((version, outcomes));
        }
    }
}

/// Has a process compile from the kernel `first` on, as far as it comes.
fn process(
    folder: &Path,
    family: &str,
    driver: &Path,
    first: usize,
) -> Result<(String, Vec<Outcome>), Problem> {
    let mut child = Command::new(env::current_exe().map_err(Problem::Process)?)
        .arg(COMPILE)
        .arg(folder)
        .arg(first.to_string())
        .env("VK_DRIVER_FILES", driver)
        .env("RADV_FORCE_FAMILY", family)
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(Problem::Process)?;
    let output = child.stdout.take().into_iter().flat_map(|output| BufReader::new(output).lines());
    let lines: Vec<_> = output.collect::<Result<_, _>>().map_err(Problem::Process)?;
    let status = child.wait().map_err(Problem::Process)?;
    // Where it has an exit status it did not crash, and tells a problem in its own words.
    if status.code().is_some_and(|code| code != 0) {
        return Err(Problem::Compiler(lines.join(" ")));
    }
    let Some((version, told)) = lines.split_first() else {
        return Err(Problem::Answer(status.to_string()));
    };
    let read = |line: &String| {
        serde_json::from_str(line).map_err(|error| Problem::Answer(format!("{line}: {error}")))
    };
    Ok((version.clone(), told.iter().map(read).collect::<Result<_, _>>()?))
}

/// Compiles from the kernel `first` on, and prints a line for each. Variants that come to the same
/// module, as in both tiers where nothing is shared by subgroups, are compiled once.
fn compile(folder: &Path, first: &str) -> Result<(), Problem> {
    let first = first.parse().map_err(|_| Problem::Usage)?;
    let kernels = kernel::listed(folder)?;
    let compiler = Compiler::open().map_err(Problem::Compiler)?;
    let mut output = io::stdout();
    writeln!(output, "{}", compiler.driver).map_err(Problem::Process)?;
    let mut known: HashMap<(Vec<u8>, Option<u64>), Outcome> = HashMap::new();
    for kernel in kernels.iter().skip(first) {
        let path = folder.join(&kernel.path);
        let spirv = fs::read(&path).map_err(|error| Problem::File(path, error))?;
        let told = match known.entry((spirv, kernel.products_per_round())) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                let told = outcome(&new.key().0, kernel, &compiler)?;
                *new.insert(told)
            }
        };
        let line =
            serde_json::to_string(&told).map_err(|error| Problem::Answer(error.to_string()))?;
        writeln!(output, "{line}").and_then(|()| output.flush()).map_err(Problem::Process)?;
    }
    Ok(())
}

fn outcome(spirv: &[u8], kernel: &Kernel, compiler: &Compiler) -> Result<Outcome, Problem> {
    let has_loop = kernel.products_per_round().is_some();
    let compiled = compiler
        .compile(spirv, &kernel.entry_point, &kernel.bindings(), has_loop)
        .map_err(|error| Problem::Compiler(format!("{}: {error}", kernel.path)))?;
    Outcome::of(kernel, &compiled).map_err(|name| {
        Problem::Compiler(format!("{}: the compiler does not tell {name}", kernel.path))
    })
}
