//! `search`: the nearest rows, printed and as files.

use std::fs;

use serde_json::{Value, json};

use crate::errors::fails;
use crate::{npy, object, objects, scratch, succeed};

fn write(name: &str, content: Vec<u8>) -> String {
    let path = scratch(name);
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

#[test]
fn rows_are_found_and_written() {
    let rows = write("rows.npy", npy::floats("(4, 1)", &[0.0, 3.0, 1.0, 9.0]));
    let queries = write("queries.npy", npy::floats("(2, 1)", &[2.0, 8.0]));
    let start = ["search", "--embeddings", &rows, "--k", "2", "--backend", "cpu"];
    let found = objects(&[&start[..], &["--queries", &queries]].concat());
    let expected = [
        json!({ "version": 2, "query": 0, "indices": [1, 2], "distances": [1.0, 1.0] }),
        json!({ "version": 2, "query": 1, "indices": [3, 1], "distances": [1.0, 5.0] }),
    ];
    assert_eq!(found, expected);
    let on_gpu = ["search", "--embeddings", &rows, "--k", "2", "--queries", &queries];
    assert_eq!(objects(&[&on_gpu[..], &["--backend", "gpu"]].concat()), expected);
    fails(&[&on_gpu[..], &["--backend", "reference"]].concat(), &["--backend", "does not search"]);
    let text = succeed(&[&start[..], &["--queries", &queries]].concat());
    assert_eq!(text, "0: 1 (1.000000), 2 (1.000000)\n1: 3 (1.000000), 1 (5.000000)\n");
    // Every row of the embeddings, which does not find itself.
    let text = succeed(&start);
    assert!(text.starts_with("0: 2 (1.000000), 1 (3.000000)\n1: 2 "), "{text}");
    let (indices, distances) = (scratch("indices.npy"), scratch("distances.npy"));
    let (i, d) = (indices.display().to_string(), distances.display().to_string());
    let outputs = ["--queries", &queries, "--out-indices", &i, "--out-distances", &d];
    let summary = object(&[&start[..], &outputs].concat());
    let sizes = ["n", "m", "d"].map(|key| summary[key].as_u64().unwrap());
    assert_eq!((sizes, &summary["search"]["k"]), ([2, 4, 1], &json!(2)));
    assert_eq!(npy::read(&distances), (vec![1.0, 1.0, 1.0, 5.0], vec![2, 2]));
    let bytes = fs::read(&indices).unwrap();
    let whole = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<i64>().unwrap();
    assert_eq!(whole, [1, 2, 3, 1]);
}

/// The share of rows whose nearest row has their label is what `measure` says.
#[test]
fn the_nearest_digit_is_that_of_the_measures() {
    let labels = concat!(env!("CARGO_MANIFEST_DIR"), "/data/digits-labels.npy");
    let bytes = fs::read(labels).unwrap();
    let labels = npyz::NpyFile::new(&bytes[..]).unwrap().into_vec::<u32>().unwrap();
    let label = |row: &Value| labels[row.as_u64().unwrap() as usize];
    let hits = objects(&["search", "--k", "1"])
        .iter()
        .filter(|row| label(&row["query"]) == label(&row["indices"][0]))
        .count();
    let measured = object(&["measure", "--backend", "cpu"])["precision_at_1"].as_f64().unwrap();
    assert!((hits as f64 / 1797.0 - measured).abs() < 1e-6, "{hits}, {measured}");
}

#[test]
fn what_cannot_be_searched_is_named() {
    let rows = write("rows.npy", npy::floats("(4, 1)", &[0.0, 3.0, 1.0, 9.0]));
    let wide = write("wide.npy", npy::floats("(2, 2)", &[0.0; 4]));
    let start = ["search", "--backend", "cpu", "--embeddings", &rows];
    fails(&[&start[..], &["--k", "4"]].concat(), &["k is 4 with 4 references", "less one"]);
    fails(
        &[&start[..], &["--queries", &wide]].concat(),
        &["wide.npy", "its rows have 2 numbers, those searched 1"],
    );
    fails(&[&start[..], &["--out-indices", &rows]].concat(), &["--out-indices", "--embeddings"]);
    let itself = ["--queries", &rows, "--embeddings-offset", "1", "--k", "1"];
    fails(&[&start[..], &itself].concat(), &["reference_offset is 1"]);
}
