//! The names of losses and choices: written in any case, guessed where they are wrong, listed by the
//! help; and the exit codes.

use crate::errors::fails;
use crate::{object, run, stderr, stdout, succeed};

#[test]
fn names_are_taken_in_any_case() {
    let evaluate = |objective: &str| {
        object(&["evaluate", "--backend", "reference", "--objective", objective])["objective"]
            .clone()
    };
    for name in ["triplet", "TRIPLET", "Triplet"] {
        assert_eq!(evaluate(name), evaluate("Triplet"));
    }
    assert_eq!(evaluate("multi_margin"), evaluate("MultiMargin"));
    let spelled = r#"{"loss":"Triplet","distance":"SquaredEuclidean","mining":"SemiHard","reduction":"MeanNonZero"}"#;
    let other = r#"{"loss":"triplet","distance":"squared_euclidean","mining":"semi-hard","reduction":"MEANNONZERO"}"#;
    assert_eq!(evaluate(other), evaluate(spelled));
    let measured =
        |distance| object(&["measure", "--backend", "reference", "--distance", distance]);
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
fn the_help_lists_names_and_exit_codes() {
    let help = succeed(&["bench", "--help"]);
    for names in ["small, large", "narrow, wide", "baseline, subgroups"] {
        assert!(help.contains(&format!("[possible values: {names}]")), "{names} in\n{help}");
    }
    let help = succeed(&["--help"]);
    for code in ["  0    ", "  1    ", "  2    ", "  3    ", "  101  "] {
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
