// One row of the matrix and its pairs: what every kernel shares that works on a row in one workgroup.
//
//   labels, reference_labels  N, M
//   distances                 rows x stride   d(i, j) of the stripe

// #include "shared/stripe.wgsl"

@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> reference_labels: array<u32>;
@group(0) @binding(4) var<storage, read> distances: array<f32>;

const NO_PAIR = 0u;
const POSITIVE = 1u;
const NEGATIVE = 2u;

// What column j is to anchor i. Labels are only compared, and i = j is decided by index, never by distance. Of a list, what
// its pair in row i and column j is: there `labels` are the kinds of the pairs.
fn relation(i: u32, j: u32) -> u32 {
    if (sizes.pairs > 0u) {
        let entry = i * stripe.stride + j;
        if (entry >= sizes.pairs) {
            return NO_PAIR;
        }
        return select(NEGATIVE, POSITIVE, labels[entry] == 1u);
    }
    return relation_of(i, labels[i], j);
}

// The same where nothing is listed, for loops that read the anchor's label once.
fn relation_of(i: u32, label: u32, j: u32) -> u32 {
    if (j >= sizes.references || (stripe.same_set == 1u && i == j)) {
        return NO_PAIR;
    }
    return select(NEGATIVE, POSITIVE, label == reference_labels[j]);
}
