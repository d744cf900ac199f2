// The symmetric cross-entropy of two towers. Every row e, and every column, has of the distances to
// its negatives n, and with its positives p,
//
//   nearest(e)  the least
//   log_sum(e)  log sum_n exp(scale (nearest(e) - d(e, n)))
//   over(e, d)  scale (d - nearest(e)) + log_sum(e)
//   weight(e)   sum_p sigmoid(over(e, d(e, p)))
//   behind(e)   the mean of nearest(e) - d(e, n) by their exponentials
//
// No exponential is above exp(0), so that nothing overflows. A positive pair (i, p) has a term of
// each of its ends e, and slopes are the sum of those of both ends:
//
//   term              log(1 + exp(over(e, d(i, p))))
//   slope of d(i, p)  scale sigmoid(over(e, d(i, p)))
//   slope of d(i, n) -scale weight(e) exp(-over(e, d(i, n)))
//   slope of scale    sigmoid(over(e, d(i, p))) (d(i, p) - nearest(e) + behind(e))
//
// Where rows have weights, the terms of (i, p) and their slopes are times that of i, and so is every
// summand of weight(e).
//
// With thresholds only the terms within count: the others have no slopes, and no share of weight(e).
// An end without negatives has no slopes, and terms of 0. The slopes of distances lack the factor
// of the description's scale, which is applied with the reduction: it is the scale, unless the
// caller gives another.
//
//   row_statistics  N and M, each padded to whole vec4s: rows, then columns
//
// `column_statistics` runs on the matrix with the columns as rows, before the others.
// One workgroup per row; the statistics read its distances three times, `main` reads them once and
// writes its coefficients once.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "terms/weights.wgsl"
// #include "shared/reduce_extremes.wgsl"
// #include "shared/exponential.wgsl"
// #include "terms/thresholds.wgsl"

struct Parameters {
    scale: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

// In the place of the bits of log_sum, which is not below 0, where an end has no negatives.
const NO_NEGATIVES = 0xffffffffu;

fn nearest_negative(row: u32, invocation: Invocation) -> Extreme {
    let i = stripe.begin + row;
    let label = labels[i];
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let d = distances_of(row, quad, kinds);
        seen.nearest = nearest_of(seen.nearest, kinds == vec4(NEGATIVE), d, 4u * quad);
    }
    return workgroup_extremes(seen, invocation).nearest;
}

// The sum of exp(scale (nearest - d)) over the negatives, and of that times nearest - d.
fn sums_of_negatives(row: u32, nearest: f32, invocation: Invocation) -> vec2<f32> {
    let i = stripe.begin + row;
    let label = labels[i];
    let scale = learned[0];
    var sum = 0.0;
    var behind = 0.0;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let leads = min(vec4(nearest) - distances_of(row, quad, kinds), vec4(0.0));
        let parts = select(vec4(0.0), exp(scale * leads), kinds == vec4(NEGATIVE));
        sum += sum_of(parts);
        behind += dot(parts, leads);
    }
    return workgroup_sum(vec4(sum, behind, 0.0, 0.0), invocation).xy;
}

fn over(end: Statistic, scale: f32, d: f32) -> f32 {
    return scale * (d - end.value) + bitcast<f32>(end.number);
}

// Whether the term of a positive is left out, by how far it is above the negatives.
fn is_left_out(above: f32) -> bool {
    return parameters.given != 0u && !is_within(softplus(above));
}

// The sum of the sigmoids of the positives. Weights are those of queries, which are the rows, or
// the columns.
fn weight_of_row(row: u32, end: Statistic, of_columns: bool, invocation: Invocation) -> f32 {
    let i = stripe.begin + row;
    let label = labels[i];
    let scale = learned[0];
    var weight = 0.0;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation_of(i, label, j) == POSITIVE) {
            let above = over(end, scale, distance_at(row * stripe.stride + j));
            if (!is_left_out(above)) {
                weight += weighed(select(i, j, of_columns), sigmoid(above));
            }
        }
    }
    return workgroup_sum(vec4(weight, 0.0, 0.0, 0.0), invocation).x;
}

// nearest, the bits of log_sum, weight and behind.
fn statistic_of(row: u32, of_columns: bool, invocation: Invocation) -> Statistic {
    let nearest = nearest_negative(row, invocation);
    let sums = sums_of_negatives(row, nearest.value, invocation);
    let parts = max(sums.x, 1.0);
    let end = Statistic(nearest.value, bitcast<u32>(max(log(parts), 0.0)), 0.0, sums.y / parts);
    let weight = weight_of_row(row, end, of_columns, invocation);
    if (nearest.column == NOWHERE) {
        return Statistic(0.0, NO_NEGATIVES, 0.0, 0.0);
    }
    return Statistic(end.value, end.number, weight, end.rest);
}

@compute @workgroup_size(WORKGROUP)
fn column_statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let end = statistic_of(row, true, invocation);
    if (invocation.index == 0u) {
        // Behind those of the rows, which are the columns here.
        row_statistics[stripe.stride + stripe.begin + row] = end;
    }
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let end = statistic_of(row, false, invocation);
    if (invocation.index == 0u) {
        row_statistics[stripe.begin + row] = end;
    }
}

fn end_of_column(j: u32) -> Statistic {
    return row_statistics[arrayLength(&row_statistics) - stripe.stride + j];
}

// What an end makes of a pair of row i.
struct Share {
    term: f32,
    slope: f32,
    slope_of_scale: f32,
    nonzero: u32,
}

fn share_of(end: Statistic, i: u32, scale: f32, kind: u32, d: f32) -> Share {
    if (kind == NO_PAIR || end.number == NO_NEGATIVES) {
        let is_counted = kind == POSITIVE && parameters.given != 0u && is_within(0.0);
        return Share(0.0, 0.0, 0.0, select(0u, 1u, is_counted));
    }
    let above = over(end, scale, d);
    if (kind == NEGATIVE) {
        // No negative is nearer than the nearest, but by its rounding.
        return Share(0.0, -end.weight * exp(-max(above, 0.0)), 0.0, 0u);
    }
    if (is_left_out(above)) {
        return Share(0.0, 0.0, 0.0, 0u);
    }
    let slope = weighed(i, sigmoid(above));
    return Share(weighed(i, softplus(above)), slope, slope * (d - end.value + end.rest), 1u);
}

fn share_of_both(i: u32, j: u32, own: Statistic, scale: f32, kind: u32, d: f32) -> Share {
    let first = share_of(own, i, scale, kind, d);
    let second = share_of(end_of_column(j), i, scale, kind, d);
    return Share(
        first.term + second.term,
        first.slope + second.slope,
        first.slope_of_scale + second.slope_of_scale,
        first.nonzero + second.nonzero,
    );
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let label = labels[i];
    let own = row_statistics[i];
    let scale = learned[0];
    let weight = scale / parameters.scale;
    var pairs: Pairs;
    var loss = 0.0;
    var of_scale = 0.0;
    var nonzero = 0u;
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        let columns = columns_of(quad);
        let x = share_of_both(i, columns.x, own, scale, kinds.x, d.x);
        let y = share_of_both(i, columns.y, own, scale, kinds.y, d.y);
        let z = share_of_both(i, columns.z, own, scale, kinds.z, d.z);
        let w = share_of_both(i, columns.w, own, scale, kinds.w, d.w);
        loss += (x.term + y.term) + (z.term + w.term);
        of_scale += (x.slope_of_scale + y.slope_of_scale) + (z.slope_of_scale + w.slope_of_scale);
        nonzero += x.nonzero + y.nonzero + z.nonzero + w.nonzero;
        let slopes = weight * vec4(x.slope, y.slope, z.slope, w.slope);
        coefficients[row * quads() + quad] = coefficients_from(slopes, d);
    }
    let sums = workgroup_sum(vec4(loss, of_scale, pairs.distances), invocation);
    let counts = workgroup_count(vec4(pairs.counts, nonzero, 0u), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.zw, counts.xy);
        summary.loss = sums.x;
        summary.learned_slopes.x = sums.y;
        summary.terms.x = 2u * counts.x;
        // A softplus is never 0, though f32 may round it so.
        summary.nonzero.x = counts.z;
        rows[i] = summary;
    }
}
