//! Reports and their pictures as files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::errors::fails;
use crate::{npy, scratch, succeed};

/// The width and height that a PNG says it has.
fn size(png: &[u8]) -> [u32; 2] {
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    [16, 20].map(|at| u32::from_be_bytes(png[at..at + 4].try_into().unwrap()))
}

/// Runs a command that writes a report and its plots, which have these names; gives the report.
#[track_caller]
fn report(arguments: &[&str], names: &[&str]) -> String {
    let (page, plots) =
        (scratch("report.html"), scratch("report.html").with_file_name("new/plots"));
    let [report, folder] = [&page, &plots].map(|path| path.to_str().unwrap());
    succeed(&[arguments, &["--report", report, "--plots", folder]].concat());
    let page = fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("<svg ").count(), names.len());
    assert!(page.contains("<svg ") && !page.contains("<script") && !page.contains("http://w3"));
    let expected = names.iter().flat_map(|name| [format!("{name}.png"), format!("{name}.svg")]);
    let found = fs::read_dir(&plots).unwrap().map(|entry| entry.unwrap().file_name());
    let found: BTreeSet<_> = found.map(|name| name.to_str().unwrap().to_owned()).collect();
    assert_eq!(found, expected.collect());
    names.iter().for_each(|name| check(&plots, name));
    page
}

/// A picture is whole, and its pixels are twice as many as it is wide and high.
fn check(plots: &Path, name: &str) {
    let svg = fs::read_to_string(plots.join(format!("{name}.svg"))).unwrap();
    assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"), "{name}: {svg}");
    let [width, height] = ["width", "height"].map(|side| {
        let (_, rest) = svg.split_once(&format!(" {side}=\"")).unwrap();
        rest.split('"').next().unwrap().parse::<u32>().unwrap()
    });
    let png = fs::read(plots.join(format!("{name}.png"))).unwrap();
    assert_eq!(size(&png), [2 * width, 2 * height], "{name}");
}

#[test]
fn a_training_is_shown() {
    let page = report(
        &["train", "--backend", "cpu", "--steps", "4", "--validate-every", "2"],
        &[
            "loss",
            "terms",
            "map-at-r",
            "distances-before",
            "distances-after",
            "components-before",
            "components-after",
        ],
    );
    assert!(page.contains("<code>wgpu-metric-learning train --backend cpu --steps 4"));
    assert!(page.matches("<image ").count() > 1500, "digits under the pointer");
}

#[test]
fn measures_are_shown() {
    let names = ["distances", "at-k", "components"];
    let page = report(
        &["measure", "--backend", "cpu", "--per-class", "--bootstrap", "9", "--distance", "cosine"],
        &names,
    );
    for part in [
        "<title>Retrieval</title>",
        "1797 rows of 64 numbers retrieve each other by the Cosine distance.",
        "over Cosine distance",
        "In 95 % of 9 draws of the queries each measure is from one value to the other.",
        "<td>mean_average_precision_at_r</td>",
        "<tr><th>class</th><th>queries</th>",
    ] {
        assert!(page.contains(part), "{part}");
    }

    // Against references, whose rows are others.
    let path = |name: &str| scratch(name).to_str().unwrap().to_owned();
    let [x, y, references, others] = ["x.npy", "y.txt", "references.npy", "others.txt"].map(path);
    fs::write(&x, npy::floats("(2, 1)", &[0.0, 1.0])).unwrap();
    fs::write(&references, npy::floats("(3, 1)", &[0.5, 2.0, 9.0])).unwrap();
    fs::write(&y, "owl\n<emu>\n").unwrap();
    fs::write(&others, "owl\nowl\n<emu>\n").unwrap();
    let files = ["--embeddings", &x, "--labels", &y, "--references", &references];
    let page = report(
        &[&["measure", "--backend", "cpu", "--reference-labels", &others], &files[..]].concat(),
        &names,
    );
    assert!(page.contains("2 rows of 1 numbers retrieve 3 references by the Euclidean distance."));
    // Each query finds all, and only the two of its own class are the same.
    assert_eq!(page.matches("class=\"neighbour ").count(), 2 * (1 + 3));
    assert_eq!(page.matches("class=\"neighbour other\"").count(), 3);
    assert!(page.contains("title=\"row 2, label &lt;emu&gt;\">&lt;emu&gt;</span>"), "{page}");
}

#[test]
fn times_are_shown() {
    let sizes = ["--n", "16,24", "--d", "4,8", "--class-size", "4"];
    let names = ["time-4", "time-8"];
    let timed = ["bench", "--objective", "Triplet,NtXent", "--seconds", "0.01"];
    let on_cpu = [&timed[..], &sizes, &["--backend", "cpu"]].concat();
    let page = report(&on_cpu, &names);
    assert_eq!(page.matches("<tr><td>").count(), 2 * 4);
    assert_eq!(page.matches("<circle").count(), 2 * 4);
    let page = report(&[&timed[..3], &sizes, &["--predict", "rx-6900-xt"]].concat(), &names);
    for part in ["a prediction for the RX 6900 XT", "<th>predicted ms</th>", "512 GB/s", "Stages"] {
        assert!(page.contains(part), "{part}");
    }
    let page = report(&[&timed[..], &sizes].concat(), &names);
    assert!(
        page.contains("<td>empty dispatch</td>") && page.contains("<th>of peak</th>"),
        "{page}"
    );
}

#[test]
fn what_cannot_be_written_is_refused_first() {
    let file = scratch("file").to_str().unwrap().to_owned();
    fs::write(&file, "kept").unwrap();
    let measure = ["measure", "--embeddings", "none.npy", "--labels", "none.npy"];
    fails(&[&measure[..], &["--plots", &file]].concat(), &["nothing can be written in it"]);
    fails(&[&measure[..], &["--report", "none/report.html"]].concat(), &["none/report.html"]);
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
}
