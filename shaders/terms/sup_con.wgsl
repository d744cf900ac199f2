// Supervised contrastive loss. With L(i) = log sum_j exp(l(i, j)) over all pairs of i, per anchor i
// with positives P(i):
//
//   term  mean over p in P(i) of L(i) - l(i, p)
//   slope of d(i, j)   1/|P(i)| - exp(l(i, j) - L(i))   for positives j
//                      -exp(l(i, j) - L(i))             for negatives j
//
// Both slopes lack the factor 1 / temperature, which is applied with the reduction.
// Without positives all of them are 0. The coefficients are made of these in terms/softmax.wgsl.
// `statistics` reads the distances of its row three times.

// #include "terms/softmax.wgsl"

fn is_summand(kind: u32) -> bool {
    return kind != NO_PAIR;
}

// `end.weight` is 1/|P(i)|, 0 without positives.
fn slope(end: Statistic, kind: u32, d: f32) -> f32 {
    let own = select(0.0, end.weight, kind == POSITIVE);
    return select(own - exp(-lead(end.value, d)), 0.0, end.weight == 0.0);
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
    let label = labels[i];
    var sum_of_leads = 0.0;
    for (var j = invocation.index; j < sizes.references; j += WORKGROUP) {
        if (relation_of(i, label, j) == POSITIVE) {
            sum_of_leads += lead(level, distance_at(row * stripe.stride + j));
        }
    }
    let sums = workgroup_sum(vec4(sum_of_leads, 0.0, pairs.distances), invocation);
    let counts = workgroup_count(vec4(pairs.counts, 0u, 0u), invocation);
    if (invocation.index == 0u) {
        let has_positives = counts.x > 0u;
        let weight = select(1.0 / f32(counts.x), 0.0, !has_positives);
        row_statistics[i] = Statistic(level, 0u, weight);
        // A sum of more than one exponential is greater than each, though f32 may round it to the
        // largest.
        let is_nonzero = has_positives && counts.x + counts.y > 1u;
        var summary = row_of_pairs(sums.zw, counts.xy);
        summary.loss = sums.x * weight;
        summary.terms.x = select(0u, 1u, has_positives);
        summary.nonzero.x = select(0u, 1u, is_nonzero);
        rows[i] = summary;
    }
}
