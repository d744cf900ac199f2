//! What the application draws without a window: the kinds flock together and keep apart.

use std::path::Path;

use inspect::{Picture, fails, picture};

const PROGRAM: &str = env!("CARGO_BIN_EXE_flocking");
const KINDS: usize = 4;
/// In the README's picture.
const KINDS_SHOWN: usize = 7;

#[test]
fn kinds_flock_together() {
    let common = "--particles 240 --kinds 4 --size 640x420 --strength 40";
    let (before, precision_before) =
        picture(PROGRAM, "before.png", &format!("{common} --frames 1"));
    let (after, precision_after) = picture(PROGRAM, "after.png", &format!("{common} --frames 90"));
    assert!(
        precision_before < 0.5 && precision_after > 0.9,
        "Precision@1 {precision_before}, then {precision_after}"
    );
    let [apart_before, apart_after] = [&before, &after].map(|picture| picture.separation(KINDS));
    assert!(
        apart_before < 0.5 && apart_after > 0.9,
        "apart by {apart_before}, then by {apart_after}"
    );
}

#[test]
fn without_the_force_they_do_not() {
    let arguments = "--particles 240 --kinds 4 --size 640x420 --strength 0 --frames 90";
    let (picture, precision) = picture(PROGRAM, "free.png", arguments);
    let apart = picture.separation(KINDS);
    assert!(precision < 0.5 && apart < 0.5, "Precision@1 {precision}, apart by {apart}");
}

#[test]
fn the_guide_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = root.join("docs/guide/start.md");
    let guide = std::fs::read_to_string(guide).expect("the first page of the guide");
    let (name, command) =
        ("pictures/flocking.png", "cargo run --release -p flocking -- --headless");
    assert!(guide.contains(&format!("](../{name})")));
    assert!(guide.contains(&format!("\n{command} docs/{name} ")));
    assert!(Picture::read(&root.join("docs").join(name)).separation(KINDS_SHOWN) > 0.9);
}

#[test]
fn what_cannot_be_is_one_line() {
    let file = inspect::file("refused.png");
    fails(PROGRAM, "--kinds 11", 2, "'--kinds <K>'");
    fails(PROGRAM, "--every 2", 2, "required arguments");
    fails(
        PROGRAM,
        &format!("--headless {} --adapter abacus", file.display()),
        1,
        "no GPU adapter found",
    );
    fails(
        PROGRAM,
        &format!("--headless {} --margin inf", file.display()),
        1,
        "negative_margin is inf",
    );
    if cfg!(target_os = "linux") {
        fails(PROGRAM, "", 1, "no window can be opened: neither WAYLAND_DISPLAY");
    }
}
