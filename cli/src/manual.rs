//! What shells and `man` know of the program, made of the options that it has.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

use super::{Error, Result, print};

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell; its own manual says where it looks for what is printed.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Args)]
pub(crate) struct Man {
    /// The folder to write to, made where there is none: such as ~/.local/share/man/man1.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
}

/// Prints what a shell takes.
pub(crate) fn complete(arguments: &Completions, mut program: Command) -> Result<ExitCode> {
    let name = program.get_name().to_owned();
    // Made in memory first, since it panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut program, name, &mut script);
    io::stdout().write_all(&script).map_err(Error::Output)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a page for the program and one for every command.
pub(crate) fn write(arguments: &Man, program: Command) -> Result<ExitCode> {
    let folder = &arguments.out;
    let unwritten = |error| Error::file(folder, format!("not written: {error}"));
    fs::create_dir_all(folder).map_err(unwritten)?;
    let pages = 1 + program.get_subcommands().count();
    clap_mangen::generate_to(program.disable_help_subcommand(true), folder).map_err(unwritten)?;
    print(&format!("{pages} pages in {}", folder.display()))?;
    Ok(ExitCode::SUCCESS)
}
