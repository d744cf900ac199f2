// Proxy-anchor loss. With the similarity s = 1 - d of the cosine distance, and s = -d of another,
// every class c has
//
//   positive term  log(1 + sum_i exp(alpha (margin - s(i, c))))    over its own samples i
//   negative term  log(1 + sum_i exp(alpha (margin + s(i, c))))    over all others
//
// Of each it is the largest exponent, at the farthest own sample and at the nearest other one,
// that is taken out of the sum first: no summand is above exp(0), so that nothing overflows. With
// `weight` the slope of the term by its log-sum-exp over the sum,
//
//   slope of d(i, c)   alpha weight exp(alpha (d(i, c) - farthest))    of a sample of the class
//                     -alpha weight exp(alpha (nearest - d(i, c)))     of another
//
// without the factor alpha, which is applied with the reduction.
//
// With thresholds only the terms within count: the others are 0, and so is their weight.
//
//   rows            M: the terms of every class
//   row_statistics  N and M, each padded to whole vec4s: nothing of rows, then of every class the
//                   farthest, the bits of the nearest, and both weights
//
// `column_statistics` runs on the matrix with the classes as rows, before `main`. Where the mean
// is split, the positive and the negative terms have means of their own, of which the totals that
// come before `main` have the weights.
// One workgroup per row; the statistics read its distances twice, `main` reads them once and writes
// its coefficients once.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"
// #include "terms/thresholds.wgsl"

struct Parameters {
    alpha: f32,
    margin: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override SPLIT_MEAN: u32 = 0u;

// The farthest of a class's own samples and the nearest of the others.
fn extremes_of(row: u32, invocation: Invocation, pairs: ptr<function, Pairs>) -> Extremes {
    let which = stripe.begin + row;
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(which, which, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(pairs, kinds, d);
        seen.farthest = farthest_of(seen.farthest, kinds == vec4(POSITIVE), d, 4u * quad);
        seen.nearest = nearest_of(seen.nearest, kinds == vec4(NEGATIVE), d, 4u * quad);
    }
    return workgroup_extremes(seen, invocation);
}

// exp(alpha height) by how much pairs are below the extreme.
fn exponentials(below: vec4<f32>) -> vec4<f32> {
    return exp(parameters.alpha * min(below, vec4(0.0)));
}

// Whether the positive and the negative term of a class are within thresholds; all are without.
fn are_in(terms: vec2<f32>) -> vec2<bool> {
    return are_within(vec4(terms, 0.0, 0.0)).xy;
}

@compute @workgroup_size(WORKGROUP)
fn column_statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let which = stripe.begin + row;
    var pairs: Pairs;
    let extremes = extremes_of(row, invocation, &pairs);
    let ends = vec2(extremes.farthest.value, extremes.nearest.value);
    var sums = vec2(0.0);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(which, which, quad);
        let d = distances_of(row, quad, kinds);
        let own = select(vec4(0.0), exponentials(d - ends.x), kinds == vec4(POSITIVE));
        let others = select(vec4(0.0), exponentials(ends.y - d), kinds == vec4(NEGATIVE));
        sums += vec2(sum_of(own), sum_of(others));
    }
    let all = workgroup_sum(vec4(sums, pairs.distances), invocation);
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation).xy;
    if (invocation.index == 0u) {
        let parts = max(all.xy, vec2(1.0));
        let has = counts > vec2(0u);
        // 1 - s is the distance of cosines, else -s.
        let shift = select(0.0, 1.0, DISTANCE == COSINE);
        let heights = vec2(ends.x - shift, shift - ends.y) + parameters.margin;
        let over = parameters.alpha * (heights + log(parts) / parameters.alpha);
        let terms = select(vec2(0.0), vec2(softplus(over.x), softplus(over.y)), has);
        let is_in = are_in(terms);
        let losses = select(vec2(0.0), terms, is_in);
        let slopes = select(vec2(0.0), vec2(sigmoid(over.x), sigmoid(over.y)), has & is_in);
        let weights = slopes / parts;
        // Behind those of the samples, which are the columns here.
        row_statistics[stripe.stride + which] =
            Statistic(ends.x, bitcast<u32>(ends.y), weights.x, weights.y);
        var summary = row_of_pairs(all.zw, counts);
        summary.loss = losses.x;
        summary.negative_loss = losses.y;
        // A softplus is never 0, though f32 may round it so. A class has a negative term even if it is
        // 0, which may be within thresholds.
        let is_counted = is_in & vec2(has.x, has.y || parameters.given != 0u);
        summary.nonzero_positives = select(0u, 1u, is_counted.x);
        summary.nonzero_negatives = select(0u, 1u, is_counted.y);
        summary.terms.x = 1u + select(0u, 1u, has.x);
        summary.nonzero.x = summary.nonzero_positives + summary.nonzero_negatives;
        rows[which] = summary;
    }
}

// The slopes of the distances to a class, if the sample is of it and if not.
fn slopes_by_class(which: u32, d: f32, weights: vec2<f32>) -> vec2<f32> {
    let end = row_statistics[arrayLength(&row_statistics) - stripe.stride + which];
    let below = vec4(d - end.value, bitcast<f32>(end.number) - d, 0.0, 0.0);
    return weights * vec2(end.weight, -end.rest) * exponentials(below).xy;
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let own_class = labels[stripe.begin + row];
    var weights = vec2(1.0);
    if (SPLIT_MEAN == 1u) {
        weights = vec2(totals.positive_weight, totals.negative_weight);
    }
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let classes = columns_of(quad);
        let is_class = classes < vec4(sizes.references);
        let d = select(vec4(0.0), distances[row * quads() + quad], is_class);
        let x = slopes_by_class(classes.x, d.x, weights);
        let y = slopes_by_class(classes.y, d.y, weights);
        let z = slopes_by_class(classes.z, d.z, weights);
        let w = slopes_by_class(classes.w, d.w, weights);
        let own = vec4(x.x, y.x, z.x, w.x);
        let others = vec4(x.y, y.y, z.y, w.y);
        let slopes = select(others, own, classes == vec4(own_class));
        coefficients[row * quads() + quad] =
            coefficients_from(select(vec4(0.0), slopes, is_class), d);
    }
}
