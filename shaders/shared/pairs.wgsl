// One row of the matrix and its pairs: what every kernel shares that works on a row in one
// workgroup.
//
//   labels, reference_labels  N, M, padded to whole vec4s
//   distances                 rows x stride   d(i, j) of the stripe
//
// The file that includes it adds
//
//   var<uniform> sizes: Sizes

// #include "shared/stripe.wgsl"

@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> reference_labels: array<vec4<u32>>;
@group(0) @binding(4) var<storage, read> distances: array<vec4<f32>>;

const NO_PAIR = 0u;
const POSITIVE = 1u;
const NEGATIVE = 2u;

// What column j is to anchor i. Labels are only compared, and which column is the row itself is
// decided by index, never by distance. Of a list, what its pair in row i and column j is: there `labels` are the kinds of the
// pairs.
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
    if (j >= sizes.references || j == i + stripe.own) {
        return NO_PAIR;
    }
    return select(NEGATIVE, POSITIVE, label == reference_labels[j / 4u][j % 4u]);
}

// The four columns of a quad.
fn columns_of(quad: u32) -> vec4<u32> {
    return 4u * quad + vec4(0u, 1u, 2u, 3u);
}

// The quads of a row.
fn quads() -> u32 {
    return stripe.stride / 4u;
}

fn sum_of(values: vec4<f32>) -> f32 {
    return dot(values, vec4(1.0));
}

// What the four columns of a quad are.
fn relations(i: u32, quad: u32) -> vec4<u32> {
    let columns = columns_of(quad);
    if (sizes.pairs > 0u) {
        return vec4(
            relation(i, columns.x),
            relation(i, columns.y),
            relation(i, columns.z),
            relation(i, columns.w),
        );
    }
    return relations_of(i, labels[i], quad);
}

// The same where nothing is listed.
fn relations_of(i: u32, label: u32, quad: u32) -> vec4<u32> {
    let columns = columns_of(quad);
    let is_outside = columns >= vec4(sizes.references);
    let is_itself = columns == vec4(i + stripe.own);
    let kinds = select(vec4(NEGATIVE), vec4(POSITIVE), reference_labels[quad] == vec4(label));
    return select(kinds, vec4(NO_PAIR), is_outside | is_itself);
}

// The four distances of a quad, of a row of the stripe: 0 where there is no pair.
fn distances_of(row: u32, quad: u32, kinds: vec4<u32>) -> vec4<f32> {
    return select(distances[row * quads() + quad], vec4(0.0), kinds == vec4(NO_PAIR));
}

// Of a column, `at` columns from the beginning of the stripe.
fn distance_at(at: u32) -> f32 {
    return distances[at / 4u][at % 4u];
}
