// One anchor row of the matrix, seen by one workgroup: what every terms kernel shares, except the
// coefficients, which terms/coefficients.wgsl declares.
//
//   rows          N               written: what the row adds up to
//   row_statistics N              what a row must tell the others, where a loss needs it
//   learned       1, 2 or C       the loss's own numbers: boundaries of Wu's margin, or a scale and
//                                 a bias behind it; weights may stand behind them, of anchors
//                                 (terms/weights.wgsl), and behind one number those of a list

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/distance.wgsl"
// #include "shared/pairs.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/wide.wgsl"
// #include "shared/summary.wgsl"

struct Statistic {
    value: f32,
    number: u32,  // a column, a count, or the bits of another value
    weight: f32,  // terms/softmax.wgsl and terms/levels.wgsl say what it and the rest are
    rest: f32,
}

@group(0) @binding(6) var<storage, read_write> rows: array<Row>;
@group(0) @binding(7) var<storage, read_write> row_statistics: array<Statistic>;
@group(0) @binding(8) var<storage, read> totals: Totals;
@group(0) @binding(9) var<storage, read> learned: array<f32>;
@group(0) @binding(10) var<uniform> sizes: Sizes;

// What an invocation has seen of its row's pairs: of the positive ones, and of the negative ones.
struct Pairs {
    distances: vec2<f32>,
    counts: vec2<u32>,
}

fn see_pair(pairs: ptr<function, Pairs>, kind: u32, d: f32) {
    if (kind == POSITIVE) {
        (*pairs).distances.x += d;
        (*pairs).counts.x += 1u;
    } else if (kind == NEGATIVE) {
        (*pairs).distances.y += d;
        (*pairs).counts.y += 1u;
    }
}

// A row with the sums of the distances and the numbers of its positive and its negative pairs;
// what the loss makes of them comes on top.
fn row_of_pairs(distances: vec2<f32>, counts: vec2<u32>) -> Row {
    var row: Row;
    row.positive_distance = distances.x;
    row.negative_distance = distances.y;
    row.positives = counts.x;
    row.negatives = counts.y;
    return row;
}

// Four pairs at distances d, which are 0 where there is no pair.
fn see_pairs(pairs: ptr<function, Pairs>, kinds: vec4<u32>, d: vec4<f32>) {
    let positive = kinds == vec4(POSITIVE);
    let negative = kinds == vec4(NEGATIVE);
    (*pairs).distances.x += sum_of(select(vec4(0.0), d, positive));
    (*pairs).distances.y += sum_of(select(vec4(0.0), d, negative));
    (*pairs).counts.x += count_of(positive);
    (*pairs).counts.y += count_of(negative);
}

// Whether the entries of a list have weights.
fn are_entries_weighted() -> bool {
    return sizes.pairs > 0u && arrayLength(&learned) > 1u;
}

// The weight of an entry of a list; 1 where there are none, and beyond the last.
fn weight_of_entry(entry: u32) -> f32 {
    if (!are_entries_weighted() || entry >= sizes.listed) {
        return 1.0;
    }
    return learned[1u + entry];
}

fn count_of(these: vec4<bool>) -> u32 {
    return dot(select(vec4(0u), vec4(1u), these), vec4(1u));
}
