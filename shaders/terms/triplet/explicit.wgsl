// Listed triplets. Triplet t is the pairs 2t and 2t + 1 of the list: anchor with positive, anchor
// with negative. The term is in terms/triplet/term.wgsl.
// One workgroup per row of the list; one read of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficients.wgsl"
// #include "shared/exponential.wgsl"
// #include "terms/triplet/term.wgsl"

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    var pairs: Pairs;
    var loss = 0.0;
    var nonzero = 0u;
    for (var j = 2u * invocation.index; j < stripe.stride; j += 2u * WORKGROUP) {
        let at = row * stripe.stride + j;
        if (relation(row, j) == NO_PAIR) {
            continue;
        }
        let positive = distance_at(at);
        let negative = distance_at(at + 1u);
        see_pair(&pairs, POSITIVE, positive);
        see_pair(&pairs, NEGATIVE, negative);
        let weight = weight_of_entry(at / 2u);
        loss += weight * triplet_term(positive, negative);
        nonzero += triplet_nonzero(positive, negative);
        let slope = weight * triplet_slope(positive, negative);
        coefficients[at] = coefficient(slope, positive);
        coefficients[at + 1u] = coefficient(-slope, negative);
    }
    let sums = workgroup_sum(vec4(loss, pairs.distances, 0.0), invocation);
    let counts = workgroup_count(vec4(pairs.counts, nonzero, 0u), invocation);
    if (invocation.index == 0u) {
        var summary = row_of_pairs(sums.yz, counts.xy);
        summary.loss = sums.x;
        summary.terms.x = counts.x;
        summary.nonzero.x = counts.z;
        rows[row] = summary;
    }
}
