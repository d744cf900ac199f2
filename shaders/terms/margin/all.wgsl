// Margin loss of Wu et al. over all pairs: the term is in terms/margin/term.wgsl.
// One workgroup per row; one read of its distances, one write of its coefficients.

// #include "terms/row.wgsl"
// #include "terms/coefficient_quads.wgsl"
// #include "terms/margin/term.wgsl"

struct Parameters {
    alpha: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    let boundary = beta_of(i);
    var pairs: Pairs;
    var losses = vec2(0.0);
    var nonzero = vec2(0u);
    for (var quad = invocation.index; quad < quads(); quad += WORKGROUP) {
        let kinds = relations(i, quad);
        let d = distances_of(row, quad, kinds);
        see_pairs(&pairs, kinds, d);
        let positive = select(vec4(0.0), positive_terms(d, boundary), kinds == vec4(POSITIVE));
        let negative = select(vec4(0.0), negative_terms(d, boundary), kinds == vec4(NEGATIVE));
        losses += vec2(sum_of(positive), sum_of(negative));
        nonzero += vec2(count_of(positive > vec4(0.0)), count_of(negative > vec4(0.0)));
        let slopes = select(select(vec4(0.0), vec4(-1.0), negative > vec4(0.0)), vec4(1.0), positive > vec4(0.0));
        coefficients[row * quads() + quad] = coefficients_from(slopes, d);
    }
    let sums = workgroup_sum(vec4(losses, pairs.positive_distance, pairs.negative_distance), invocation);
    let counts = workgroup_count(vec4(pairs.positives, pairs.negatives, nonzero), invocation);
    if (invocation.index == 0u) {
        rows[i] = Row(
            sums.x, sums.y, sums.z, sums.w, counts.x, counts.y, counts.z, counts.w,
            vec2(counts.x + counts.y, 0u), vec2(counts.z + counts.w, 0u), f32(i32(counts.w) - i32(counts.z)), 0u,
        );
    }
}
