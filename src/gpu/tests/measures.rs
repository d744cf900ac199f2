//! Faults planted in the kernels of the retrieval measures, which the comparison with the reference
//! has to catch.

use super::{first_context, with_fault};
use crate::gpu::{Context, Options};
use crate::loss::Distance;
use crate::measures::Retrieval;
use crate::reference::measure_with_bounds;
use crate::reference::samples::Sample;

/// A line of a kernel and what it is replaced with.
const FAULTS: &[(&str, &str, &str)] = &[
    ("measures/ranks.wgsl", "var positives_before = key;", "var positives_before = key + 1u;"),
    ("measures/ranks.wgsl", "let q = positives_before + 1u;", "let q = positives_before + 2u;"),
    ("measures/ranks.wgsl", "size, NEGATIVE)", "size, POSITIVE)"),
    ("measures/ranks.wgsl", "atomicAdd(&places[place], 1u);", "atomicMax(&places[place], 1u);"),
    (
        "measures/ranks.wgsl",
        "let counts = r <= vec4(positives);",
        "let counts = r < vec4(positives);",
    ),
    ("measures/ranks.wgsl", "nearest = min(nearest, r.x);", "nearest = min(nearest, r.y);"),
    ("measures/ranks.wgsl", "a.x < b.x || (", "a.x > b.x || ("),
    ("measures/ranks.wgsl", "&& a.y < b.y", "&& a.y > b.y"),
    ("measures/totals.wgsl", "row.first <= cutoff.k", "row.first < cutoff.k"),
    ("measures/totals.wgsl", "if (row.positives > 0u) {", "if (row.positives > 1u) {"),
    ("measures/totals.wgsl", "row.precisions, row.all", "0.99 * row.precisions, row.all"),
    ("measures/totals.wgsl", "row.all_precisions);", "row.precisions);"),
    ("measures/totals.wgsl", "1.0 / f32(row.first)", "1.0 / f32(row.first + 1u)"),
    ("measures/totals.wgsl", "let cutoff = cutoffs[index];", "let cutoff = cutoffs[0];"),
    ("measures/totals.wgsl", "counts.x) / cutoff.divisor", "counts.x)"),
    ("measures/totals.wgsl", "scores[cutoff.first + i]", "scores[i]"),
    (
        "measures/ranks.wgsl",
        "let counts = r <= vec4(cutoff.k);",
        "let counts = r < vec4(cutoff.k);",
    ),
    ("measures/ranks.wgsl", "log2(vec4<f32>(r) + 1.0)", "log2(vec4<f32>(r) + 2.0)"),
    ("measures/ranks.wgsl", "min(cutoff.k, positives) - 1u", "cutoff.k - 1u"),
];

/// Whether the kernels agree with the reference in batch and reference mode, with and without
/// duplicates.
fn agrees(context: &Context, samples: &[Sample]) -> Result<(), String> {
    for distance in Distance::ALL {
        let retrieval = Retrieval {
            distance,
            precision_at: vec![1, 6],
            ndcg_at: vec![3, 12],
            ..Default::default()
        };
        for batch in samples.iter().flat_map(Sample::retrieval_batches) {
            let expected =
                measure_with_bounds(&retrieval, &batch).map_err(|error| error.to_string())?;
            let actual = context.measure(&retrieval, &batch).wait().expect("kernels that compile");
            let comparison = expected.compare(&actual);
            if !comparison.agrees() {
                return Err(format!(
                    "{retrieval:?} in {} mode:\n{comparison}",
                    batch.shape().mode().name()
                ));
            }
        }
    }
    Ok(())
}

#[test]
fn every_planted_fault_in_the_measures_is_caught() {
    // Rows of zeros are at distance 0 from each other: their columns decide.
    let samples = [Sample::new(2, 3, 1.0), Sample::new(19, 6, 1.0), Sample::new(19, 6, 0.0)];
    let context = first_context(Options::default());
    agrees(&context, &samples).expect("kernels without a fault agree");
    for &(path, line, fault) in FAULTS {
        let is_seen = || agrees(&context, &samples).is_err();
        let is_caught = with_fault([&context], [path, line, fault], is_seen);
        assert!(is_caught, "nobody noticed `{fault}` in {path}");
    }
}
