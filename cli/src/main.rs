//! The program `wgpu-metric-learning`: evaluates losses and retrieval measures on files or on the
//! bundled digits, trains projection heads, validates and times the adapters of this machine, lists
//! them, and writes the kernels.

mod adapters;
mod apply;
mod arrays;
mod bench;
mod convert;
mod digits;
mod evaluate;
mod evaluator;
mod examples;
mod files;
mod gpu;
mod head;
mod interrupt;
mod manual;
mod mapped;
mod measure;
mod output;
mod output_paths;
mod pictures;
mod place;
mod plan;
mod progress;
mod ranks;
mod report;
mod search;
mod shaders;
mod sizes;
mod summary;
mod table;
mod tensors;
mod train;
mod translation;
mod validate;
mod verify;

// What reads the files of others is public for the fuzz targets, which take these files too.
#[expect(unreachable_pub)]
mod descriptions;
#[expect(unreachable_pub)]
mod elements;
#[expect(unreachable_pub)]
mod error;
#[expect(unreachable_pub)]
mod kind;
#[expect(unreachable_pub)]
mod labels;
#[expect(unreachable_pub)]
mod names;
#[expect(unreachable_pub)]
mod npy;
#[expect(unreachable_pub)]
mod objective;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use error::{Error, Result};
use serde::Serialize;

const EXIT_CODES: &str = "\
Exit codes:
  0    done; what was compared agrees
  1    a result is beyond its bound, or an injected fault was not survived
  2    arguments or files that cannot be used
  3    no adapter or device, or one that failed or did not answer
  101  a mistake of the program's own
  130  a training was interrupted; the files that it was asked for are written";

#[derive(Parser)]
#[command(name = env!("CARGO_BIN_NAME"), version, about = "Metric-learning losses and their gradients on any GPU.", after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Tells on the standard error which arrays are read, and what computes.
    #[arg(short, long, global = true)]
    verbose: bool,

    /// Says nothing beside the answer: no progress, no steps of a training, no notes.
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

/// Whether details are told.
static IS_VERBOSE: AtomicBool = AtomicBool::new(false);

/// Whether nothing is told beside the answer.
static IS_QUIET: AtomicBool = AtomicBool::new(false);

fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Prints one line of details beside the answer, where they are asked for.
fn detail(message: impl FnOnce() -> String) {
    if IS_VERBOSE.load(Ordering::Relaxed) {
        tell(&message());
    }
}

#[derive(Subcommand)]
enum Command {
    /// Evaluates a loss and its gradients; without files, every loss on the bundled digits.
    Evaluate(Box<evaluate::Arguments>),
    /// Measures how well embeddings retrieve their own class; without files, on the bundled digits.
    Measure(Box<measure::Arguments>),
    /// Fits a projection head to embeddings with labels; without files, to the bundled digits.
    Train(Box<train::Arguments>),
    /// Takes embeddings through a trained head.
    Apply(apply::Arguments),
    /// Finds the exact nearest rows of every query; without files, of the bundled digits.
    Search(Box<search::Arguments>),
    /// Verifies whether distances tell rows that are the same from others; without files, on the
    /// bundled digits.
    Verify(Box<verify::Arguments>),
    /// Writes the arrays of a file of one kind as a file of another.
    Convert(convert::Arguments),
    /// Holds the kernels of every loss and measure against the CPU reference, on many kinds of
    /// inputs.
    Validate(validate::Arguments),
    /// Times losses on an adapter, beside what it can do at most.
    Bench(Box<bench::Arguments>),
    /// Prints the dispatches of a loss: the kernels in their order, with what they read and write.
    Plan(plan::Arguments),
    /// Lists the adapters of this machine and what they can do.
    Adapters(adapters::Arguments),
    /// Writes every kernel in every variant, as it reaches the driver. Needs no GPU.
    Shaders(shaders::Arguments),
    /// Prints what makes a shell complete the options of this program.
    Completions(manual::Completions),
    /// Writes the manual pages, one a command.
    Man(manual::Man),
}

/// The program with examples of every command.
fn program() -> clap::Command {
    examples::OF_COMMANDS.iter().fold(Arguments::command(), |program, (name, examples)| {
        program.mut_subcommand(name, |command| {
            let examples = format!("Examples:\n{examples}");
            let long = match command.get_after_long_help() {
                Some(others) => format!("{examples}\n\n{others}"),
                None => examples.clone(),
            };
            command.after_help(examples).after_long_help(long)
        })
    })
}

fn main() -> ExitCode {
    let parsed = Arguments::from_arg_matches(&program().get_matches());
    let Arguments { command, verbose, quiet } = parsed.unwrap_or_else(|error| error.exit());
    IS_VERBOSE.store(verbose, Ordering::Relaxed);
    IS_QUIET.store(quiet, Ordering::Relaxed);
    let result = match command {
        Command::Evaluate(arguments) => evaluate::run(&arguments),
        Command::Measure(arguments) => measure::run(&arguments),
        Command::Train(arguments) => train::run(&arguments),
        Command::Apply(arguments) => apply::run(&arguments),
        Command::Search(arguments) => search::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Convert(arguments) => convert::run(&arguments),
        Command::Validate(arguments) => validate::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Plan(arguments) => plan::run(&arguments),
        Command::Adapters(arguments) => adapters::run(&arguments),
        Command::Shaders(arguments) => shaders::run(&arguments),
        Command::Completions(arguments) => manual::complete(&arguments, program()),
        Command::Man(arguments) => manual::write(&arguments, program()),
    };
    match result {
        Ok(code) => code,
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            tell(&format!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}

/// The exit code where results were compared.
fn verdict(agrees: bool) -> ExitCode {
    if agrees { ExitCode::SUCCESS } else { ExitCode::from(error::WRONG) }
}

/// Prints one line, or several, of the answer.
fn print(text: &str) -> Result<()> {
    writeln!(io::stdout(), "{text}").map_err(Error::Output)
}

/// Prints one line, or several, of what need not be read: who closes the pipe does not end what is
/// made beside it.
fn say(text: &str) -> Result<()> {
    unless_nobody_reads(print(text))
}

/// What printing came to, where nobody has to read it.
fn unless_nobody_reads(printed: Result<()>) -> Result<()> {
    match printed {
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed,
    }
}

/// A line of JSON, and which version of its keys it has: one more where a key goes or means something
/// else.
#[derive(Serialize)]
struct Versioned<'a, T> {
    version: u32,
    #[serde(flatten)]
    line: &'a T,
}

/// Prints one line of JSON of the answer.
fn print_json(line: &impl Serialize) -> Result<()> {
    let line = Versioned { version: 2, line };
    print(&serde_json::to_string(&line).map_err(Error::output)?)
}

/// Prints what need not be known beside the answer.
fn note(message: &str) {
    if !is_quiet() {
        tell(&format!("note: {message}"));
    }
}

/// Prints one line beside the answer; there is no one left to tell where that fails.
fn tell(message: &str) {
    let _ = writeln!(io::stderr(), "{}", message.trim().replace('\n', " "));
}
