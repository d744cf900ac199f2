// One anchor row of the matrix, seen by one workgroup: what every terms kernel shares, except the coefficients, which
// shared/coefficients.wgsl declares.
//
//   rows          N               written: what the row adds up to
//   row_statistics N              what a row must tell the others, where a loss needs it
//   beta          1 or C          the boundaries of Wu's margin

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/pairs.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/wide.wgsl"
// #include "shared/summary.wgsl"

struct Statistic {
    value: f32,
    number: u32,  // a column, or a count
    weight: f32,  // of the softmax family: shared/softmax.wgsl
    rest: f32,    // of SupCon
}

@group(0) @binding(6) var<storage, read_write> rows: array<Row>;
@group(0) @binding(7) var<storage, read_write> row_statistics: array<Statistic>;
@group(0) @binding(8) var<storage, read> totals: Totals;
@group(0) @binding(9) var<storage, read> beta: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

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

// The same of four pairs at distances d, which are 0 where there is no pair.
fn see_pairs(pairs: ptr<function, Pairs>, kinds: vec4<u32>, d: vec4<f32>) {
    let positive = kinds == vec4(POSITIVE);
    let negative = kinds == vec4(NEGATIVE);
    (*pairs).positive_distance += sum_of(select(vec4(0.0), d, positive));
    (*pairs).negative_distance += sum_of(select(vec4(0.0), d, negative));
    (*pairs).positives += count_of(positive);
    (*pairs).negatives += count_of(negative);
}

fn count_of(these: vec4<bool>) -> u32 {
    return dot(select(vec4(0u), vec4(1u), these), vec4(1u));
}
