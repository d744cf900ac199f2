// Batch-hard triplets: per anchor with a positive and a negative, the farthest positive and the nearest negative. The term
// is in shared/triplet.wgsl. One workgroup per row; one read of its distances, one write of its coefficients.

// #include "shared/row.wgsl"
// #include "shared/extremes.wgsl"
// #include "shared/exponential.wgsl"
// #include "shared/triplet.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) local: u32,
) {
    let row = stripe_row(group, groups);
    if (row >= stripe.rows) {
        return;
    }
    let i = stripe.begin + row;
    let begin = row * stripe.stride;
    var pairs: Pairs;
    var seen = Extremes(NO_EXTREME, NO_EXTREME);
    for (var j = local; j < stripe.stride; j += WORKGROUP) {
        let kind = relation(i, j);
        if (kind != NO_PAIR) {
            let d = distances[begin + j];
            see_pair(&pairs, kind, d);
            if (kind == POSITIVE) {
                seen.farthest = farther(seen.farthest, Extreme(d, j));
            } else {
                seen.nearest = nearer(seen.nearest, Extreme(d, j));
            }
        }
        coefficients[begin + j] = 0.0;
    }
    let sums = workgroup_sum(vec4(pairs.positive_distance, pairs.negative_distance, 0.0, 0.0), local);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, 0u, 0u), local);
    let hardest = workgroup_extremes(seen, local);
    if (local == 0u) {
        let positive = hardest.farthest;
        let negative = hardest.nearest;
        var loss = 0.0;
        var terms = 0u;
        var nonzero = 0u;
        if (positive.column != NOWHERE && negative.column != NOWHERE) {
            terms = 1u;
            loss = triplet_term(positive.value, negative.value);
            nonzero = triplet_nonzero(loss);
            let slope = triplet_slope(positive.value, negative.value);
            coefficients[begin + positive.column] = coefficient(slope, positive.value);
            coefficients[begin + negative.column] = coefficient(-slope, negative.value);
        }
        rows[i] = Row(
            loss, 0.0, sums.x, sums.y, counts.x, counts.y, 0u, 0u,
            vec2(terms, 0u), vec2(nonzero, 0u), 0.0, 0u,
        );
    }
}
