//! What the application draws without a window: the classes come apart, and the loss curve falls.

use std::path::Path;

use inspect::{Picture, fails, picture};

const PROGRAM: &str = env!("CARGO_BIN_EXE_live_embedding");
const CLASSES: usize = 10;

#[test]
fn classes_come_apart_and_the_loss_falls() {
    let common = "--digits 200 --size 640x420 --learning-rate 0.004";
    let (before, precision_before) =
        picture(PROGRAM, "before.png", &format!("{common} --frames 1"));
    let (after, precision_after) = picture(PROGRAM, "after.png", &format!("{common} --frames 40"));
    assert!(
        precision_before < 0.5 && precision_after > 0.95,
        "Precision@1 {precision_before}, then {precision_after}"
    );
    let [apart_before, apart_after] = [&before, &after].map(|picture| picture.separation(CLASSES));
    assert!(
        apart_before < 0.5 && apart_after > 0.95,
        "apart by {apart_before}, then by {apart_after}"
    );

    let curve = after.curve();
    let (first, last) = (curve[0], curve[curve.len() - 1]);
    // The curve is some 130 pixels high: its left end is at the top.
    assert!(
        curve.len() >= 15 && first + 60 < last,
        "{} columns, from {first} to {last}",
        curve.len()
    );
}

#[test]
fn the_same_command_draws_the_same_picture() {
    let arguments = "--digits 100 --size 480x320 --frames 4 --loss triplet";
    let [(first, _), (second, _)] =
        ["first.png", "second.png"].map(|name| picture(PROGRAM, name, arguments));
    assert!(!first.colored().is_empty());
    assert!(first == second);
    let (other, _) = picture(PROGRAM, "other.png", &format!("{arguments} --seed 2"));
    assert!(first != other);
}

#[test]
fn three_dimensions_turn() {
    let arguments =
        "--digits 100 --size 480x320 --dimensions 3 --loss supcon --frames 25 --every 20";
    let (last, precision) = picture(PROGRAM, "turning.png", arguments);
    assert!(precision > 0.9, "Precision@1 {precision}");
    let earlier = Picture::read(&inspect::file("turning-00020.png"));
    assert!(earlier != last, "five frames later nothing has moved");
}

#[test]
fn the_guide_shows_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let guide = root.join("docs/guide/start.md");
    let guide = std::fs::read_to_string(guide).expect("the first page of the guide");
    let (name, command) =
        ("pictures/live_embedding.png", "cargo run --release -p live_embedding -- --headless");
    assert!(guide.contains(&format!("](../{name})")));
    assert!(guide.contains(&format!("\n{command} docs/{name} ")));
    assert!(Picture::read(&root.join("docs").join(name)).separation(CLASSES) > 0.9);
}

#[test]
fn what_cannot_be_is_one_line() {
    let nowhere = Path::new(env!("CARGO_TARGET_TMPDIR")).join("nowhere/picture.png");
    fails(PROGRAM, "--loss hinge", 2, "'hinge'");
    fails(PROGRAM, "--frames 0", 2, "'--frames <N>'");
    fails(PROGRAM, "--size 10x10", 2, "expected WIDTHxHEIGHT");
    fails(PROGRAM, &format!("--headless {}", nowhere.display()), 1, "picture.png: ");
    let file = inspect::file("refused.png");
    fails(
        PROGRAM,
        &format!("--headless {} --adapter abacus", file.display()),
        1,
        "no GPU adapter found",
    );
    fails(
        PROGRAM,
        &format!("--headless {} --margin NaN", file.display()),
        1,
        "negative_margin is NaN",
    );
    fails(
        PROGRAM,
        &format!("--headless {} --learning-rate=-1", file.display()),
        1,
        "learning_rate is -1",
    );
    if cfg!(target_os = "linux") {
        fails(PROGRAM, "", 1, "no window can be opened: neither WAYLAND_DISPLAY");
    }
}
