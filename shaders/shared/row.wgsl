// One anchor row of the matrix, seen by one workgroup: what every terms kernel shares, except the coefficients, which
// shared/coefficients.wgsl declares.
//
//   distances     rows x stride   d(i, j) of the stripe
//   rows          N               written: what the row adds up to
//   row_statistics N              what a row must tell the others, where a loss needs it
//   beta          1 or C          the boundaries of Wu's margin

// #include "shared/numbers.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/stripe.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/wide.wgsl"
// #include "shared/summary.wgsl"

struct Statistic {
    value: f32,
    column: u32,
}

@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read> reference_labels: array<u32>;
@group(0) @binding(4) var<storage, read> distances: array<f32>;
@group(0) @binding(6) var<storage, read_write> rows: array<Row>;
@group(0) @binding(7) var<storage, read_write> row_statistics: array<Statistic>;
@group(0) @binding(8) var<storage, read> totals: Totals;
@group(0) @binding(9) var<storage, read> beta: array<f32>;

const NO_PAIR = 0u;
const POSITIVE = 1u;
const NEGATIVE = 2u;

// The row of the stripe that a workgroup works on; dispatches fold to two dimensions.
fn stripe_row(group: vec3<u32>, groups: vec3<u32>) -> u32 {
    return group.y * groups.x + group.x;
}

// What column j is to anchor i. Labels are only compared, and i = j is decided by index, never by distance. Of a list, what
// its pair in row i and column j is: there `labels` are the kinds of the pairs.
fn relation(i: u32, j: u32) -> u32 {
    if (stripe.listed > 0u) {
        let entry = i * stripe.stride + j;
        if (entry >= stripe.listed) {
            return NO_PAIR;
        }
        return select(NEGATIVE, POSITIVE, labels[entry] == 1u);
    }
    if (j >= stripe.references || (stripe.same_set == 1u && i == j)) {
        return NO_PAIR;
    }
    return select(NEGATIVE, POSITIVE, labels[i] == reference_labels[j]);
}

// What an invocation has seen of its row's pairs.
struct Pairs {
    positive_distance: f32,
    negative_distance: f32,
    positives: u32,
    negatives: u32,
}

fn see_pair(pairs: ptr<function, Pairs>, kind: u32, d: f32) {
    if (kind == POSITIVE) {
        (*pairs).positive_distance += d;
        (*pairs).positives += 1u;
    } else if (kind == NEGATIVE) {
        (*pairs).negative_distance += d;
        (*pairs).negatives += 1u;
    }
}
