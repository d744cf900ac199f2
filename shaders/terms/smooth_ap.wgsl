// Smooth-AP loss: one less the average precision of an anchor's ranking, with sigmoids for steps.
// With g(i, j) = sigmoid((d(i) - d(j)) / temperature) of the distances of two columns, and
// g' = g (1 - g), every positive p of an anchor has
//
//   A(p) = 1 + sum_q g(p, q)      its rank among the positives, q the others
//   B(p) = sum_n g(p, n)          the negatives n before it
//   R(p) = A(p) + B(p)            its rank
//
//   term  sum_p B(p) / R(p)                           over the number of positives
//   slope of d(p)   sum_n A(p)/R(p)^2 g'(p, n) - sum_q B(p)/R(p)^2 g'(p, q)
//                   + sum_q B(q)/R(q)^2 g'(q, p)      the same
//   slope of d(n)  -sum_p A(p)/R(p)^2 g'(p, n)        the same
//
// Slopes lack the factor 1 / temperature, which is applied with the reduction. Every positive meets
// every column, O(K M) per anchor with K positives, and nothing of that size is stored.
//
// A dispatch takes PORTION of an anchor's positives, at most CHUNK, as terms/triplet/all_soft.wgsl
// does and for its reasons. Slopes are summed up over the portions in the coefficients.
// One workgroup per row.

// #include "terms/row.wgsl"
// #include "terms/coefficients.wgsl"
// #include "shared/scan.wgsl"

struct Parameters {
    inverse_temperature: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

const CHUNK = 512u;
const BLOCK = 256u;  // columns that are summed up on their own first
const ROUND = 8u;    // positives or columns that a round of a loop takes, written out

override PORTION: u32 = CHUNK;

// A positive of the portion.
struct Ranked {
    column: u32,
    d: f32,
    of_negatives: f32,  // A / R^2
    of_positives: f32,  // B / R^2
    slope: f32,         // of its own rank
}

var<workgroup> ranked: array<Ranked, CHUNK>;

// g and g' of two distances.
fn step(d: f32, other: f32) -> vec2<f32> {
    let x = (d - other) * parameters.inverse_temperature;
    let small = exp(-abs(x));
    let below = 1.0 / (1.0 + small);
    return vec2(select(small, 1.0, x >= 0.0) * below, small * below * below);
}

// What column j adds to the rank of a positive: g of a positive and of a negative, then g' of both.
// Without a branch, as `pull` is: SwiftShader compiles sixteen branches for minutes.
fn before(i: u32, label: u32, begin: u32, positive: Ranked, j: u32) -> vec4<f32> {
    let kind = select(relation_of(i, label, j), NO_PAIR, j == positive.column);
    let found = step(positive.d, distance_at(begin + j)).xxyy;
    let is_positive = kind == POSITIVE;
    let is_negative = kind == NEGATIVE;
    return select(
        vec4(0.0), found, vec4(is_positive, is_negative, is_positive, is_negative),
    );
}

fn four_before(i: u32, label: u32, begin: u32, positive: Ranked, j: u32) -> vec4<f32> {
    return before(i, label, begin, positive, j) + before(i, label, begin, positive, j + 1u)
        + before(i, label, begin, positive, j + 2u) + before(i, label, begin, positive, j + 3u);
}

// What all columns add to it.
fn rank(i: u32, begin: u32, positive: Ranked) -> vec4<f32> {
    let label = labels[i];
    var sum = vec4(0.0);
    var block = vec4(0.0);
    for (var j = 0u; j < stripe.stride; j += ROUND) {
        block += four_before(i, label, begin, positive, j);
        block += four_before(i, label, begin, positive, j + 4u);
        if ((j + ROUND) % BLOCK == 0u) {
            sum += block;
            block = vec4(0.0);
        }
    }
    return sum + block;
}

// What the rank of positive k pulls at column j.
fn pull(k: u32, size: u32, j: u32, kind: u32, d: f32) -> f32 {
    let weight = select(-ranked[k].of_negatives, ranked[k].of_positives, kind == POSITIVE);
    let pulled = weight * step(ranked[k].d, d).y;
    return select(pulled, 0.0, k >= size || ranked[k].column == j);
}

fn four_pulls(k: u32, size: u32, j: u32, kind: u32, d: f32) -> f32 {
    return pull(k, size, j, kind, d) + pull(k + 1u, size, j, kind, d)
        + pull(k + 2u, size, j, kind, d) + pull(k + 3u, size, j, kind, d);
}

fn pulls(size: u32, j: u32, kind: u32, d: f32) -> f32 {
    var sum = 0.0;
    var sixteen = 0.0;
    for (var k = 0u; k < size; k += ROUND) {
        sixteen += four_pulls(k, size, j, kind, d) + four_pulls(k + 4u, size, j, kind, d);
        if ((k & ROUND) != 0u) {
            sum += sixteen;
            sixteen = 0.0;
        }
    }
    return sum + sixteen;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let label = labels[i];
    let begin = row * stripe.stride;
    var pairs: Pairs;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        let kind = relation_of(i, label, j);
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
    let weight = 1.0 / f32(max(seen.x, 1u));
    let number = exclusive_scan(pairs.counts.x, invocation);

    // Positives are numbered by the invocations that own their columns, then by column.
    var next = number;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation_of(i, label, j) == POSITIVE) {
            if (next >= first && next < first + size) {
                ranked[next - first] = Ranked(j, distance_at(begin + j), 0.0, 0.0, 0.0);
            }
            next += 1u;
        }
    }
    workgroupBarrier();
    var loss = 0.0;
    for (var k = invocation.index; k < size; k += WORKGROUP) {
        let sums = rank(i, begin, ranked[k]);
        let among_positives = 1.0 + sums.x;
        let whole = among_positives + sums.y;
        let of_negatives = among_positives / whole / whole;
        let of_positives = sums.y / whole / whole;
        loss += sums.y / whole;
        ranked[k].of_negatives = of_negatives;
        ranked[k].of_positives = of_positives;
        ranked[k].slope = of_negatives * sums.w - of_positives * sums.z;
    }
    workgroupBarrier();

    next = number;
    for (var j = invocation.index; j < stripe.stride; j += WORKGROUP) {
        let kind = relation_of(i, label, j);
        var c = 0.0;
        if (kind != NO_PAIR) {
            let d = distance_at(begin + j);
            c = pulls(size, j, kind, d);
            if (kind == POSITIVE) {
                if (next >= first && next < first + size) {
                    c += ranked[next - first].slope;
                }
                next += 1u;
            }
            if (first > 0u) {
                c += coefficients[begin + j];
            }
            if (is_last) {
                c = coefficient(weight * c, d);
            }
        }
        coefficients[begin + j] = c;
    }

    let sums = workgroup_sum(vec4(weight * loss, pairs.distances, 0.0), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.yz, seen.xy);
        summary.loss = sums.x;
        if (first > 0u) {
            summary.loss += rows[i].loss;
        }
        summary.terms.x = select(0u, 1u, seen.x > 0u);
        // A sigmoid is never 0, though f32 may round it so.
        summary.nonzero.x = select(0u, 1u, seen.x > 0u && seen.y > 0u);
        rows[i] = summary;
    }
}
