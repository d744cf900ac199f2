//! Files that the program writes: none that somebody still wants is lost.

use std::fs;
use std::path::{Path, PathBuf};

use crate::errors::fails;
use crate::{npy, program, scratch, stderr, stdout};

const ROWS: usize = 100;
const COLUMNS: usize = 8;

/// Embeddings and labels in a folder of their own.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let folder = scratch("embeddings.npy").parent().unwrap().to_path_buf();
        let values: Vec<f32> = (0..ROWS * COLUMNS).map(|at| (at % 17) as f32 / 16.0).collect();
        let labels: Vec<u32> = (0..ROWS as u32).map(|row| row % 5).collect();
        let shape = format!("({ROWS}, {COLUMNS})");
        fs::write(folder.join("embeddings.npy"), npy::floats(&shape, &values)).unwrap();
        fs::write(folder.join("labels.npy"), npy::labels(&labels)).unwrap();
        fs::write(folder.join("objective.json"), r#"{"loss":"Triplet"}"#).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// An evaluation that writes these files.
    fn arguments(&self, outputs: &[(&str, &str)]) -> Vec<String> {
        let mut arguments = ["evaluate", "--backend", "reference"].map(String::from).to_vec();
        let objective = format!("@{}", self.text("objective.json"));
        arguments.extend(["--objective".into(), objective]);
        for input in ["embeddings", "labels"] {
            arguments.extend([format!("--{input}"), self.text(&format!("{input}.npy"))]);
        }
        for (option, name) in outputs {
            arguments.extend([option.to_string(), self.text(name)]);
        }
        arguments
    }

    /// Its files and what they hold.
    fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().path());
        let files = paths.filter(|path| path.is_file());
        let mut contents: Vec<_> =
            files.map(|path| (path.clone(), fs::read(path).unwrap())).collect();
        contents.sort();
        contents
    }

    /// Checks that these outputs are refused, and that nothing in the folder has changed.
    #[track_caller]
    fn refuses(&self, outputs: &[(&str, &str)], texts: &[&str]) {
        let before = self.contents();
        fails(&self.arguments(outputs), texts);
        assert!(self.contents() == before, "{outputs:?} changed something");
    }

    /// The shape of an array of f32 that is there.
    fn shape(&self, name: &str) -> Vec<u64> {
        npy::read(&self.path(name)).1
    }
}

#[test]
fn an_output_that_cannot_be_written_is_refused_before_anything_is_read() {
    let folder = Folder::new();
    fs::create_dir(folder.path("made")).unwrap();
    fs::write(folder.path("kept.npy"), "kept").unwrap();
    let mut permissions = fs::metadata(folder.path("kept.npy")).unwrap().permissions();
    permissions.set_readonly(true);
    fs::set_permissions(folder.path("kept.npy"), permissions).unwrap();
    fs::remove_file(folder.path("embeddings.npy")).unwrap();
    folder.refuses(&[("--gradient-out", "none/g.npy")], &["none/g.npy", "its folder"]);
    folder.refuses(&[("--gradient-out", "made")], &["made", "it is a folder"]);
    folder.refuses(&[("--gradient-out", "kept.npy")], &["kept.npy", "it is read-only"]);
    let good_first = [("--gradient-out", "g.npy"), ("--per-anchor-out", "none/a.npy")];
    folder.refuses(&good_first, &["none/a.npy"]);
}

#[test]
fn an_output_is_not_one_of_the_inputs() {
    let folder = Folder::new();
    for (name, option) in [
        ("embeddings.npy", "--embeddings"),
        ("labels.npy", "--labels"),
        ("objective.json", "--objective"),
    ] {
        let beside = format!("../{}/{name}", folder.0.file_name().unwrap().display());
        for output in [name, &beside] {
            folder.refuses(&[("--gradient-out", output)], &["--gradient-out", option, name]);
        }
        let hard = format!("hard-{name}");
        fs::hard_link(folder.path(name), folder.path(&hard)).unwrap();
        folder.refuses(&[("--per-anchor-out", &hard)], &["--per-anchor-out", option, name]);
    }
}

#[test]
fn two_outputs_are_not_one_file() {
    let folder = Folder::new();
    let outputs = [("--gradient-out", "g.npy"), ("--per-anchor-out", "g.npy")];
    folder.refuses(&outputs, &["--per-anchor-out", "--gradient-out", "g.npy"]);
    let outputs = [("--gradient-out", "g.npy"), ("--per-anchor-out", "./g.npy")];
    folder.refuses(&outputs, &["--per-anchor-out", "--gradient-out", "g.npy"]);
}

#[test]
fn an_output_is_not_where_the_result_is_printed() {
    let folder = Folder::new();
    let printed = folder.path("printed.txt");
    let output = program(&folder.arguments(&[("--gradient-out", "printed.txt")]))
        .stdout(fs::File::create(&printed).unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("--gradient-out"), "{}", stderr(&output));
    assert_eq!(fs::read(printed).unwrap(), b"");
}

#[test]
fn a_file_is_replaced_and_nothing_is_left_beside_it() {
    let folder = Folder::new();
    fs::write(folder.path("g.npy"), "something longer than a header ".repeat(1000)).unwrap();
    crate::succeed(
        &folder.arguments(&[("--gradient-out", "g.npy"), ("--per-anchor-out", "a.npy")]),
    );
    assert_eq!(folder.shape("g.npy"), [ROWS as u64, COLUMNS as u64]);
    assert_eq!(folder.shape("a.npy"), [ROWS as u64]);
    assert_eq!(folder.contents().len(), 5);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
    use std::process::{Command, Output};

    use super::*;

    #[test]
    fn links_are_followed() {
        let folder = Folder::new();
        let to = |target: &str, link: &str| symlink(target, folder.path(link)).unwrap();
        to("embeddings.npy", "link.npy");
        let input = ["--gradient-out", "--embeddings", "embeddings.npy"];
        folder.refuses(&[("--gradient-out", "link.npy")], &input);
        to("new.npy", "one.npy");
        to("new.npy", "other.npy");
        let outputs = [("--gradient-out", "one.npy"), ("--per-anchor-out", "other.npy")];
        folder.refuses(&outputs, &["--gradient-out", "--per-anchor-out"]);
        to("other.npy", "loop.npy");
        to("nowhere/new.npy", "astray.npy");
        folder.refuses(&[("--gradient-out", "astray.npy")], &["astray.npy", "its folder"]);
        // The link to a link stays, and what it leads to is written.
        crate::succeed(&folder.arguments(&[("--gradient-out", "loop.npy")]));
        assert!(folder.path("loop.npy").is_symlink() && folder.path("other.npy").is_symlink());
        assert!(!folder.path("new.npy").is_symlink());
        assert_eq!(folder.shape("new.npy"), [ROWS as u64, COLUMNS as u64]);
    }

    #[test]
    fn a_file_that_is_replaced_keeps_its_permissions_and_a_new_one_gets_the_usual_ones() {
        let folder = Folder::new();
        fs::write(folder.path("old.npy"), "").unwrap();
        fs::set_permissions(folder.path("old.npy"), fs::Permissions::from_mode(0o640)).unwrap();
        let outputs = [("--gradient-out", "old.npy"), ("--per-anchor-out", "new.npy")];
        crate::succeed(&folder.arguments(&outputs));
        let mode =
            |name: &str| fs::metadata(folder.path(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!([mode("old.npy"), mode("new.npy")], [0o640, mode("labels.npy")]);
    }

    /// Runs the program where no file may grow beyond 1 or 2 KiB, as if the disk were full.
    fn run_with_little_room(arguments: &[String]) -> Output {
        let limited = "trap '' XFSZ; ulimit -f 2; exec \"$@\"";
        let mut command = Command::new("sh");
        command.args(["-c", limited, "sh", env!("CARGO_BIN_EXE_wgpu-metric-learning")]);
        command.args(arguments).output().unwrap()
    }

    #[test]
    fn a_full_disk_leaves_the_old_file_and_loses_neither_the_result_nor_another_file() {
        let folder = Folder::new();
        fs::write(folder.path("g.npy"), "the old one").unwrap();
        let outputs = [("--gradient-out", "g.npy"), ("--per-anchor-out", "a.npy")];
        let output = run_with_little_room(&folder.arguments(&outputs));
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stdout(&output).starts_with("Triplet"), "{}", stdout(&output));
        let error = stderr(&output);
        assert!(error.contains("g.npy: not written: ") && !error.contains("a.npy"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        assert_eq!(fs::read(folder.path("g.npy")).unwrap(), b"the old one");
        assert_eq!(folder.shape("a.npy"), [ROWS as u64]);
        assert_eq!(folder.contents().len(), 5);
    }

    #[test]
    fn a_device_is_written_to_and_stays_one() {
        let folder = Folder::new();
        symlink("/dev/null", folder.path("null")).unwrap();
        crate::succeed(&folder.arguments(&[("--gradient-out", "null")]));
        assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
        if Path::new("/dev/full").exists() {
            symlink("/dev/full", folder.path("full")).unwrap();
            let output = crate::run(&folder.arguments(&[("--gradient-out", "full")]));
            assert_eq!(output.status.code(), Some(2));
            assert!(stdout(&output).starts_with("Triplet"), "{}", stdout(&output));
            assert!(stderr(&output).contains("full: not written"), "{}", stderr(&output));
        }
    }
}
