// Margin loss of Wu et al. over all pairs: the hinges are in terms/margin/term.wgsl, the sums over
// the pairs in terms/pairs.wgsl.

// #include "terms/pairs.wgsl"
// #include "terms/margin/term.wgsl"

struct Parameters {
    alpha: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

// The weights are 1.
fn slopes_of(positive: vec4<f32>, negative: vec4<f32>, weights: vec2<f32>) -> vec4<f32> {
    let of_negative = select(vec4(0.0), vec4(-1.0), are_steep(negative));
    return select(of_negative, vec4(1.0), are_steep(positive));
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row >= stripe_rows()) {
        return;
    }
    let i = stripe.begin + row;
    boundary = beta_of(i);
    var summary = sum_up(row, vec2(1.0), invocation);
    if (!has_slopes_of_its_own()) {
        summary.learned_slopes.x =
            f32(i32(summary.nonzero_negatives) - i32(summary.nonzero_positives));
    }
    if (invocation.index == 0u) {
        rows[i] = summary;
    }
}
