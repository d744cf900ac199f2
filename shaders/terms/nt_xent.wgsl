// NT-Xent loss. With L(i) = log sum_n exp(l(i, n)) over the negatives n of i, per ordered positive
// pair (i, p):
//
//   term  log(1 + exp(L(i) - l(i, p)))
//   slope of d(i, p)   sigmoid(L(i) - l(i, p))
//   slope of d(i, n)  -W(i) exp(l(i, n) - L(i));   W(i) = sum_p sigmoid(L(i) - l(i, p))
//
// Both slopes lack the factor 1 / temperature, which is applied with the reduction.
// Without negatives all of them are 0. With thresholds only the terms within count: the slopes of
// the other positives are 0, and W(i) is without them. The coefficients are made of these in
// terms/ends.wgsl.
// `statistics` reads the distances of its row three times.

// #include "terms/softmax.wgsl"
// #include "terms/thresholds.wgsl"

struct Parameters {
    temperature: f32,
    inverse_temperature: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

// Whether the term of a positive is left out, by its lead.
fn is_left_out(over: f32) -> bool {
    return parameters.given != 0u && !is_within(softplus(over));
}

fn is_summand(kind: u32) -> bool {
    return kind == NEGATIVE;
}

// `end.weight` is W(i): 0 without positives, and without negatives.
fn slope(end: Statistic, kind: u32, d: f32) -> f32 {
    // The log-sum-exp is above all of its logits: for negatives the lead is not below 0 but by its
    // rounding.
    let over = lead(end.value, d);
    if (kind == POSITIVE && is_left_out(over)) {
        return 0.0;
    }
    let small = exp(-abs(over));
    let positive = select(small, 1.0, over >= 0.0) / (1.0 + small);
    return select(select(-end.weight * small, positive, kind == POSITIVE), 0.0, end.weight == 0.0);
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var pairs: Pairs;
    let level = level_of_row(row, invocation, &pairs);
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation);
    let has_negatives = counts.y > 0u;
    let label = labels[i];
    var loss = 0.0;
    var weight = 0.0;
    var within = 0u;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (has_negatives && relation_of(i, label, j) == POSITIVE) {
            let over = lead(level, distance_at(row * stripe.stride + j));
            if (!is_left_out(over)) {
                loss += softplus(over);
                weight += sigmoid(over);
                within += 1u;
            }
        }
    }
    let sums = workgroup_sum(vec4(loss, weight, pairs.distances), invocation);
    if (parameters.given != 0u) {
        within = workgroup_count(vec4(within, 0u, 0u, 0u), invocation).x;
    }
    if (invocation.index == 0u) {
        row_statistics[i] = Statistic(level, 0u, sums.y, 0.0);
        var summary = row_of_pairs(sums.zw, counts.xy);
        summary.loss = sums.x;
        summary.terms.x = counts.x;
        // A softplus is never 0, though f32 may round it so.
        summary.nonzero.x = select(0u, counts.x, has_negatives);
        if (parameters.given != 0u) {
            // Without negatives the terms are 0.
            summary.nonzero.x = select(select(0u, counts.x, is_within(0.0)), within, has_negatives);
        }
        rows[i] = summary;
    }
}
