// Batch-all triplets with the softplus: every (a, p, n) with log(1 + exp(d(a, p) - d(a, n))). There
// is no shortcut: every triplet is evaluated, none is stored, O(K M) per anchor with K positives.
//
//   slope of d(a, p)  sum over n of sigmoid(d(a, p) - d(a, n))
//   slope of d(a, n)  -sum over p of sigmoid(d(a, p) - d(a, n))
//
// A dispatch takes PORTION of an anchor's positives, at most CHUNK, which bounds its time and its
// loops; these are unrolled, because llvmpipe stops an invocation's loops, silently, after 65,535
// rounds in all (src/gpu/cut/loops.rs). The positives of the portion are shared out evenly among
// the invocations, whatever columns they stand in: slopes[k] belongs to keys[k].
// One workgroup per row.

// #include "terms/row.wgsl"
// #include "terms/coefficients.wgsl"
// #include "terms/triplet/sorted.wgsl"
// #include "shared/exponential.wgsl"

const BLOCK = 256u;  // columns that are summed up on their own first
const ROUND = 64u;   // columns that a round of the loop takes, written out

var<workgroup> slopes: array<f32, CHUNK>;

// What negative n gives with key k: (loss, slope).
fn with_key(k: u32, size: u32, n: f32) -> vec2<f32> {
    if (k >= size) {
        return vec2(0.0);
    }
    let x = keys[k] - n;
    return vec2(softplus(x), sigmoid(x));
}

fn with_keys(k: u32, size: u32, n: f32) -> vec2<f32> {
    return with_key(k, size, n) + with_key(k + 1u, size, n)
        + with_key(k + 2u, size, n) + with_key(k + 3u, size, n);
}

fn negative_share(size: u32, n: f32) -> vec2<f32> {
    var sum = vec2(0.0);
    for (var k = 0u; k < size; k += 16u) {
        sum += with_keys(k, size, n) + with_keys(k + 4u, size, n)
            + with_keys(k + 8u, size, n) + with_keys(k + 12u, size, n);
    }
    return sum;
}

// What positive p gives with column j, if that is a negative.
fn with_column(i: u32, begin: u32, j: u32, p: f32) -> f32 {
    if (relation(i, j) != NEGATIVE) {
        return 0.0;
    }
    return sigmoid(p - distance_at(begin + j));
}

fn with_columns(i: u32, begin: u32, j: u32, p: f32) -> f32 {
    return with_column(i, begin, j, p) + with_column(i, begin, j + 1u, p)
        + with_column(i, begin, j + 2u, p) + with_column(i, begin, j + 3u, p);
}

fn with_16_columns(i: u32, begin: u32, j: u32, p: f32) -> f32 {
    return with_columns(i, begin, j, p) + with_columns(i, begin, j + 4u, p)
        + with_columns(i, begin, j + 8u, p) + with_columns(i, begin, j + 12u, p);
}

fn positive_slope(i: u32, begin: u32, p: f32) -> f32 {
    var sum = 0.0;
    for (var block = 0u; block < stripe.stride; block += BLOCK) {
        var part = 0.0;
        for (var j = block; j < min(block + BLOCK, stripe.stride); j += ROUND) {
            part += with_16_columns(i, begin, j, p);
            part += with_16_columns(i, begin, j + 16u, p);
            part += with_16_columns(i, begin, j + 32u, p);
            part += with_16_columns(i, begin, j + 48u, p);
        }
        sum += part;
    }
    return sum;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let begin = row * stripe.stride;
    var pairs: Pairs;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind != NO_PAIR) {
            see_pair(&pairs, kind, distance_at(begin + j));
        }
    }
    let seen = uniform_count(vec4(pairs.counts, 0u, 0u), invocation);
    let first = stripe.portion * PORTION;
    if (first > 0u && first >= seen.x) {
        return;
    }
    let size = min(PORTION, seen.x - first);
    let is_last = first + size == seen.x;
    let number = exclusive_scan(pairs.counts.x, invocation);
    sort_positives(i, row, invocation, number, first, size, 0.0);
    for (var k = invocation.index; k < size; k += WORKGROUP) {
        slopes[k] = positive_slope(i, begin, keys[k]);
    }
    workgroupBarrier();

    var loss = 0.0;
    var next = number;
    for (var j = invocation.index; j < stripe.stride; j += WORKGROUP) {
        let kind = relation(i, j);
        var c = 0.0;
        if (first > 0u) {
            c = coefficients[begin + j];
        }
        if (kind == POSITIVE) {
            let d = distance_at(begin + j);
            if (next >= first && next < first + size) {
                c = coefficient(slopes[place_of(size, d)], d);
            }
            next += 1u;
        } else if (kind == NEGATIVE) {
            let d = distance_at(begin + j);
            let share = negative_share(size, d);
            loss += share.x;
            // Until the last portion the coefficient holds the slopes, summed up over the portions.
            c += share.y;
            if (is_last) {
                c = coefficient(-c, d);
            }
        }
        coefficients[begin + j] = c;
    }

    let sums = workgroup_sum(vec4(loss, pairs.distances, 0.0), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.yz, seen.xy);
        summary.loss = sums.x;
        if (first > 0u) {
            summary.loss += rows[i].loss;
        }
        summary.terms = wide_product(seen.x, seen.y);
        // A softplus is never 0, though f32 may round it so.
        summary.nonzero = summary.terms;
        rows[i] = summary;
    }
}
