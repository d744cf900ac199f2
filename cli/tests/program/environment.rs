//! The variables of the environment that choose an adapter, and what is told of the adapter.

use std::process::Output;

use crate::{objects, program, run, stderr, stdout};

fn evaluate(backend: &str, variable: (&str, &str)) -> Output {
    let arguments = ["evaluate", "--objective", "MultiMargin", "--backend", backend];
    program(&arguments).env(variable.0, variable.1).output().expect("the program starts")
}

#[test]
fn an_empty_variable_says_nothing() {
    for variable in ["WGPU_BACKEND", "WGPU_ADAPTER_NAME"] {
        let output = evaluate("gpu", (variable, ""));
        assert!(output.status.success(), "{}", stderr(&output));
    }
}

#[test]
fn a_backend_that_is_none_is_named() {
    for backend in ["gpu", "auto"] {
        let output = evaluate(backend, ("WGPU_BACKEND", "foo"));
        assert_eq!(output.status.code(), Some(3));
        let text = "WGPU_BACKEND is \"foo\", and that is none of vulkan, metal, dx12 and gl";
        assert!(stderr(&output).contains(text), "{}", stderr(&output));
    }
}

#[test]
fn an_adapter_that_is_asked_for_by_name_is_not_replaced() {
    let output = evaluate("auto", ("WGPU_ADAPTER_NAME", "no such adapter"));
    assert_eq!(output.status.code(), Some(3));
    let text = "with WGPU_ADAPTER_NAME=\"no such adapter\"";
    assert!(stderr(&output).contains(text), "{}", stderr(&output));
    assert_eq!(stdout(&output), "");
}

#[test]
fn a_software_adapter_is_told_where_nobody_asked_for_it() {
    let adapters = objects(&["adapters"]);
    // The best come first.
    let taken = adapters.first().expect("an adapter");
    let name = taken["adapter"].as_str().expect("a name");
    let is_told = |arguments: &[&str]| {
        let output = run(&[&["evaluate", "--objective", "MultiMargin"], arguments].concat());
        stderr(&output).contains("note: only a software adapter was found")
    };
    assert_eq!(is_told(&["--backend", "gpu"]), taken["type"] == "software");
    assert!(!is_told(&[]));
    assert!(!is_told(&["--adapter", name]));
    assert!(!is_told(&["--backend", "reference"]));
}
