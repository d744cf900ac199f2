// Batch-all triplets with the softplus: every (a, p, n) with log(1 + exp(d(a, p) - d(a, n))). There
// is no shortcut: every triplet is evaluated, none is stored, O(K M) per anchor with K positives.
// Terms that are not within thresholds count nothing.
//
//   slope of d(a, p)  sum over n of sigmoid(d(a, p) - d(a, n))
//   slope of d(a, n)  -sum over p of sigmoid(d(a, p) - d(a, n))
//
// A dispatch takes PORTION of an anchor's positives, at most CHUNK, which bounds its time and its
// loops: llvmpipe stops an invocation's loops, silently, after 65,535 rounds in all
// (src/gpu/cut/loops.rs), so a round takes eight positives or columns. With sixteen and more the
// code outgrows the instruction caches of GPUs, and SwiftShader compiles it for minutes. The
// positives of the portion are shared out evenly among the invocations, whatever columns they stand
// in: slopes[k] belongs to keys[k].
// One workgroup per row.

// #include "terms/row.wgsl"
// #include "terms/coefficients.wgsl"
// #include "terms/triplet/sorted.wgsl"
// #include "terms/triplet/term.wgsl"

// Whether there are thresholds. Without them nothing is left of them in the loops.
override THRESHOLDS: u32 = 0u;

const BLOCK = 256u;  // columns that are summed up on their own first
const ROUND = 8u;    // positives or columns that a round of a loop takes, written out

var<workgroup> slopes: array<f32, CHUNK>;

// What negative n gives with key k: (loss, slope, 1 where the term counts).
fn with_key(k: u32, size: u32, n: f32) -> vec3<f32> {
    if (k >= size) {
        return vec3(0.0);
    }
    let x = keys[k] - n;
    let term = softplus(x);
    if (THRESHOLDS == 1u && !is_within(term)) {
        return vec3(0.0);
    }
    return vec3(term, sigmoid(x), 1.0);
}

fn with_keys(k: u32, size: u32, n: f32) -> vec3<f32> {
    return with_key(k, size, n) + with_key(k + 1u, size, n)
        + with_key(k + 2u, size, n) + with_key(k + 3u, size, n);
}

// What negative n gives with all keys: sums of four, of sixteen, and of those.
fn negative_share(size: u32, n: f32) -> vec3<f32> {
    var sum = vec3(0.0);
    var sixteen = vec3(0.0);
    for (var k = 0u; k < size; k += ROUND) {
        sixteen += with_keys(k, size, n);
        sixteen += with_keys(k + 4u, size, n);
        if ((k & ROUND) != 0u) {
            sum += sixteen;
            sixteen = vec3(0.0);
        }
    }
    return sum + sixteen;
}

// What positive p gives with column j, if that is a negative.
fn with_column(i: u32, begin: u32, j: u32, p: f32) -> f32 {
    if (relation(i, j) != NEGATIVE) {
        return 0.0;
    }
    let n = distance_at(begin + j);
    if (THRESHOLDS == 1u && !is_within(softplus(p - n))) {
        return 0.0;
    }
    return sigmoid(p - n);
}

fn with_columns(i: u32, begin: u32, j: u32, p: f32) -> f32 {
    return with_column(i, begin, j, p) + with_column(i, begin, j + 1u, p)
        + with_column(i, begin, j + 2u, p) + with_column(i, begin, j + 3u, p);
}

fn positive_slope(i: u32, begin: u32, p: f32) -> f32 {
    var sum = 0.0;
    var block = 0.0;
    var sixteen = 0.0;
    for (var j = 0u; j < stripe.stride; j += ROUND) {
        sixteen += with_columns(i, begin, j, p);
        sixteen += with_columns(i, begin, j + 4u, p);
        if ((j & ROUND) != 0u) {
            block += sixteen;
            sixteen = 0.0;
        }
        if ((j + ROUND) % BLOCK == 0u) {
            sum += block;
            block = 0.0;
        }
    }
    return sum + (block + sixteen);
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
    var nonzero = 0u;
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
            // A softplus is never 0, though f32 may round it so.
            nonzero += select(size, u32(share.z), THRESHOLDS == 1u);
            // Until the last portion the coefficient holds the slopes, summed up over the portions.
            c += share.y;
            if (is_last) {
                c = coefficient(-c, d);
            }
        }
        coefficients[begin + j] = c;
    }

    let sums = workgroup_sum(vec4(loss, pairs.distances, 0.0), invocation);
    let halves = workgroup_count(vec4(nonzero & 0xffffu, nonzero >> 16u, 0u, 0u), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.yz, seen.xy);
        summary.loss = sums.x;
        summary.terms = wide_product(seen.x, seen.y);
        summary.nonzero = wide_from_halves(halves.x, halves.y);
        if (first > 0u) {
            summary.loss += rows[i].loss;
            summary.nonzero = wide_add(summary.nonzero, rows[i].nonzero);
        }
        rows[i] = summary;
    }
}
