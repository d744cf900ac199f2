//! Files that the program writes: refused before anything is computed where they could not be
//! written or would destroy something, and written whole or not at all.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use same_file::Handle;
use tempfile::NamedTempFile;

use super::{Error, Result, arrays};

/// A file by the option that names it.
#[derive(Clone, Copy)]
pub(crate) struct Named<'a> {
    pub option: &'static str,
    pub path: &'a Path,
}

/// The path that is the standard output.
const STANDARD: &str = "-";

/// Whether it is the standard output, where an array stands alone.
pub(crate) fn is_standard(path: &Path) -> bool {
    path.as_os_str() == STANDARD
}

/// Refuses an output that cannot be written, that is one of the inputs or the standard output, by
/// whatever way its path leads there, and a second one to the same file.
pub(crate) fn check(outputs: &[Named], inputs: &[Named]) -> Result<()> {
    match outputs.iter().find(|output| is_standard(output.path)) {
        Some(output) => Err(printed(output)),
        None => check_files(outputs, inputs),
    }
}

/// The same, where one array may be written to the standard output.
pub(crate) fn check_arrays(outputs: &[Named], inputs: &[Named]) -> Result<()> {
    let (standard, files): (Vec<Named>, Vec<Named>) =
        outputs.iter().copied().partition(|output| is_standard(output.path));
    match standard[..] {
        [_, second, ..] => Err(Error::option(second.option, "the standard output takes one array")),
        [output] if io::stdout().is_terminal() => {
            let problem = "the standard output is a terminal: name a file, or lead it to one";
            Err(Error::option(output.option, problem))
        }
        _ => check_files(&files, inputs),
    }
}

fn printed(output: &Named) -> Error {
    Error::option(output.option, "is where the result is printed")
}

fn check_files(outputs: &[Named], inputs: &[Named]) -> Result<()> {
    for (at, output) in outputs.iter().enumerate() {
        check_writable(output.path).map_err(|problem| Error::file(output.path, problem))?;
        let mut others = inputs.iter().chain(&outputs[..at]);
        let is_written = |other: &&Named| is_same(output.path, &arrays::file(other.path));
        if let Some(other) = others.find(is_written) {
            let problem = format!("is the file of {} too ({})", other.option, other.path.display());
            return Err(Error::option(output.option, problem));
        }
        if leads_to_standard(output.path) {
            return Err(printed(output));
        }
    }
    Ok(())
}

/// Makes a folder where there is none; refuses one in which nothing can be written.
pub(crate) fn check_folder(folder: &Path) -> Result<()> {
    let problem = |error| Error::file(folder, format!("nothing can be written in it: {error}"));
    fs::create_dir_all(folder).map_err(problem)?;
    beside(&folder.join("a file")).map(drop).map_err(problem)
}

/// Writes a file beside the path and moves it there: until all is written, what was there stays.
/// A device or a pipe is written to as it is, and so is the standard output.
pub(crate) fn write(
    path: &Path,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    if is_standard(path) {
        return fill(io::stdout().lock(), content).map_err(Error::Output);
    }
    let written = if is_stream(path) { stream(path, content) } else { replace(path, content) };
    written.map_err(|error| Error::file(path, format!("not written: {error}")))
}

fn replace(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let path = destination(path)?;
    let beside = beside(&path)?;
    fill(beside.as_file(), content)?;
    if let Ok(old) = fs::metadata(&path) {
        beside.as_file().set_permissions(old.permissions())?;
    }
    // Some file systems say only now that there is no room.
    beside.as_file().sync_all()?;
    beside.persist(&path)?;
    Ok(())
}

fn stream(path: &Path, content: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    fill(OpenOptions::new().write(true).open(path)?, content)
}

fn fill(
    file: impl Write,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut writer = BufWriter::new(file);
    content(&mut writer)?;
    writer.flush()
}

fn check_writable(path: &Path) -> Result<(), String> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err("cannot be written: it is a folder".into()),
        Ok(found) if !found.is_file() => return Ok(()),
        Ok(found) if found.permissions().readonly() => {
            return Err("cannot be written: it is read-only".into());
        }
        _ => {}
    }
    let path =
        destination(path).map_err(|error| format!("cannot be written: its folder: {error}"))?;
    // Made to see whether it can be, and removed again.
    beside(&path).map_err(|error| format!("nothing can be written in its folder: {error}"))?;
    Ok(())
}

/// A file to fill, in the folder of another that it is to replace.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(path);
    let mut builder = tempfile::Builder::new();
    builder.prefix(".wgpu-metric-learning-").suffix(".tmp");
    if let Some(permissions) = usual_permissions() {
        builder.permissions(permissions);
    }
    builder.tempfile_in(folder)
}

/// What any new file gets, less what the user's mask takes away.
#[cfg(unix)]
fn usual_permissions() -> Option<Permissions> {
    Some(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
fn usual_permissions() -> Option<Permissions> {
    None
}

/// The file that a path leads to through symbolic links, whether it is there already or not.
fn destination(path: &Path) -> io::Result<PathBuf> {
    match fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        found => return found,
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    match (fs::read_link(path), path.file_name()) {
        (Ok(target), _) => destination(&folder.join(target)),
        (Err(_), Some(name)) => Ok(fs::canonicalize(folder)?.join(name)),
        (Err(error), None) => Err(error),
    }
}

/// Whether it is there and neither a file nor a folder: nothing is kept in it.
fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

pub(crate) fn is_same(path: &Path, other: &Path) -> bool {
    let is_one_path = match (destination(path), destination(other)) {
        (Ok(path), Ok(other)) => path == other,
        _ => path == other,
    };
    // Two names of one file; a pipe must not be opened to be looked at.
    let is_one_file = || {
        [path, other].iter().all(|path| path.is_file())
            && same_file::is_same_file(path, other).unwrap_or(false)
    };
    is_one_path || is_one_file()
}

fn leads_to_standard(path: &Path) -> bool {
    let is_it = || Some(Handle::from_path(path).ok()? == Handle::stdout().ok()?);
    path.is_file() && is_it().unwrap_or(false)
}
