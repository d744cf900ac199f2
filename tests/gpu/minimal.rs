//! The example `minimal`: it runs, its answer is the reference's, and the README shows it as it is.

use std::path::PathBuf;
use std::process::Command;

use wgpu_metric_learning::{Batch, Mining, Triplet, reference};

const SOURCE: &str = include_str!("../../examples/minimal.rs");
const README: &str = include_str!("../../README.md");

/// The program beside the tests, where `cargo test` builds it.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("a test is built into PROFILE/deps");
    profile.join("examples").join(format!("minimal{}", std::env::consts::EXE_SUFFIX))
}

#[test]
fn it_prints_what_the_reference_says() {
    let output = Command::new(program()).output().expect("`cargo test` builds the examples");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let batch = Batch::new(&[0.0, 0.1, 0.9, 0.2, 0.1, 0.0, 1.0, 0.3], [4, 2], &[7, 8, 7, 8])
        .expect("a valid batch");
    let loss = Triplet { margin: 0.9, mining: Mining::All, ..Default::default() };
    let expected = reference::evaluate(&loss, &batch).expect("a valid loss");

    let printed = String::from_utf8(output.stdout).expect("text");
    let (value, rest) = printed.split_once(" over ").expect("the loss");
    let (terms, gradient) = rest.split_once(" triplets, gradient ").expect("the triplets");
    assert_eq!(terms.parse(), Ok(expected.terms));
    let gradient = gradient.trim().trim_matches(['[', ']']).split(", ");
    let numbers: Vec<f64> = [value]
        .into_iter()
        .chain(gradient)
        .map(|number| number.parse().expect("a number"))
        .collect();
    let expected: Vec<f64> = [expected.loss].into_iter().chain(expected.gradient).collect();
    assert_eq!(numbers.len(), expected.len());
    for (number, expected) in numbers.iter().zip(&expected) {
        assert!((number - expected).abs() < 1e-6, "{numbers:?} is not {expected:?}");
    }
}

#[test]
fn the_readme_shows_it() {
    assert!(SOURCE.lines().count() < 60);
    assert!(
        README.contains(&format!("```rust\n{SOURCE}```\n")),
        "the README shows another examples/minimal.rs"
    );
}
