// A loss whose terms are single pairs, each of a hinge of its distance, which is 0 where the pair
// is as it should be.
//
// The file that includes it adds
//
//   fn positive_hinges(d: vec4<f32>) -> vec4<f32>   how much too far positives are, or 0
//   fn negative_hinges(d: vec4<f32>) -> vec4<f32>   how much too near negatives are, or 0
//   fn terms_of(hinges: vec4<f32>) -> vec4<f32>
//   fn are_counted(hinges: vec4<f32>) -> vec4<bool>   whether their terms are greater than 0, or
//                                                     within thresholds
//   fn slopes_of(positive: vec4<f32>, negative: vec4<f32>, weights: vec2<f32>) -> vec4<f32>
//                                                   d term / d distance from the hinges of pairs
//                                                   as positive and as negative ones, of which
//                                                   one at least is 0, times the weight of its kind
//   struct Parameters { given: u32 }                which thresholds there are; has more members
//   var<uniform> parameters: Parameters
//
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"

// Of a list; 1 in a matrix, whose anchors have them.
fn weights_of_pairs(i: u32, quad: u32) -> vec4<f32> {
    if (sizes.pairs == 0u) {
        return vec4(1.0);
    }
    let entries = i * stripe.stride + columns_of(quad);
    return vec4(
        weight_of_entry(entries.x),
        weight_of_entry(entries.y),
        weight_of_entry(entries.z),
        weight_of_entry(entries.w),
    );
}

// Whether the slopes of the terms are not those of the numbers that are counted.
fn has_slopes_of_its_own() -> bool {
    return are_entries_weighted() || parameters.given != 0u;
}

// Writes the coefficients of a row, those of its positive and of its negative pairs with a weight
// each, and gives what its terms add up to.
fn sum_up(row: u32, weights: vec2<f32>, invocation: Invocation) -> Row {
    let i = stripe.begin + row;
    var pairs: Pairs;
    var losses = vec2(0.0);
    var steepness = 0.0;
    var nonzero = vec2(0u);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        let positive = select(vec4(0.0), positive_hinges(d), kinds == vec4(POSITIVE));
        let negative = select(vec4(0.0), negative_hinges(d), kinds == vec4(NEGATIVE));
        let own = weights_of_pairs(i, quad);
        losses += vec2(sum_of(own * terms_of(positive)), sum_of(own * terms_of(negative)));
        nonzero += vec2(
            count_of((kinds == vec4(POSITIVE)) & are_counted(positive)),
            count_of((kinds == vec4(NEGATIVE)) & are_counted(negative)),
        );
        let slopes = own * slopes_of(positive, negative, weights);
        steepness += sum_of(slopes);
        coefficients[row * quads() + quad] = coefficients_from(slopes, d);
    }
    let sums = workgroup_sum(vec4(losses, pairs.distances), invocation);
    let counts = workgroup_count(vec4(pairs.counts, nonzero), invocation);
    var summary = row_of_pairs(sums.zw, counts.xy);
    summary.loss = sums.x;
    summary.negative_loss = sums.y;
    summary.nonzero_positives = counts.z;
    summary.nonzero_negatives = counts.w;
    summary.terms.x = counts.x + counts.y;
    summary.nonzero.x = counts.z + counts.w;
    if (has_slopes_of_its_own()) {
        summary.learned_slopes.x = -workgroup_sum(vec4(steepness, 0.0, 0.0, 0.0), invocation).x;
    }
    return summary;
}
