// Adds up the rows to the totals of the batch, in one workgroup, and reduces the loss:
//
//   SUM                    sum of the terms
//   MEAN                   / number of terms
//   MEAN_NON_ZERO          / number of terms greater than 0
//   HADSELL_MEAN           / twice the number of terms
//
// Where the mean is split, those of the positive and of the negative terms are added: BY_NON_ZERO of
// those greater than 0, BY_ROWS of all, of which every row has a negative one.
//
// Nothing divides by zero: without terms the loss and the scale are 0. A mean is beyond f32 only
// where it is itself, not where the sum is: shared/summary.wgsl.

// #include "shared/group.wgsl"
// #include "shared/numbers.wgsl"
// #include "shared/reduce.wgsl"
// #include "shared/wide.wgsl"
// #include "shared/sizes.wgsl"
// #include "shared/state.wgsl"
// #include "shared/summary.wgsl"

const SUM = 0u;
const MEAN = 1u;
const MEAN_NON_ZERO = 2u;
const HADSELL_MEAN = 3u;

override REDUCTION: u32 = MEAN;

const UNDIVIDED = 0u;
const BY_NON_ZERO = 1u;
const BY_ROWS = 2u;

override SPLIT_MEAN: u32 = UNDIVIDED;
// 1: the last totals of a recording; they also take the faults over and set the state back.
override LAST: u32 = 1u;

// All of them, or one for each query or reference that there is.
const ALL = 0u;
const QUERIES = 1u;
const REFERENCES = 2u;

struct Summands {
    weight: f32,    // of the loss in its objective: the gradients have it, the loss itself has not
    by: u32,        // which rows are added up
}

@group(0) @binding(0) var<uniform> summands: Summands;
@group(0) @binding(1) var<storage, read> rows: array<Row>;
@group(0) @binding(2) var<storage, read_write> totals: Totals;
@group(0) @binding(3) var<storage, read_write> state: array<u32, STATE_SIZE>;
@group(0) @binding(4) var<uniform> sizes: Sizes;

var<workgroup> count_scratch: array<vec4<u32>, MOST_INVOCATIONS>;

// Two 64-bit counts in a vec4.
fn add_counts(a: vec4<u32>, b: vec4<u32>) -> vec4<u32> {
    return vec4(wide_add(a.xy, b.xy), wide_add(a.zw, b.zw));
}

fn workgroup_counts(value: vec4<u32>, invocation: Invocation) -> vec4<u32> {
    count_scratch[invocation.index] = value;
    workgroupBarrier();
    for (var width = WORKGROUP / 2u; width > 0u; width >>= 1u) {
        if (invocation.index < width) {
            count_scratch[invocation.index] = add_counts(
                count_scratch[invocation.index], count_scratch[invocation.index + width],
            );
        }
        workgroupBarrier();
    }
    return workgroupUniformLoad(&count_scratch[0]);
}

// 1 / count, 0 for 0.
fn inverse(count: vec2<u32>) -> f32 {
    let number = wide_to_float(count);
    return select(1.0 / number, 0.0, number == 0.0);
}

fn reduction_scale(terms: vec2<u32>, nonzero: vec2<u32>) -> f32 {
    if (REDUCTION == SUM || SPLIT_MEAN != UNDIVIDED) {
        return 1.0;
    }
    if (REDUCTION == MEAN) {
        return inverse(terms);
    }
    if (REDUCTION == MEAN_NON_ZERO) {
        return inverse(nonzero);
    }
    return 0.5 * inverse(terms);
}

fn row_count() -> u32 {
    if (summands.by == QUERIES) {
        return sizes.queries;
    }
    return select(arrayLength(&rows), sizes.references, summands.by == REFERENCES);
}

// The numbers of positive and of negative terms that a split mean is over.
fn split_counts(terms: vec2<u32>, nonzero: vec4<u32>) -> vec4<u32> {
    let negatives = totals.rows;
    return select(nonzero, vec4(terms.x - negatives, 0u, negatives, 0u), SPLIT_MEAN == BY_ROWS);
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    var sums = vec4(0.0);
    var scaled = vec4(0.0);
    var pairs = vec4(0u);
    var terms = vec4(0u);
    var nonzero = vec4(0u);
    let count = row_count();
    for (var i = invocation.index; i < count; i += WORKGROUP) {
        let row = rows[i];
        let plain =
            vec4(row.loss, row.negative_loss, row.positive_distance, row.negative_distance);
        let is_scaled = vec4(row.scaled == 1u, false, false, false);
        sums += select(plain, plain * SCALED_UP, is_scaled);
        scaled += select(plain * SCALED_DOWN, plain, is_scaled);
        pairs = add_counts(pairs, vec4(row.positives, 0u, row.negatives, 0u));
        terms = add_counts(terms, vec4(row.terms, row.nonzero));
        nonzero = add_counts(nonzero, vec4(row.nonzero_positives, 0u, row.nonzero_negatives, 0u));
    }
    sums = workgroup_sum(sums, invocation);
    scaled = workgroup_sum(scaled, invocation);
    pairs = workgroup_counts(pairs, invocation);
    terms = workgroup_counts(terms, invocation);
    nonzero = workgroup_counts(nonzero, invocation);
    if (invocation.index == 0u) {
        totals.rows = count;
        write_totals(sums, scaled, pairs, terms, nonzero);
    }
}

// A sum times its weight, which is at most 1.
fn weighed(weight: f32, sum: f32, scaled: f32) -> f32 {
    return select(weight * scaled * SCALED_UP, weight * sum, is_finite(sum));
}

fn write_totals(
    sums: vec4<f32>, scaled: vec4<f32>, pairs: vec4<u32>, terms: vec4<u32>, nonzero: vec4<u32>,
) {
    let split = split_counts(terms.xy, nonzero);
    let positive_weight = inverse(split.xy);
    let negative_weight = inverse(split.zw);
    let scale = reduction_scale(terms.xy, terms.zw);
    var loss = weighed(scale, sums.x + sums.y, scaled.x + scaled.y);
    if (SPLIT_MEAN != UNDIVIDED) {
        loss = weighed(positive_weight, sums.x, scaled.x)
            + weighed(negative_weight, sums.y, scaled.y);
    }
    totals.loss = loss;
    totals.scale = summands.weight * scale;
    totals.positive_weight = positive_weight;
    totals.negative_weight = negative_weight;
    totals.mean_positive_distance = weighed(inverse(pairs.xy), sums.z, scaled.z);
    totals.mean_negative_distance = weighed(inverse(pairs.zw), sums.w, scaled.w);
    totals.terms = terms.xy;
    totals.nonzero = terms.zw;
    totals.nonzero_positives = nonzero.xy;
    totals.nonzero_negatives = nonzero.zw;
    totals.positive_pairs = pairs.xy;
    totals.negative_pairs = pairs.zw;
    totals.given = sizes.given;
    if (LAST == 1u) {
        totals.faults = vec4(
            state[EMBEDDINGS_FAULT],
            state[REFERENCES_FAULT],
            state[LEARNED_FAULT],
            state[LABEL_FAULT],
        );
        totals.list_faults = vec4(
            state[INDEX_FAULT], state[PAIR_FAULT], state[TARGET_FAULT], state[TARGET_VALUE_FAULT],
        );
        for (var k = 0u; k < STATE_SIZE; k++) {
            state[k] = 0u;
        }
    }
}
