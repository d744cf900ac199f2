// Lifted structured loss. `statistics` gives every row i what its negatives k sum up to:
//
//   smooth  l(i) = log sum_k exp(margin - d(i, k))
//   EXACT   l(i) = max_k (margin - d(i, k)), at the lowest such k
//
// `main` then has, per positive pair (i, j), with h = max(0, J(i, j)):
//
//   smooth  J = log(exp(l(i)) + exp(l(j))) + d(i, j)   s = sigmoid(l(i) - l(j))
//   EXACT   J = max(l(i), l(j)) + d(i, j)              s = 1 where l(i) is the maximum, of equals
//                                                          where i < j, else 0
//
//   term  h^2 / 2 of the unordered pair
//   slope of d(i, j)   h, half of it for each order
//   slope of d(i, k)  -W(i) exp(margin - d(i, k) - l(i)),  EXACT  -W(i) at the one k
//
// where s is the share of side i, and W(i) = sum_j h(i, j) s(i, j). With thresholds h is 0 where the
// term is not within. Where anchors have weights, the
// term of a pair, and every h in a slope, is times the mean of both ends'.
//
// Rows of one class have their negatives in common: both ends of a pair have negatives, or neither.
// Where ranks share a batch, the rows are those of some of its classes, from column `stripe.own` on:
// as in a batch, whose rows are all columns, a positive is a row.
// One workgroup per row; `statistics` reads its distances twice, `main` twice, and writes its
// coefficients once.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "terms/weights.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"
// #include "terms/thresholds.wgsl"

struct Parameters {
    margin: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override EXACT: u32 = 0u;

fn nearest_negative(row: u32, invocation: Invocation) -> Extreme {
    let i = stripe.begin + row;
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        seen.nearest = nearest_of(
            seen.nearest, kinds == vec4(NEGATIVE), distances_of(row, quad, kinds), 4u * quad,
        );
    }
    return workgroup_extremes(seen, invocation).nearest;
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let nearest = nearest_negative(row, invocation);
    var above = 0.0;
    if (EXACT == 0u) {
        // The largest summand is exp(0): nothing overflows.
        var sum = 0.0;
        for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
            let kinds = relations(i, quad);
            let exponentials = exp(nearest.value - distances_of(row, quad, kinds));
            sum += sum_of(select(vec4(0.0), exponentials, kinds == vec4(NEGATIVE)));
        }
        above = log(max(workgroup_sum(vec4(sum, 0.0, 0.0, 0.0), invocation).x, 1.0));
    }
    if (invocation.index == 0u) {
        row_statistics[i] = Statistic(
            parameters.margin - nearest.value + above, nearest.column, 0.0, 0.0,
        );
    }
}

// How much of the pair's slope goes to the negatives of i.
fn share(i: u32, j: u32, own: f32, other: f32) -> f32 {
    if (EXACT == 1u) {
        return select(0.0, 1.0, own > other || (own == other && i < j));
    }
    return sigmoid(own - other);
}

// A number of the pair (i, j).
fn weighed_pair(i: u32, j: u32, number: f32) -> f32 {
    if (WEIGHTED == 1u) {
        return 0.5 * (weight_of(i) + weight_of(j)) * number;
    }
    return number;
}

// Whether the term of a pair is within thresholds, where there are any.
fn is_in(h: f32) -> bool {
    return is_within(0.5 * h * h);
}

// What an invocation has seen of its row's positives.
struct Positives {
    loss: f32,
    weight: f32,           // what their slopes give to the row's negatives
    unordered: vec2<u32>,  // terms, those that are not 0 or, with thresholds, within
}

// The slope of a pair of rows, 0 where it is no positive.
fn see_positive(
    positives: ptr<function, Positives>, i: u32, j: u32, own: Statistic, kind: u32, d: f32,
) -> f32 {
    if (kind != POSITIVE) {
        return 0.0;
    }
    let other = row_statistics[j].value;
    var reach = max(own.value, other);
    if (EXACT == 0u) {
        reach = log_add(own.value, other);
    }
    var h = select(0.0, max(0.0, reach + d), own.number != NOWHERE);
    var counts = h > 0.0;
    if (parameters.given != 0u) {
        counts = is_in(h);
        h = select(0.0, h, counts);
    }
    let slope = weighed_pair(i, j, h);
    (*positives).weight += slope * share(i, j, own.value, other);
    if (i < j) {
        (*positives).loss += 0.5 * h * slope;
        (*positives).unordered += vec2(1u, select(0u, 1u, counts));
    }
    return 0.5 * slope;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let own = row_statistics[i];
    var pairs: Pairs;
    var positives = Positives(0.0, 0.0, vec2(0u));
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        var slopes = vec4(0.0);
        if (any(kinds == vec4(POSITIVE))) {
            let j = columns_of(quad) - stripe.own;
            slopes.x = see_positive(&positives, i, j.x, own, kinds.x, d.x);
            slopes.y = see_positive(&positives, i, j.y, own, kinds.y, d.y);
            slopes.z = see_positive(&positives, i, j.z, own, kinds.z, d.z);
            slopes.w = see_positive(&positives, i, j.w, own, kinds.w, d.w);
        }
        coefficients[row * quads() + quad] = coefficients_from(slopes, d);
    }
    let sums =
        workgroup_sum(vec4(positives.loss, positives.weight, pairs.distances), invocation);
    let counts = workgroup_count(vec4(pairs.counts, positives.unordered), invocation);
    // Each invocation goes over what it has written itself.
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let at = row * quads() + quad;
        let d = distances_of(row, quad, kinds);
        var slopes = select(vec4(0.0), vec4(-sums.y), columns_of(quad) == vec4(own.number));
        if (EXACT == 0u) {
            slopes = -sums.y * exp(parameters.margin - d - own.value);
        }
        coefficients[at] = select(
            coefficients[at], coefficients_from(slopes, d), kinds == vec4(NEGATIVE),
        );
    }
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.zw, counts.xy);
        summary.loss = sums.x;
        summary.terms.x = counts.z;
        summary.nonzero.x = counts.w;
        rows[i] = summary;
    }
}
