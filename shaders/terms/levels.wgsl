// What the losses share that see the positive and the negative pairs of an anchor by one
// log-sum-exp each. A pair has a height h by its distance, and its kind a rate r; of either kind
// every row i has
//
//   top   the largest height
//   sum   sum_j exp(r (h(i, j) - top))    over its pairs j of the kind that are taken
//
// No summand is above exp(0), so that nothing overflows; the log-sum-exp of the r h is
// r top + log(sum). Of both kinds the loss makes its term, and a weight for each kind, which its
// pairs share:
//
//   slope of d(i, j)    weight / sum * exp(r (h(i, j) - top)) * pace(i, j)    of positives j
//                      -weight / sum * exp(r (h(i, j) - top)) * pace(i, j)    of negatives j
//
// Slopes lack the factor that is applied with the reduction. The coefficients are made of them in
// terms/ends.wgsl. `statistics` reads the distances of its row twice. What both kinds have is a
// vec2 here, first that of positives, then that of negatives.
//
// The file that includes it adds
//
//   fn rates() -> vec2<f32>
//   fn heights(is_positive: vec4<bool>, d: vec4<f32>) -> vec4<f32>
//   fn are_taken(is_positive: vec4<bool>, d: vec4<f32>, tops: vec2<f32>) -> vec4<bool>
//                                               whether pairs are in the sums
//   fn pace(is_positive: bool, d: f32) -> f32   a factor of the pair's own
//   fn term_of(levels: Levels) -> Term

// #include "terms/ends.wgsl"

// What a row has of its positive and of its negative pairs. Where there are none of a kind, its top
// is 0; where none is taken, its sum is 1.
struct Levels {
    tops: vec2<f32>,
    sums: vec2<f32>,
    counts: vec2<u32>,
}

struct Term {
    loss: f32,
    weights: vec2<f32>,
    exists: bool,
    is_nonzero: bool,
}

// The exponentials of pairs over the largest of their kind; 0 where pairs are not taken.
fn exponentials_of(is_positive: vec4<bool>, d: vec4<f32>, tops: vec2<f32>) -> vec4<f32> {
    let behind = heights(is_positive, d) - select(vec4(tops.y), vec4(tops.x), is_positive);
    let exponents = select(vec4(rates().y), vec4(rates().x), is_positive) * behind;
    return select(vec4(0.0), exp(min(exponents, vec4(0.0))), are_taken(is_positive, d, tops));
}

// The tops of a row. Reads the distances once, and sees every pair.
fn tops_of_row(row: u32, invocation: Invocation, pairs: ptr<function, Pairs>) -> vec2<f32> {
    let i = stripe.begin + row;
    let label = labels[i];
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let is_positive = kinds == vec4(POSITIVE);
        let d = distances_of(row, quad, kinds);
        see_pairs(pairs, kinds, d);
        let h = heights(is_positive, d);
        seen.farthest = farthest_of(seen.farthest, is_positive, h, 4u * quad);
        seen.nearest = nearest_of(seen.nearest, kinds == vec4(NEGATIVE), -h, 4u * quad);
    }
    let extremes = workgroup_extremes(seen, invocation);
    return vec2(extremes.farthest.value, -extremes.nearest.value);
}

// What the pairs of a row that an invocation sees have of its sums.
fn sums_seen(row: u32, tops: vec2<f32>, invocation: Invocation) -> vec2<f32> {
    let i = stripe.begin + row;
    let label = labels[i];
    var sums = vec2(0.0);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let is_positive = kinds == vec4(POSITIVE);
        let exponentials = exponentials_of(is_positive, distances_of(row, quad, kinds), tops);
        sums += vec2(
            sum_of(select(vec4(0.0), exponentials, is_positive)),
            sum_of(select(vec4(0.0), exponentials, kinds == vec4(NEGATIVE))),
        );
    }
    return sums;
}

// The statistic has the tops and what weights and sums come to; the second top as its bits.
fn slope(end: Statistic, kind: u32, d: f32) -> f32 {
    let is_positive = kind == POSITIVE;
    let tops = vec2(end.value, bitcast<f32>(end.number));
    let exponential = exponentials_of(vec4(is_positive), vec4(d), tops).x;
    return select(-end.rest, end.weight, is_positive) * exponential * pace(is_positive, d);
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var pairs: Pairs;
    let tops = tops_of_row(row, invocation, &pairs);
    let seen = vec4(sums_seen(row, tops, invocation), pairs.distances);
    let sums = workgroup_sum(seen, invocation);
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation).xy;
    if (invocation.index == 0u) {
        let levels = Levels(tops, max(sums.xy, vec2(1.0)), counts);
        let term = term_of(levels);
        let weights = term.weights / levels.sums;
        row_statistics[i] = Statistic(tops.x, bitcast<u32>(tops.y), weights.x, weights.y);
        var summary = row_of_pairs(sums.zw, counts);
        summary.loss = term.loss;
        summary.terms.x = select(0u, 1u, term.exists);
        summary.nonzero.x = select(0u, 1u, term.is_nonzero);
        rows[i] = summary;
    }
}
