//! Kinds of files: the same arrays out of each of them, told by its content; and one made into
//! another.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;

use safetensors::tensor::{Dtype, TensorView, serialize};
use serde_json::Value;

use crate::errors::fails;
use crate::{npy, object, program, run, scratch, stderr, succeed};

/// Four rows of two numbers that f16 and bfloat16 have too, and what they are named.
const ROWS: [f32; 8] = [0.0, 1.0, 1.0, 0.5, -0.25, 0.5, 2.0, 1.0];
const NAMES: [&str; 4] = ["owl", "emu", "owl", "emu"];

/// The same, as numpy.savez_compressed keeps it: `x`, f64, and `names`, strings.
fn archive() -> String {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/compressed.npz");
    path.into()
}

/// The same, as pyarrow keeps it, packed by Snappy: `left`, f64, `name`, strings in a dictionary, and
/// `right`, f16.
fn parquet() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/rows.parquet").into()
}

/// The same, as polars keeps it, packed by Zstandard in two groups of rows: `vector`, lists of f32,
/// `name`, `label` and `large`, unsigned; and what cannot be read, `day`, `ragged` and `missing`.
fn lists() -> String {
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/columns.parquet").into()
}

fn write(name: &str, content: impl AsRef<[u8]>) -> String {
    let path = scratch(name);
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

fn table() -> String {
    let rows =
        ROWS.chunks(2).zip(NAMES).map(|(row, name)| format!("{},{name},{}\n", row[0], row[1]));
    write("rows.txt", format!("left,name,right\n{}", rows.collect::<String>()))
}

fn tensors() -> String {
    let bytes = |numbers: &[f32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let upper_halves: Vec<u8> = ROWS.iter().flat_map(|n| n.to_le_bytes()[2..].to_vec()).collect();
    let (rows, labels) = (bytes(&ROWS), [7_i64, 3, 7, 3].map(i64::to_le_bytes).concat());
    let views = [
        ("rows", TensorView::new(Dtype::F32, vec![4, 2], &rows)),
        ("brains", TensorView::new(Dtype::BF16, vec![4, 2], &upper_halves)),
        ("labels", TensorView::new(Dtype::I64, vec![4], &labels)),
        ("small", TensorView::new(Dtype::F8_E4M3, vec![4, 2], &rows[..8])),
    ];
    let views = views.map(|(name, view)| (name, view.unwrap()));
    write("rows.bin", serialize(views, None).unwrap())
}

fn measured(embeddings: &str, labels: &str) -> Vec<String> {
    let start = ["measure", "--backend", "cpu", "--embeddings", embeddings, "--labels", labels];
    start.map(String::from).to_vec()
}

/// What is measured, less the time.
fn numbers(arguments: &[String]) -> Value {
    let mut found = object(arguments);
    found.as_object_mut().unwrap().remove("elapsed_ms").unwrap();
    assert!(found["counted"] == 4, "{found}");
    found
}

#[test]
fn every_kind_holds_the_same_rows() {
    let plain = write("rows.npy", npy::floats("(4, 2)", &ROWS));
    let expected = numbers(&measured(&plain, &write("labels.npy", npy::labels(&[1, 0, 1, 0]))));
    let (archive, table, tensors) = (archive(), table(), tensors());
    let (parquet, lists) = (parquet(), lists());
    let names = write("names.txt", NAMES.join("\n"));
    let bare = ROWS.chunks(2).map(|row| format!("{} {}\n", row[0], row[1])).collect::<String>();
    for (embeddings, labels) in [
        (format!("{archive}#x"), format!("{archive}#names")),
        (format!("{table}#-name"), format!("{table}#name")),
        (format!("{tensors}#rows"), format!("{tensors}#labels")),
        (format!("{tensors}#brains"), names.clone()),
        (format!("{parquet}#-name"), format!("{parquet}#name")),
        (format!("{lists}#vector"), format!("{lists}#label")),
        (format!("{lists}#0"), format!("{lists}#large")),
        (write("bare.dat", bare), names),
    ] {
        assert_eq!(numbers(&measured(&embeddings, &labels)), expected, "{embeddings}");
    }
}

#[test]
fn what_is_read_is_told_where_that_is_asked_for() {
    let embeddings = format!("{}#x", archive());
    let mut arguments = measured(&embeddings, &write("labels.npy", npy::labels(&[1, 0, 1, 0])));
    assert_eq!(stderr(&run(&arguments)), "");
    arguments.push("-v".into());
    let told = stderr(&run(&arguments));
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines[0], format!("reading {embeddings}: float64, 4 x 2"));
    assert!(lines[1].ends_with("labels.npy: uint32, 4"), "{told}");
    assert_eq!(lines[2..], ["computing on the CPU engine (f32)"]);
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let labels = write("labels.npy", npy::labels(&[1, 0, 1, 0]));
    let refused = |embeddings: &str, texts: &[&str]| fails(&measured(embeddings, &labels), texts);
    let (archive, table, tensors) = (archive(), table(), tensors());
    refused(&archive, &["compressed.npz", "holds 2 arrays, FILE#NAME takes one: x, names"]);
    refused(&format!("{archive}#nams"), &["\"nams\" is no array of it, did you mean names?"]);
    refused(&format!("{archive}#names"), &["expected two dimensions"]);
    refused(&table, &["line 2, column 1 is \"owl\", no number: FILE#-name leaves it out"]);
    let (parquet, lists) = (parquet(), lists());
    refused(&parquet, &["rows.parquet", "column name holds strings: FILE#-name leaves it out"]);
    refused(&lists, &["column day holds Date, which is neither a number nor a string"]);
    refused(&format!("{lists}#ragged"), &["column ragged has 1 numbers in row 1, in row 0 2"]);
    refused(&format!("{lists}#missing"), &["column missing has nothing in row 2, or NaN"]);
    refused(&format!("{lists}#vectors"), &["no column of it, did you mean vector?"]);
    let packed = fs::read(&parquet).unwrap();
    refused(&write("cut.parquet", &packed[..300]), &["cut.parquet: no whole Parquet file"]);
    refused(&format!("{tensors}#small"), &["small holds F8_E4M3", "torch.float32"]);
    let plain = write("rows.npy", npy::floats("(4, 2)", &ROWS));
    refused(&format!("{plain}#x"), &["rows.npy", "holds one array", "leave #x out"]);
    refused("no/such.npz#x", &["no/such.npz: "]);
    let cut = fs::read(&archive).unwrap();
    refused(&write("cut.npz", &cut[..300]), &["cut.npz", "no whole archive"]);
    let mut damaged = cut;
    damaged[120] ^= 0xff;
    let damaged = write("damaged.npz", damaged);
    fails(&measured(&format!("{damaged}#x"), &labels), &["damaged.npz"]);
    let tensors = fs::read(&tensors).unwrap();
    refused(&format!("{}#rows", write("cut.bin", &tensors[..tensors.len() - 30])), &["only 26"]);
}

#[test]
fn the_standard_input_is_a_file_of_any_kind() {
    let labels = write("labels.npy", npy::labels(&[1, 0, 1, 0]));
    let plain = npy::floats("(4, 2)", &ROWS);
    let expected = numbers(&measured(&write("rows.npy", &plain), &labels));
    let contents = [
        ("-", plain),
        ("-#x", fs::read(archive()).unwrap()),
        ("-#-name", fs::read(table()).unwrap()),
        ("-#brains", fs::read(tensors()).unwrap()),
        ("-#vector", fs::read(lists()).unwrap()),
    ];
    for (input, content) in contents {
        let input = format!("--embeddings={input}");
        let arguments = ["measure", "--backend", "cpu", &input, "--labels", &labels, "--json"];
        let mut program = program(&arguments);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().unwrap();
        program.stdin.take().unwrap().write_all(&content).unwrap();
        let output = program.wait_with_output().unwrap();
        assert!(output.status.success(), "{input}: {}", stderr(&output));
        let mut found: Value = serde_json::from_slice(&output.stdout).unwrap();
        found.as_object_mut().unwrap().remove("elapsed_ms").unwrap();
        assert_eq!(found, expected, "{input}");
    }
}

/// The path of a file that another call has not named.
fn fresh(name: &str) -> (PathBuf, String) {
    let path = scratch(name);
    let text = path.display().to_string();
    (path, text)
}

#[test]
fn kinds_are_made_into_each_other_and_back() {
    let ((_, npz), (_, tensors), (csv_path, csv), (back_path, back)) =
        (fresh("all.npz"), fresh("all.safetensors"), fresh("all.csv"), fresh("x.npy"));
    let told = succeed(&["convert", &archive(), &npz]);
    assert_eq!(told, format!("{npz}: x, 4 x 2\n{npz}: names, 4\n"));
    let again = fresh("again.npz");
    succeed(&["convert", &npz, &again.1]);
    assert_eq!(fs::read(&npz).unwrap(), fs::read(&again.0).unwrap(), "the same bytes");
    let told = succeed(&["convert", &npz, &tensors]);
    let vocabulary = tensors.replace(".safetensors", ".names.txt");
    assert!(told.ends_with(&format!("{vocabulary}: its strings\n")), "{told}");
    assert_eq!(fs::read_to_string(vocabulary).unwrap(), "emu\nowl\n");
    succeed(&["convert", &npz, &csv]);
    let text = fs::read_to_string(&csv_path).unwrap();
    assert!(text.starts_with("x0,x1,names\n0,1,owl\n1,0.5,emu\n-0.25,0.5,owl\n"), "{text}");
    let parquet = fresh("all.parquet").1;
    succeed(&["convert", &npz, &parquet]);
    let names = format!("{csv}#-names");
    for from in [format!("{npz}#x"), format!("{tensors}#x"), names, format!("{parquet}#x")] {
        succeed(&["convert", &from, &back]);
        assert_eq!(npy::read(&back_path), (ROWS.to_vec(), vec![4, 2]), "{from}");
    }
    let labels = |path: &str| numbers(&measured(&back, path));
    assert_eq!(labels(&format!("{tensors}#names")), labels(&format!("{csv}#names")));
    assert_eq!(labels(&format!("{parquet}#names")), labels(&format!("{csv}#names")));
}

#[test]
fn what_cannot_be_converted_is_named() {
    let (path, npy) = fresh("one.npy");
    fails(&["convert", &archive(), &npy], &["one.npy", "holds one array, and there are 2"]);
    fails(&["convert", &archive(), "x.arrow"], &["x.arrow", ".csv and .parquet"]);
    let cube = write("cube.npy", npy::floats("(2, 2, 2)", &ROWS));
    fails(&["convert", &cube, &fresh("cube.csv").1], &["cube has the shape [2, 2, 2]"]);
    let copy = fresh("copy.npz").1;
    fs::copy(archive(), &copy).unwrap();
    fails(&["convert", &format!("{copy}#x"), &copy], &["OUT", "is the file of IN too"]);
    assert!(!path.exists());
    let doubles = npy::file(&npy::header("<f8", "(1,)"), &0.1_f64.to_le_bytes());
    let output = run(&["convert", &write("double.npy", &doubles), &npy]);
    assert!(stderr(&output).contains("float64 is rounded to f32: 1 of 1"), "{}", stderr(&output));
    let output = run(&["convert", "--quiet", &write("double.npy", doubles), &npy]);
    assert_eq!((stderr(&output).as_str(), output.status.code()), ("", Some(0)));
}

/// An array alone on the standard output, as a file has it.
#[test]
fn the_standard_output_is_an_array() {
    let (path, file) = fresh("x.npy");
    let from = format!("{}#x", archive());
    succeed(&["convert", &from, &file]);
    let printed = |arguments: &[&str]| {
        let output = run(arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        output.stdout
    };
    assert_eq!(printed(&["convert", &from, "-"]), fs::read(path).unwrap());
    let search = ["search", "--embeddings", &file, "--k", "1", "--out-indices", "-"];
    let (indices, found) = fresh("i.npy");
    succeed(&[&search[..6], &[&found]].concat());
    assert_eq!(printed(&search), fs::read(indices).unwrap());
    fails(&[&search[..], &["--out-distances", "-"]].concat(), &["--out-distances: the standard"]);
    let gradient = ["evaluate", "--objective", "L2", "--embeddings", &file, "--gradient-out", "-"];
    fails(&gradient, &["--gradient-out: is where the result is printed"]);
    let report = ["measure", "--backend", "cpu", "--report", "-"];
    fails(&report, &["--report: is where the result is printed"]);
}
