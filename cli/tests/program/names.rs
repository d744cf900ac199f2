//! The names of losses and choices: written in any case, guessed where they are wrong, listed by the
//! help; and the exit codes.

use wgpu_metric_learning::Loss;

use crate::errors::fails;
use crate::{object, run, stderr, stdout, succeed};

#[test]
fn names_are_taken_in_any_case() {
    let evaluate = |objective: &str| {
        let cpu = ["evaluate", "--backend", "cpu", "--no-check"];
        object(&[&cpu[..], &["--objective", objective]].concat())["objective"].clone()
    };
    for name in ["triplet", "TRIPLET", "Triplet"] {
        assert_eq!(evaluate(name), evaluate("Triplet"));
    }
    assert_eq!(evaluate("multi_margin"), evaluate("MultiMargin"));
    let spelled = r#"{"loss":"Triplet","distance":"SquaredEuclidean","mining":"SemiHard","reduction":"MeanNonZero"}"#;
    let other = r#"{"loss":"triplet","distance":"squared_euclidean","mining":"semi-hard","reduction":"MEANNONZERO"}"#;
    assert_eq!(evaluate(other), evaluate(spelled));
    let measured =
        |distance| object(&["measure", "--backend", "cpu", "--no-check", "--distance", distance]);
    assert_eq!(measured("cosine")["retrieval"], measured("Cosine")["retrieval"]);
    succeed(&["shaders", "--help"]);
}

#[test]
fn what_was_meant_is_guessed() {
    let objective_fails = |objective, texts: &[&str]| {
        fails(&["evaluate", "--backend", "reference", "--objective", objective], texts);
    };
    objective_fails("Tripled", &["\"Tripled\" is no loss, did you mean Triplet?"]);
    objective_fails(
        r#"{"loss":"Triplet","mining":"SemiHrad"}"#,
        &["\"SemiHrad\" is no mining, did you mean SemiHard?"],
    );
    objective_fails(
        r#"{"loss":"Triplet","margn":1}"#,
        &["\"margn\" is no setting of Triplet, did you mean margin?"],
    );
    let output = run(&["measure", "--distance", "Cosin"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("'Cosine'"), "{}", stderr(&output));
}

#[test]
fn the_help_lists_every_loss_with_its_defaults() {
    for command in ["evaluate", "train", "plan"] {
        let help = succeed(&[command, "--help"]);
        let (_, losses) = help.split_once("Losses, with their settings and defaults:").unwrap();
        // Which of them are trained with is for the tests of `train`.
        for name in Loss::NAMES.iter().filter(|_| command != "train") {
            assert!(losses.lines().any(|line| line.trim() == *name), "{name} in\n{losses}");
        }
        let (_, triplet) = losses.split_once("  Triplet\n").unwrap();
        let (triplet, choices) = triplet.split_once("Choices:").unwrap();
        assert!(triplet.lines().take(9).any(|line| line == "    mining: \"All\""), "{triplet}");
        assert!(choices.contains("  mining: All, "), "{choices}");
    }
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = succeed(&["--help"]);
    let (_, listed) = help.split_once("Commands:\n").unwrap();
    let lines = listed.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(String::from).collect()
}

#[test]
fn shells_and_manuals_know_every_command() {
    let commands = commands();
    assert!(commands.len() > 10 && commands.contains(&"train".to_owned()), "{commands:?}");
    let is_word = |text: &str, word: &str| {
        let is_of_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        text.split(|letter| !is_of_word(letter)).any(|one| one == word)
    };
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = succeed(&["completions", shell]);
        for command in &commands {
            assert!(is_word(&script, command), "{shell}: {command}");
        }
        assert!(script.contains("classes-per-batch"), "{shell}");
    }
    let folder = crate::scratch("man");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("another.1"), "").unwrap();
    let told = succeed(&["man", "--out", folder.to_str().unwrap()]);
    assert!(told.starts_with(&format!("{} pages", commands.len() + 1)), "{told}");
    for command in &commands {
        let page = folder.join(format!("wgpu-metric-learning-{command}.1"));
        let text = std::fs::read_to_string(&page).unwrap_or_else(|_| panic!("{told}: {page:?}"));
        assert!(is_word(&text, command), "{text}");
    }
}

#[test]
fn the_help_lists_names_and_exit_codes() {
    let help = succeed(&["bench", "--help"]);
    for names in ["small, wide, large", "narrow, wide", "baseline, subgroups"] {
        assert!(help.contains(&format!("[possible values: {names}]")), "{names} in\n{help}");
    }
    let help = succeed(&["--help"]);
    for code in ["  0    ", "  1    ", "  2    ", "  3    ", "  101  ", "  130  "] {
        assert!(help.contains(code), "{code} in\n{help}");
    }
}

#[test]
fn exit_codes_tell_what_went_wrong() {
    let code = |arguments: &[&str]| {
        let output = run(arguments);
        assert_eq!(stdout(&output), "");
        output.status.code()
    };
    assert_eq!(code(&["evaluate", "--no-such-option"]), Some(2));
    assert_eq!(code(&["evaluate", "--objective", "no such loss"]), Some(2));
    assert_eq!(code(&["evaluate", "--adapter", "no such adapter"]), Some(3));
}

/// Every example of a help names options that the help has.
#[test]
fn every_help_has_examples_that_it_explains() {
    for command in commands() {
        for option in ["--help", "-h"] {
            let help = succeed(&[command.as_str(), option]);
            let (options, examples) = help.split_once("Examples:\n").expect(&command);
            let lines = examples.lines().take_while(|line| !line.is_empty());
            let mut count = 0;
            for line in lines {
                let words: Vec<_> = line.split_whitespace().collect();
                assert_eq!(words[..2], ["wgpu-metric-learning", &command], "{line}");
                for option in words.iter().filter(|word| word.starts_with("--")) {
                    let mut known =
                        options.split_whitespace().map(|word| word.trim_end_matches(','));
                    assert!(known.any(|word| word == *option), "{command} has no {option}");
                }
                count += 1;
            }
            assert!(count > 0, "{command}");
        }
    }
}
