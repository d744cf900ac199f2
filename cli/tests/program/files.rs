//! Arrays as numpy, torch and pandas leave them: read as what is meant, or refused with what to do.

use std::fs;

use serde_json::{Value, json};

use crate::errors::fails;
use crate::{npy, object, run, scratch, stderr};

/// Eight numbers that f16 has too, as four rows of two.
const ROWS: [f64; 8] = [0.0, 1.0, 1.0, 0.5, -0.25, 0.5, 2.0, 1.0];

fn write(name: &str, content: &[u8]) -> String {
    let path = scratch(name);
    fs::write(&path, content).unwrap();
    path.display().to_string()
}

/// An array in C order.
fn array(dtype: &str, shape: &str, data: impl IntoIterator<Item = Vec<u8>>) -> Vec<u8> {
    npy::file(&npy::header(dtype, shape), &data.into_iter().flatten().collect::<Vec<_>>())
}

fn embeddings() -> String {
    let rows = ROWS.map(|value| value as f32);
    write("embeddings.npy", &npy::floats("(4, 2)", &rows))
}

fn arguments<'a>(embeddings: &'a str, labels: &'a str) -> Vec<&'a str> {
    let start = ["evaluate", "--backend", "reference", "--objective", "Triplet"];
    [&start[..], &["--embeddings", embeddings, "--labels", labels]].concat()
}

/// What is found with these embeddings and labels, less the time.
fn evaluation(embeddings: &str, labels: &str) -> Value {
    let mut found = object(&arguments(embeddings, labels));
    found.as_object_mut().unwrap().remove("elapsed_ms").unwrap();
    assert!(found["terms"].as_u64().unwrap() > 0, "{found}");
    found
}

/// What the program says beside its answer.
fn note(arguments: &[&str]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{}", stderr(&output));
    stderr(&output)
}

#[test]
fn numbers_of_every_type_are_the_embeddings_that_they_say() {
    let labels = write("labels.npy", &npy::labels(&[0, 0, 1, 1]));
    let expected = evaluation(&embeddings(), &labels);
    let halves = ROWS.map(npyz::half::f16::from_f64);
    let columns = [0, 2, 4, 6, 1, 3, 5, 7].map(|at| ROWS[at]);
    let long_header = npy::header("<f4", "(4, 2)").replace('\n', &" ".repeat(9000)) + "\n";
    let fortran = npy::header("<f8", "(4, 2)").replace("False", "True");
    let plain = |big: bool| {
        ROWS.iter().flat_map(move |&value| match big {
            true => (value as f32).to_be_bytes(),
            false => (value as f32).to_le_bytes(),
        })
    };
    for (name, content) in [
        ("f8.npy", array("<f8", "(4, 2)", ROWS.map(|value| value.to_le_bytes().into()))),
        ("big-f8.npy", array(">f8", "(4, 2)", ROWS.map(|value| value.to_be_bytes().into()))),
        ("f2.npy", array("<f2", "(4, 2)", halves.map(|value| value.to_le_bytes().into()))),
        ("big-f2.npy", array(">f2", "(4, 2)", halves.map(|value| value.to_be_bytes().into()))),
        ("big-f4.npy", array(">f4", "(4, 2)", [plain(true).collect()])),
        ("long-header.npy", npy::file(&long_header, &plain(false).collect::<Vec<_>>())),
        ("fortran.npy", npy::file(&fortran, &columns.map(f64::to_le_bytes).concat())),
    ] {
        let path = write(name, &content);
        assert_eq!(evaluation(&path, &labels), expected, "{name}");
        assert_eq!(note(&arguments(&path, &labels)), "", "{name}");
    }
    let whole = npy::floats("(4, 2)", &[0.0, 1.0, 7.0, 0.0, 3.0, 3.0, 250.0, 1.0]);
    let expected = evaluation(&write("whole.npy", &whole), &labels);
    let bytes = array("|u1", "(4, 2)", [vec![0, 1, 7, 0, 3, 3, 250, 1]]);
    assert_eq!(evaluation(&write("bytes.npy", &bytes), &labels), expected);
}

#[test]
fn digits_that_are_lost_are_told_of_and_numbers_beyond_f32_are_refused() {
    let labels = write("labels.npy", &npy::labels(&[0, 0, 1, 1]));
    let with = |at: usize, value: f64| {
        let mut values = ROWS;
        values[at] = value;
        write("f8.npy", &array("<f8", "(4, 2)", values.map(|value| value.to_le_bytes().into())))
    };
    let rounded = note(&arguments(&with(3, 0.1), &labels));
    assert!(rounded.contains("f8.npy: float64 is rounded to f32: 1 of 8 values\n"), "{rounded}");
    let zero = note(&arguments(&with(3, 1e-300), &labels));
    assert!(zero.contains("1 of 8 values, 1 too small for it and 0"), "{zero}");
    let large = "row 2, column 1 is 1e300, beyond the range of f32";
    fails(&arguments(&with(5, 1e300), &labels), &["f8.npy", large]);
    fails(&arguments(&with(5, f64::NAN), &labels), &["not finite at row 2, column 1"]);
    let integers = [0, 1, 1, 0, 3, 3, 2, (1 << 24) + 1_i64].map(|value| value.to_le_bytes().into());
    let integers = write("i8.npy", &array("<i8", "(4, 2)", integers));
    assert!(note(&arguments(&integers, &labels)).contains("int64 is rounded to f32: 1 of 8"));
}

#[test]
fn labels_of_every_integer_type_are_the_same_labels() {
    let embeddings = embeddings();
    let numbers = [1_u8, 0, 1, 0];
    let expected = evaluation(&embeddings, &write("u4.npy", &npy::labels(&numbers.map(u32::from))));
    let cases = [
        ("|u1", numbers.map(|n| vec![n])),
        ("|i1", numbers.map(|n| vec![n])),
        ("|b1", numbers.map(|n| vec![n])),
        ("<u2", numbers.map(|n| u16::from(n).to_le_bytes().into())),
        ("<i2", numbers.map(|n| i16::from(n).to_le_bytes().into())),
        (">i4", numbers.map(|n| i32::from(n).to_be_bytes().into())),
        ("<i4", numbers.map(|n| i32::from(n).to_le_bytes().into())),
        ("<i8", numbers.map(|n| i64::from(n).to_le_bytes().into())),
        (">i8", numbers.map(|n| i64::from(n).to_be_bytes().into())),
        ("<u8", numbers.map(|n| u64::from(n).to_le_bytes().into())),
    ];
    for (dtype, data) in cases {
        for shape in ["(4,)", "(4, 1)"] {
            let labels = write("labels.npy", &array(dtype, shape, data.clone()));
            assert_eq!(evaluation(&embeddings, &labels), expected, "{dtype} {shape}");
            assert_eq!(note(&arguments(&embeddings, &labels)), "", "{dtype} {shape}");
        }
    }
}

#[test]
fn ids_and_strings_are_classes_in_ascending_order() {
    let embeddings = embeddings();
    let expected = evaluation(&embeddings, &write("u4.npy", &npy::labels(&[1, 0, 1, 0])));
    let ids = [u64::MAX, 5, u64::MAX, 5].map(|n| n.to_le_bytes().into());
    let hashes = [-3_i64, -1 << 40, -3, -1 << 40].map(|n| n.to_le_bytes().into());
    let text = |text: &str| text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let texts = ["owl", "emu", "owl", "emu"];
    for (dtype, data, said) in [
        ("<u8", ids, "2 classes in ascending order, 5 is 0 and 18446744073709551615 is 1"),
        ("<i8", hashes, "2 classes in ascending order, -1099511627776 is 0 and -3 is 1"),
        ("<U3", texts.map(text), "strings: 2 classes in ascending order, emu is 0 and owl is 1"),
        ("|S3", texts.map(|text| text.into()), "strings: 2 classes in ascending order"),
    ] {
        let labels = write("labels.npy", &array(dtype, "(4,)", data));
        assert_eq!(evaluation(&embeddings, &labels), expected, "{dtype}");
        let note = note(&arguments(&embeddings, &labels));
        assert!(note.starts_with("note: ") && note.contains(said), "{dtype}: {note}");
    }
}

#[test]
fn labels_of_two_files_are_numbered_together() {
    let embeddings = embeddings();
    let texts = |name: &str, texts: [&str; 4]| {
        write(name, &array("|S3", "(4,)", texts.map(|text| text.into())))
    };
    let labels = texts("labels.npy", ["owl", "emu", "owl", "emu"]);
    // By themselves both would be 0 and 1.
    let references = texts("references.npy", ["owl", "rhe", "owl", "rhe"]);
    let mut arguments = vec!["measure", "--backend", "reference", "--recall-at", "1"];
    arguments.extend(["--embeddings", &embeddings, "--labels", &labels]);
    let others = write("others.npy", &std::fs::read(&embeddings).unwrap());
    arguments.extend(["--references", &others, "--reference-labels", &references]);
    let found = object(&arguments);
    // Rows 0 and 2 are their own nearest; the others have no class among the references.
    assert_eq!([&found["counted"], &found["precision_at_1"]], [&json!(2), &json!(1.0)]);
    let numbers = write("numbers.npy", &npy::labels(&[0, 1, 0, 1]));
    let at = arguments.len() - 1;
    arguments[at] = &numbers;
    fails(&arguments, &["numbers.npy", "strings"]);
}

#[test]
fn labels_that_are_no_classes_are_named_with_what_to_do() {
    let embeddings = embeddings();
    let refuse = |dtype: &str, data: [Vec<u8>; 4], texts: &[&str]| {
        let labels = write("labels.npy", &array(dtype, "(4,)", data));
        fails(&arguments(&embeddings, &labels), &[texts, &["labels.npy"]].concat());
    };
    let doubles = |values: [f64; 4]| values.map(|value| value.to_le_bytes().to_vec());
    let found = "expected integers or strings, found float64";
    refuse("<f8", doubles([0.0, 1.0, 0.0, 1.0]), &[found, "row 0 is 0.0", "astype(numpy.int64)"]);
    refuse("<f8", doubles([0.0, 0.7, 0.5, 1.0]), &[found, "row 1 is 0.7", "numpy.unique"]);
    refuse(
        "<f8",
        doubles([0.0, 1.0, f64::NAN, 1.0]),
        &[found, "row 2 is NaN", "leave such rows out"],
    );
    let noise = [0_i64, -1, 1, -1].map(|n| n.to_le_bytes().to_vec());
    refuse("<i8", noise, &["row 1 is -1", "labels != -1", "numpy.unique"]);
    let missing =
        ["owl", "", "owl", "emu"].map(|text| [text.as_bytes(), &[0; 3]].concat()[..3].to_vec());
    refuse("|S3", missing, &["row 1 is an empty string"]);
    refuse("|O", [vec![], vec![], vec![], vec![]], &["Python objects", "astype(str)"]);
    let times = [0_i64; 4].map(|n| n.to_le_bytes().to_vec());
    refuse("<M8[ns]", times, &["integers", "M8[ns]"]);
}

#[test]
fn indices_are_checked_against_their_range() {
    let embeddings = embeddings();
    let start = ["evaluate", "--backend", "reference", "--objective"];
    let with = |dtype: &str, data: [Vec<u8>; 6]| {
        let triplets = write("triplets.npy", &array(dtype, "(2, 3)", data));
        let mut arguments = [&start[..], &[r#"{"loss":"Triplet","mining":"Explicit"}"#]].concat();
        arguments.extend(["--embeddings", &embeddings, "--triplets"]);
        [&arguments[..], &[&triplets]]
            .concat()
            .iter()
            .map(|text| text.to_string())
            .collect::<Vec<_>>()
    };
    let longs = |values: [i64; 6]| with("<i8", values.map(|value| value.to_le_bytes().into()));
    assert_eq!(object(&longs([0, 1, 2, 1, 0, 3]))["terms"], 2);
    fails(&longs([0, 1, 2, 1, -1, 3]), &["triplets.npy", "row 1, column 1 is -1", "4294967295"]);
    fails(&longs([0, 1, 2, 1 << 32, 1, 3]), &["triplets.npy", "row 1, column 0 is 4294967296"]);
    let floats = with("<f4", [0_f32; 6].map(|value| value.to_le_bytes().into()));
    fails(&floats, &["triplets.npy", "expected integers, found float32", "astype(numpy.int64)"]);
}

/// The header of a large array and no data, which a file system keeps in no room.
#[test]
fn a_large_file_is_judged_by_its_header() {
    let path = scratch("sparse.npy");
    let header = npy::file(&npy::header("<f4", "(1200000, 1024)"), &[]);
    let length = header.len() as u64 + 4 * 1_200_000 * 1024;
    fs::write(&path, header).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
    let labels = write("labels.npy", &npy::labels(&[0, 1]));
    let start = std::time::Instant::now();
    let arguments = arguments(path.to_str().unwrap(), &labels);
    fails(&arguments, &["sparse.npy", "1228800000 values", "at most 1073741822"]);
    // To read it would take half a minute.
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
    fs::remove_file(path).unwrap();
}

#[test]
#[cfg(unix)]
fn a_pipe_is_read_like_a_file() {
    use std::io::Write;
    use std::process::Stdio;

    let labels = write("labels.npy", &npy::labels(&[0, 0, 1, 1]));
    let mut program = crate::program(&arguments("/dev/stdin", &labels));
    program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut program = program.spawn().unwrap();
    let content = npy::floats("(4, 2)", &ROWS.map(|value| value as f32));
    program.stdin.take().unwrap().write_all(&content).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}
