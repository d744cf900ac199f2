// Supervised contrastive loss. With L(i) = log sum_j exp(l(i, j)) over all pairs of i, per anchor i with positives P(i):
//
//   term  mean over p in P(i) of L(i) - l(i, p)
//   slope of d(i, j)   1/|P(i)| - exp(l(i, j) - L(i))   for positives j
//                      -exp(l(i, j) - L(i))             for negatives j
//
// Both slopes lack the factor 1 / temperature, which is applied with the reduction.
// Without positives all of them are 0. The coefficients are made of these in shared/softmax.wgsl.
//
// Where a row is confident, both are differences of what is nearly equal. With the nearest pair m and e(j) = exp(l(i, j) - l(i, m)),
// summed up to p over the positives and to n over the negatives, they keep their digits as
//
//   term  mean over p in P(i) of l(i, m) - l(i, p), and log(1 + sum of e(j) over all j but m)
//   slope of a positive   (p - |P(i)| e(j) + n) / (|P(i)| (p + n))        of a negative   -e(j) / (p + n)
//
// `statistics` reads the distances of its row twice.

// #include "shared/softmax.wgsl"

fn is_summand(kind: u32) -> bool {
    return kind != NO_PAIR;
}

// `end.value` is the distance of m, `end.number` |P(i)|, `end.weight` p and `end.rest` n.
fn slope(end: Statistic, kind: u32, d: f32) -> f32 {
    if (end.number == 0u) {
        return 0.0;
    }
    let exponential = exp(-lead(end.value, d));
    let sum = end.weight + end.rest;
    if (kind == NEGATIVE) {
        return -exponential / sum;
    }
    let positives = f32(end.number);
    return ((end.weight - positives * exponential) + end.rest) / (positives * sum);
}

@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    var pairs: Pairs;
    let nearest = nearest_summand(row, group, &pairs);
    let label = labels[i];
    var exponentials = vec3(0.0);  // of positives, of negatives, of all but the nearest
    var below = 0.0;
    for (var quad = group.local; quad < quads(); quad += WORKGROUP) {
        let kinds = relations_of(i, label, quad);
        let is_positive = kinds == vec4(POSITIVE);
        let is_other = are_summands(kinds) & (columns_of(quad) != vec4(nearest.column));
        let behind = leads(nearest.value, distances_of(row, quad, kinds));
        let all = exp(-behind);
        exponentials += vec3(
            sum_of(select(vec4(0.0), all, is_positive)),
            sum_of(select(vec4(0.0), all, kinds == vec4(NEGATIVE))),
            sum_of(select(vec4(0.0), all, is_other)),
        );
        below += sum_of(select(vec4(0.0), behind, is_positive));
    }
    let sums = workgroup_sum(vec4(exponentials, below), group);
    let distance_sums = workgroup_sum(vec4(pairs.positive_distance, pairs.negative_distance, 0.0, 0.0), group).xy;
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, 0u, 0u), group);
    if (group.local == 0u) {
        let has_positives = counts.x > 0u;
        row_statistics[i] = Statistic(nearest.value, counts.x, sums.x, sums.y);
        let log_sum = select(log(1.0 + sums.z), log_one_plus(sums.z), sums.z <= 1.0);
        let loss = select(0.0, sums.w / f32(counts.x) + log_sum, has_positives);
        // A sum of more than one exponential is greater than each, though f32 may round it to the largest.
        let is_nonzero = has_positives && counts.x + counts.y > 1u;
        rows[i] = Row(
            loss, 0.0, distance_sums.x, distance_sums.y, counts.x, counts.y, 0u, 0u,
            vec2(select(0u, 1u, has_positives), 0u), vec2(select(0u, 1u, is_nonzero), 0u), 0.0, 0u,
        );
    }
}
