//! `bench`: what it says of each point, and that the points are what they are called.

use std::fs;

use serde_json::Value;

use crate::{npy, object, objects, run, scratch, stderr, succeed};

const LOSSES: [&str; 9] = [
    "contrastive",
    "triplet_all",
    "triplet_hard",
    "lifted",
    "multi_margin",
    "margin",
    "ntxent",
    "supcon",
    "sig_lip",
];

#[test]
fn every_point_is_a_line_after_the_limits() {
    let lines =
        objects(&["bench", "--n", "24,40", "--d", "3,5", "--class-size", "4", "--seconds", "0.01"]);
    let (limits, points) = lines.split_first().unwrap();
    assert_eq!(limits["limits"], true);
    for key in ["operations_per_second", "bytes_per_second", "empty_dispatch_us", "empty_submit_us"]
    {
        assert!(limits[key].as_f64().unwrap() > 0.0, "{key} of {limits}");
    }
    let sizes = [[24, 3], [40, 3], [24, 5], [40, 5]];
    let expected = LOSSES.iter().flat_map(|loss| sizes.map(|[n, d]| (*loss, n, d)));
    let found = points.iter().map(|point| {
        let number = |key: &str| point[key].as_u64().unwrap();
        (point["loss"].as_str().unwrap(), number("n"), number("d"))
    });
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
    points.iter().for_each(is_complete);
}

#[test]
fn the_cpu_engine_is_timed_on_the_same_points() {
    let arguments = ["--n", "24,40", "--d", "3", "--class-size", "4", "--seconds", "0.01"];
    let points = objects(&[&["bench", "--backend", "cpu"], &arguments[..]].concat());
    let losses: Vec<_> = points.iter().map(|point| point["loss"].as_str().unwrap()).collect();
    assert_eq!(losses, LOSSES.map(|loss| [loss; 2]).concat());
    for point in &points {
        assert_eq!(point["impl"], "ours-cpu");
        let number = |key: &str| point[key].as_f64().unwrap_or_else(|| panic!("{key} of {point}"));
        assert!(number("ms_min") > 0.0 && number("ms_min") <= number("ms_median"), "{point}");
        assert!(number("value") > 0.0 && number("threads") >= 1.0, "{point}");
    }
    for option in ["--autotune", "--stages"] {
        let output = run(&["bench", "--backend", "cpu", option]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(option), "{}", stderr(&output));
    }
}

fn is_complete(point: &Value) {
    let number = |key: &str| point[key].as_f64().unwrap_or_else(|| panic!("{key} of {point}"));
    for key in [
        "compile_ms",
        "ms_min",
        "runs",
        "dispatches",
        "submits",
        "host_record_us",
        "operations",
        "share_of_peak",
        "value",
    ] {
        assert!(number(key) > 0.0, "{key} of {point}");
    }
    assert!(number("ms_min") <= number("ms_median"), "{point}");
    assert!(number("host_record_us") < 1e3 * number("ms_median"), "{point}");
    // Distances and coefficients of all pairs, at least; of hard triplets distances alone, of
    // multi_margin with each of n / 4 prototypes.
    let columns = if point["loss"] == "multi_margin" { number("n") / 4.0 } else { number("n") };
    let bytes = if point["loss"] == "triplet_hard" { 4.0 } else { 8.0 };
    assert!(number("memory_bytes") >= bytes * number("n") * columns, "{point}");
    assert!(number("operations") >= number("n") * columns * number("d"), "{point}");
    assert_eq!(point["impl"], "wgpu-metric-learning");
    has_stages(point);
}

/// Every stage where the device has timestamps, as llvmpipe has on Vulkan; together they take all
/// the operations and dispatches.
fn has_stages(point: &Value) {
    let stages = point["stages"].as_object().unwrap();
    if point["gpu_ms_median"].is_null() {
        return assert!(stages.is_empty(), "{point}");
    }
    assert_eq!(
        stages.keys().collect::<Vec<_>>(),
        ["distance", "finish", "gradient", "prepare", "terms"]
    );
    for key in ["operations", "dispatches"] {
        let sum: u64 = stages.values().map(|stage| stage[key].as_u64().unwrap()).sum();
        assert_eq!(sum, point[key].as_u64().unwrap(), "{key} of {point}");
    }
    let limits = ["multiply-adds", "copies", "dispatches"];
    assert!(
        stages.values().all(|stage| limits.contains(&stage["bound_by"].as_str().unwrap())),
        "{point}"
    );
}

#[test]
fn files_are_timed_and_have_the_value_of_evaluate() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/data");
    let [embeddings, labels] =
        ["digits.npy", "digits-labels.npy"].map(|name| format!("{folder}/{name}"));
    let inputs = ["--embeddings", &embeddings, "--labels", &labels];
    let objective = r#"{"loss":"Triplet","mining":"Hard","margin":5}"#;
    let with = |command: &[&'static str]| [command, &inputs, &["--objective", objective]].concat();
    let evaluated = object(&with(&["evaluate", "--backend", "gpu"]));
    let lines = objects(&with(&["bench", "--seconds", "0.01"]));
    assert_eq!(lines.len(), 2);
    let (timed, evaluated) =
        (lines[1]["value"].as_f64().unwrap(), evaluated["value"].as_f64().unwrap());
    assert!(evaluated > 1.0 && (timed - evaluated).abs() < 1e-5, "{timed}, {evaluated}");
    assert_eq!([&lines[1]["n"], &lines[1]["d"]], [1797, 64]);
    assert_eq!(lines[1]["loss"], "Triplet Euclidean margin=5.0 Hard Mean");
}

#[test]
fn prototypes_of_a_file_are_taken() {
    let file = |name: &str, bytes: Vec<u8>| {
        let path = scratch(name);
        fs::write(&path, bytes).expect("a scratch file is written");
        path.to_str().expect("a path in UTF-8").to_string()
    };
    let embeddings = file("embeddings.npy", npy::floats("(3, 2)", &[0.0, 0.0, 3.0, 0.0, 0.0, 4.0]));
    let labels = file("labels.npy", npy::labels(&[0, 1, 0]));
    let prototypes = file("prototypes.npy", npy::floats("(2, 2)", &[0.0, 0.0, 3.0, 4.0]));
    let narrow = file("narrow.npy", npy::floats("(2, 1)", &[0.0, 3.0]));
    let inputs = [
        "bench",
        "--seconds",
        "0.01",
        "--embeddings",
        &embeddings,
        "--labels",
        &labels,
        "--prototypes",
    ];
    let lines = objects(
        &[&inputs, &[prototypes.as_str(), "--objective", "bench:multi_margin"][..]].concat(),
    );
    // The second and the third row are 1 nearer to the prototype of the other class: 2 each, over 3
    // rows and 2 classes.
    assert!((lines[1]["value"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-6, "{}", lines[1]);
    let output = run(&[&inputs, &[narrow.as_str()][..]].concat());
    assert_eq!(output.status.code(), Some(2));
    let problem = format!("error: {narrow}: expected 2 columns, as the embeddings have, found 1\n");
    assert!(stderr(&output).ends_with(&problem), "{}", stderr(&output));
}

#[test]
fn tiles_are_chosen_or_measured() {
    let tiles = |chosen: &[&'static str]| {
        let fixed =
            ["bench", "--n", "150", "--d", "70", "--seconds", "0.01", "--objective", "margin"];
        objects(&[&fixed, chosen].concat())[1]["tiles"].clone()
    };
    for tile in ["small", "wide", "large"] {
        assert_eq!(
            tiles(&["--tile", tile]),
            serde_json::json!({ "distance": tile, "gradient": tile })
        );
    }
    let measured = tiles(&["--autotune"]);
    assert!(["distance", "gradient"].iter().all(|stage| measured[stage].is_string()), "{measured}");
    refuses(["--tile", "huge"], "[possible values: small, wide, large]");
}

#[track_caller]
fn refuses(option: [&str; 2], problem: &str) {
    let output = run(&["bench", option[0], option[1]]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains(problem), "{}", stderr(&output));
}

#[test]
fn row_widths_and_tiers_are_chosen() {
    let point = |chosen: &[&'static str]| {
        let fixed =
            ["bench", "--n", "30", "--d", "7", "--seconds", "0.01", "--objective", "margin"];
        objects(&[&fixed, chosen].concat())[1].clone()
    };
    for width in ["narrow", "wide"] {
        assert_eq!(point(&["--row-width", width])["row_width"], width);
    }
    refuses(["--row-width", "huge"], "[possible values: narrow, wide]");
    let text = succeed(&[
        "bench",
        "--n",
        "8",
        "--seconds",
        "0.01",
        "--objective",
        "margin",
        "--tier",
        "baseline",
    ]);
    assert!(text.lines().next().is_some_and(|line| line.ends_with(", baseline")), "{text}");
    refuses(["--tier", "huge"], "[possible values: baseline, subgroups]");
}

#[test]
fn people_get_a_table() {
    let text = succeed(&["bench", "--n", "8", "--seconds", "0.01", "--objective", "margin"]);
    let with_stages =
        succeed(&["bench", "--n", "8", "--seconds", "0.01", "--objective", "margin", "--stages"]);
    assert!(with_stages.lines().count() >= text.lines().count(), "{with_stages}");
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].contains("multiply-adds") && lines[1].ends_with("GFLOP/s"), "{text}");
    assert!(
        lines.iter().any(|line| line.starts_with("loss ") && line.ends_with("of peak")),
        "{text}"
    );
    let last = lines.last().unwrap();
    assert!(last.starts_with("Margin ") && last.ends_with(" %"), "{text}");
}

#[test]
fn what_cannot_be_timed_is_said() {
    let cases: [(&[&str], &str); 8] = [
        (&["--n", "0"], "--n: 0 is too small, the least is 1"),
        (&["--class-size", "0"], "--class-size: 0 is too small, the least is 1"),
        (&["--objective", "Hinge"], "--objective: Hinge has no pairs of a batch to time"),
        (
            &["--objective", r#"[{"loss":"Triplet"},{"loss":"Margin"}]"#],
            "--objective: a sum cannot be timed, only one loss",
        ),
        (
            &["--objective", "bench:everything"],
            "--objective: \"everything\" is no benchmarked loss (there are: contrastive, triplet_all, \
            triplet_hard, lifted, multi_margin, margin, ntxent, supcon, sig_lip)",
        ),
        (
            &["--n", "100000000"],
            "embeddings: 100000000 x 128 values are too many: there may be 2^30 - 1 (1,073,741,823)",
        ),
        (
            &["--n", "9000000", "--objective", "SupCon"],
            "embeddings: 9000000 x 128 values are too many: there may be 2^30 - 1 (1,073,741,823)",
        ),
        (
            &["--objective", r#"{"loss":"Triplet","soft":true,"margin":5}"#],
            "--objective: margin has no effect on this Triplet: a soft one has none",
        ),
    ];
    for (arguments, problem) in cases {
        let output = run(&[&["bench"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).ends_with(&format!("error: {problem}\n")), "{}", stderr(&output));
    }
}

#[test]
fn durations_are_above_0() {
    for text in ["0", "-1", "inf", "soon"] {
        let output = run(&["bench", &format!("--seconds={text}")]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(&format!("{text} is no duration above 0")));
    }
}

#[test]
fn losses_are_named_as_for_evaluate() {
    let timed = |objective: &str| {
        let fixed = ["bench", "--n", "8", "--d", "3", "--class-size", "2", "--seconds", "0.01"];
        let lines = objects(&[&fixed[..], &["--objective", objective]].concat());
        let points = lines.into_iter().skip(1);
        points.map(|point| [point["loss"].clone(), point["objective"].clone()]).collect::<Vec<_>>()
    };
    let evaluated = |objective: &str| {
        let cpu = ["evaluate", "--backend", "cpu", "--no-check"];
        object(&[&cpu[..], &["--objective", objective]].concat())["objective"].clone()
    };
    let [[contrastive, settings], [triplet, _]] = &timed("contrastive, TRIPLET")[..] else {
        panic!("two points")
    };
    assert!(contrastive.as_str().is_some_and(|name| name.starts_with("Contrastive ")));
    assert!(triplet.as_str().is_some_and(|name| name.starts_with("Triplet ")));
    assert_eq!(*settings, evaluated("Contrastive"));
    let [[name, settings]] = &timed("bench:contrastive")[..] else { panic!("one point") };
    assert_eq!((name.as_str(), &settings["power"]), (Some("contrastive"), &1.into()));
    assert_eq!(*settings, evaluated("bench:contrastive"));
    let [[name, _]] = &timed("SoftTriple")[..] else { panic!("one point") };
    assert!(name.as_str().is_some_and(|name| name.starts_with("SoftTriple")));
    // Two towers are the same rows.
    let [[name, _]] = &timed("Clip")[..] else { panic!("one point") };
    assert!(name.as_str().is_some_and(|name| name.starts_with("Clip")));
}
