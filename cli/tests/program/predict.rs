//! `bench --predict`: figures of a GPU that is not there, from a plan and what is counted.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::{NO_ADAPTER, objects, program, run, stderr, stdout, succeed};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

#[test]
fn every_point_has_its_stages_and_no_adapter_is_asked() {
    let arguments = ["bench", "--predict", "rx-6900-xt", "--n", "512,8192", "--json"];
    let output = program(&arguments).env(NO_ADAPTER.0, NO_ADAPTER.1).output().unwrap();
    assert!(output.status.success() && stderr(&output).is_empty(), "{}", stderr(&output));
    let text = stdout(&output);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (published, points) = lines.split_first().unwrap();
    assert_eq!(published["limits"], true);
    assert_eq!(number(published, "operations_per_second"), 23.04e12);
    assert_eq!(number(published, "bytes_per_second"), 512e9);
    assert_eq!(points.len(), 9 * 2);
    for point in points {
        assert_eq!(point["predicted"], true);
        assert_eq!(point["adapter"], "RX 6900 XT");
        let stages = point["stages"].as_object().unwrap();
        let names: Vec<_> = stages.keys().collect();
        assert_eq!(names, ["distance", "finish", "gradient", "prepare", "terms"]);
        let sum: f64 = stages.values().map(|stage| number(stage, "ms_predicted")).sum();
        assert!((sum / number(point, "ms_predicted") - 1.0).abs() < 1e-9, "{point}");
        for key in ["operations", "dispatches"] {
            let sum: u64 = stages.values().map(|stage| stage[key].as_u64().unwrap()).sum();
            assert_eq!(sum, point[key].as_u64().unwrap(), "{key} of {point}");
        }
        assert!(stages.values().all(|stage| is_at_a_limit(stage, published)), "{point}");
        assert!(number(&point["dense"], "bytes") > 4.0 * number(point, "n"), "{point}");
    }
}

/// Whether a stage takes as long as what it is said to be bound by, and no less than any limit.
fn is_at_a_limit(stage: &Value, published: &Value) -> bool {
    let milliseconds = number(stage, "ms_predicted");
    let copies = 1e3 * number(stage, "bytes") / number(published, "bytes_per_second");
    let arithmetic =
        2e3 * number(stage, "vector_operations") / number(published, "operations_per_second");
    let share = number(stage, "share_of_units");
    let near = |one: f64, other: f64| (one / other - 1.0).abs() < 1e-3;
    let is_right = match stage["bound_by"].as_str() {
        Some("copies") => near(milliseconds, copies),
        Some("multiply-adds") => share >= 0.75 && near(milliseconds, arithmetic / share),
        Some("workgroups") => share < 0.75 && near(milliseconds, arithmetic / share),
        _ => false,
    };
    is_right && copies <= milliseconds * 1.001 && arithmetic <= milliseconds * 1.001
}

/// By hand, for the distances and gradients of a batch of 512 x 128 on 80 units of 64 lanes.
#[test]
fn the_model_is_the_one_that_is_described() {
    let figures = "units=80,lanes=64,ghz=2,gbps=2000";
    let arguments =
        ["bench", "--predict", figures, "--n", "512", "--objective", "bench:contrastive"];
    let point = &objects(&arguments)[1];
    // Of 8 x 8 tiles those on the diagonal and above it; all of one round, on a unit each.
    let distance = &point["stages"]["distance"];
    assert_eq!(distance["least_workgroups"], 36);
    let tile = 64.0 * 64.0 * 128.0 * 2.06 / (64.0 * 2e9);
    assert!((number(distance, "ms_predicted") / (1e3 * tile) - 1.0).abs() < 1e-9, "{distance}");
    assert_eq!(
        [&distance["bound_by"], &distance["bytes"]],
        [&Value::from("workgroups"), &Value::from(4 * (512 * 512 + 512 * 128)),]
    );
    // 8 x 2 tiles in 4 slices, each with 128 of the 512 summands; and the numbers of these added up,
    // 256 by each of 256 workgroups, which take 4 rounds.
    let gradient = &point["stages"]["gradient"];
    assert_eq!(gradient["least_workgroups"], 64);
    let tile = 64.0 * 64.0 * 128.0 * 2.09 / (64.0 * 2e9);
    let sums = 4.0 * 256.0 / (64.0 * 2e9);
    let [ms, share] = ["ms_predicted", "share_of_units"].map(|key| number(gradient, key));
    let [all, ideal] = [tile + 4.0 * sums, (64.0 * tile + 256.0 * sums) / 80.0];
    assert!((ms / (1e3 * all) - 1.0).abs() < 1e-9, "{gradient}");
    assert!((share / (ideal / all) - 1.0).abs() < 1e-9, "{gradient}");
    assert_eq!(point["dense"]["bytes"], 4 * 512 * 512 * 42);
    // Where a unit has two workgroups, twice as long.
    let half = ["bench", "--predict", "units=18,lanes=64,ghz=2,gbps=500", "--n", "512"];
    let half = &objects(&[&half[..], &["--objective", "bench:contrastive"]].concat())[1];
    let times = [point, half].map(|point| number(&point["stages"]["distance"], "ms_predicted"));
    assert!((times[1] / times[0] - 2.0).abs() < 1e-9, "{times:?}");
}

/// Expanded distances by the counts of their own kernels, others as they are.
#[test]
fn expanded_distances_have_counts_of_their_own() {
    let point = |objective: &str, arithmetic: &str| {
        let fixed = ["bench", "--predict", "rx-6900-xt", "--n", "512", "--arithmetic", arithmetic];
        let mut lines = objects(&[&fixed[..], &["--objective", objective]].concat());
        assert_eq!([&lines[0]["arithmetic"], &lines[1]["arithmetic"]], [arithmetic; 2]);
        lines.swap_remove(1)
    };
    let operations =
        |point: &Value, stage: &str| number(&point["stages"][stage], "vector_operations");
    let expanded = point("bench:contrastive", "expanded");
    assert_eq!(operations(&expanded, "distance"), (36.0 * 64.0 * 64.0 * 128.0 * 1.08_f64).floor());
    let exact = point("bench:contrastive", "exact");
    assert!(operations(&expanded, "gradient") < 0.75 * operations(&exact, "gradient"));
    let cosine = r#"{"loss":"Contrastive","distance":"Cosine"}"#;
    let [one, other] = ["expanded", "exact"].map(|arithmetic| point(cosine, arithmetic));
    assert_eq!(one["stages"], other["stages"]);
}

/// A cut batch keeps a GPU busy: no part of a dispatch stands alone, and a gradient of symmetric
/// coefficients has the tiles of all rows.
#[test]
fn a_cut_batch_is_not_bound_by_its_workgroups() {
    let fixed = ["bench", "--predict", "rx-6900-xt", "--n", "4096,8192", "--d", "128"];
    let points =
        objects(&[&fixed[..], &["--objective", "bench:contrastive,bench:margin"]].concat());
    for point in &points[1..] {
        for stage in ["distance", "gradient"] {
            let stage = &point["stages"][stage];
            assert!(number(stage, "share_of_units") >= 0.75, "{point}");
        }
    }
}

/// Every pair of a cut batch once where that is enough, for the softmax losses once for both its
/// ends, and twice where the coefficients are not symmetric.
#[test]
fn a_gradient_is_counted_as_often_as_it_is_summed_up() {
    let losses = [("bench:margin", 1.0), ("bench:ntxent", 1.0), ("bench:triplet_all", 2.0)];
    for (objective, times) in losses {
        let fixed = ["bench", "--predict", "rtx-3060", "--n", "4096", "--d", "128"];
        let point = &objects(&[&fixed[..], &["--objective", objective]].concat())[1];
        let pairs = number(&point["stages"]["gradient"], "operations") / (3.0 * 128.0);
        let share = pairs / 4096.0 / 4096.0;
        assert!((share / times - 1.0).abs() < 1e-3, "{objective}: {share}");
    }
}

/// The counts are those of the table that the compiler's machine code is held against.
#[test]
fn the_counts_are_those_of_the_table() {
    let text = fs::read_to_string(root().join("docs/isa.md")).expect("the table of the counts");
    let family = text.split("\n## ").find(|part| part.starts_with("navi21\n")).expect("RDNA2");
    let counted: BTreeMap<_, _> = family
        .lines()
        .filter_map(|line| {
            let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
            let [kernel, _, most] = cells[..] else { return None };
            Some((kernel.to_owned(), most.parse::<f64>().ok()?))
        })
        .collect();
    let printed =
        &objects(&["bench", "--predict", "h100-sxm", "--n", "8", "--objective", "margin"])[0];
    let printed: BTreeMap<String, f64> =
        serde_json::from_value(printed["vector_operations_per_pair_and_dimension"].clone())
            .expect("numbers by their names");
    assert_eq!(printed, counted);
    assert!(counted.len() >= 40);
}

#[test]
fn people_get_a_table() {
    let text = succeed(&[
        "bench",
        "--predict",
        "RTX 4090",
        "--n",
        "300",
        "--d",
        "64",
        "--objective",
        "margin",
    ]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "RTX 4090: a prediction, nothing is measured");
    assert!(text.contains("figures of     NVIDIA"), "{text}");
    assert!(lines[6].starts_with("loss ") && lines[6].ends_with("dense ms at least"), "{text}");
    // A loss of settings that no other implementation was written in has no dense way beside it.
    assert!(lines[7].starts_with("Margin ") && lines.len() == 8 + 5, "{text}");
}

#[test]
fn what_cannot_be_predicted_is_said() {
    let cases: [(&[&str], &str); 8] = [
        (&["--predict", "voodoo"], "\"voodoo\" is no GPU of the table (there are: RX Vega 64"),
        (&["--predict", "rtx4091"], "did you mean RTX 4090?"),
        (&["--predict", "units=4"], "lanes is missing, as in units=60,lanes=64,ghz=2.2,gbps=448"),
        (&["--predict", "units=4,ghz=fast"], "ghz: \"fast\" is no number above 0"),
        (&["--predict", "h200-sxm", "--stages"], "cannot be used with '--stages'"),
        (&["--predict", "h200-sxm", "--adapter", "llvmpipe"], "cannot be used with '--adapter"),
        (&["--predict", "h200-sxm", "--backend", "cpu"], "cannot be used with '--backend"),
        (
            &["--predict", "h200-sxm", "--n", "100000000"],
            "embeddings: 100000000 x 128 values are too many",
        ),
    ];
    for (arguments, problem) in cases {
        let output = run(&[&["bench"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(problem), "{}", stderr(&output));
    }
}

/// The predictions in the documents are what the commands above them print;
/// `PREDICTIONS=write cargo test --release predictions_of_the_documents` writes them anew.
#[test]
fn predictions_of_the_documents_are_those_of_their_commands() {
    let path = root().join("docs/performance.md");
    let text = fs::read_to_string(&path).expect("a page");
    let start = "```sh\nwgpu-metric-learning bench --predict ";
    let mut parts = text.split(start);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    let mut count = 0;
    for part in parts {
        let (arguments, rest) = part.split_once("\n```\n\n```text\n").expect("a block beside it");
        let (_, rest) = rest.split_once("\n```\n").expect("the end of the block");
        let words: Vec<_> =
            ["bench", "--predict"].into_iter().chain(arguments.split(' ')).collect();
        let printed = succeed(&words);
        whole +=
            &format!("{start}{arguments}\n```\n\n```text\n{}\n```\n{rest}", printed.trim_end());
        count += 1;
    }
    assert!(count >= 3, "{count} predictions");
    if std::env::var_os("PREDICTIONS").is_some_and(|value| value == "write") {
        fs::write(&path, &whole).expect("the page is written");
    }
    assert_eq!(fs::read_to_string(&path).expect("a page"), whole);
}

/// Of the table of gradients before and after slices, what they take with them.
#[test]
fn gradients_in_slices_take_what_the_documents_say() {
    let text = fs::read_to_string(root().join("docs/performance.md")).expect("a page");
    let (_, table) = text.split_once("\n| gradient of |").expect("the table");
    let rows: Vec<_> = table.lines().skip(2).take_while(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 12);
    let mut objective = "bench:contrastive";
    for row in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        for (name, of) in [("triplets", "bench:triplet_all"), ("NT-Xent", "bench:ntxent")] {
            objective = if cells[1].contains(name) { of } else { objective };
        }
        let words: Vec<_> = cells[1].split(' ').collect();
        let [.., n, "x", d] = &words[..] else { panic!("no size in {row}") };
        let n = n.replace(',', "");
        for (gpu, cell) in [("RX 6900 XT", cells[2]), ("H100 SXM", cells[3])] {
            let told = cell.split(", ").last().expect("a figure");
            let points = ["bench", "--predict", gpu, "--n", &n, "--d", d, "--objective", objective];
            let points = objects(&points);
            let found = number(&points[1]["stages"]["gradient"], "ms_predicted");
            let decimals = told.split_once('.').map_or(0, |(_, decimals)| decimals.len());
            assert_eq!(format!("{found:.decimals$}"), told, "{row} on {gpu}");
        }
    }
}

/// What the dense way moves is as the documents have it: 4 N M (P + Q K) bytes.
#[test]
fn the_dense_way_moves_what_is_said() {
    let page = fs::read_to_string(root().join("docs/performance.md")).expect("the predictions");
    let (head, rest) = page.split_once("\n| P | ").expect("a row of matrices");
    let cells = |line: &str| -> Vec<String> {
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let names = cells(head.lines().rev().nth(1).expect("the names of the losses"));
    let names = &names[2..names.len() - 1];
    let (matrices, rest) = rest.split_once("|\n| Q |").expect("a row of cubes");
    let (matrices, cubes) = (cells(matrices), cells(rest.lines().next().unwrap()));
    let count = |text: &str| if text.is_empty() { 0 } else { text.parse::<u64>().unwrap() };
    for (at, name) in names.iter().enumerate() {
        let objective = format!("bench:{name}");
        let fixed = ["bench", "--predict", "h100-sxm", "--n", "64", "--objective", &objective];
        let columns = if name == "multi_margin" { 8 } else { 64 };
        let each = count(&matrices[at]) + 7 * count(&cubes[at]);
        assert_eq!(objects(&fixed)[1]["dense"]["bytes"], 4 * 64 * columns * each, "{name}");
    }
    assert_eq!(names.len(), 9);
}
