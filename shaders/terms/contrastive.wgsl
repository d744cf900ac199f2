// Contrastive loss. Per pair at distance d:
//
//   positive  h^POWER   h = max(0, d - positive_margin)   slope   POWER h^(POWER - 1)
//   negative  h^POWER   h = max(0, negative_margin - d)   slope  -POWER h^(POWER - 1)
//
// With thresholds only the pairs count whose term is within. The sums over the pairs are in
// terms/pairs.wgsl.

// #include "terms/pairs.wgsl"
// #include "terms/thresholds.wgsl"

struct Parameters {
    positive_margin: f32,
    negative_margin: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override POWER: u32 = 2u;
// 1: the mean of the positives that count plus the mean of such negatives, with the numbers from
// `statistics`.
override SPLIT_MEAN: u32 = 0u;

fn positive_hinges(d: vec4<f32>) -> vec4<f32> {
    return max(vec4(0.0), d - parameters.positive_margin);
}

fn negative_hinges(d: vec4<f32>) -> vec4<f32> {
    return max(vec4(0.0), parameters.negative_margin - d);
}

fn powers_of(hinges: vec4<f32>) -> vec4<f32> {
    if (POWER == 1u) {
        return hinges;
    }
    return hinges * hinges;
}

fn are_in(hinges: vec4<f32>) -> vec4<bool> {
    return are_within(powers_of(hinges));
}

fn are_counted(hinges: vec4<f32>) -> vec4<bool> {
    return select(hinges > vec4(0.0), are_in(hinges), vec4(parameters.given != 0u));
}

fn terms_of(hinges: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), powers_of(hinges), are_in(hinges));
}

fn hinge_slopes(hinges: vec4<f32>) -> vec4<f32> {
    let is_steep = are_in(hinges);
    if (POWER == 1u) {
        return select(vec4(0.0), vec4(1.0), (hinges > vec4(0.0)) & is_steep);
    }
    return select(vec4(0.0), 2.0 * hinges, is_steep);
}

fn slopes_of(positive: vec4<f32>, negative: vec4<f32>, weights: vec2<f32>) -> vec4<f32> {
    return weights.x * hinge_slopes(positive) - weights.y * hinge_slopes(negative);
}

fn work(row: u32, weights: vec2<f32>, invocation: Invocation) {
    let summary = sum_up(row, weights, invocation);
    if (invocation.index == 0u) {
        rows[stripe.begin + row] = summary;
    }
}

// Fills `rows`, from which the totals of the batch are made.
@compute @workgroup_size(WORKGROUP)
fn statistics(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row < stripe_rows()) {
        work(row, vec2(1.0), invocation);
    }
}

@compute @workgroup_size(WORKGROUP)
fn main(group: Group, invocation: Invocation) {
    let row = number_on_stripe(group);
    if (row < stripe_rows()) {
        var weights = vec2(1.0);
        if (SPLIT_MEAN == 1u) {
            weights = vec2(totals.positive_weight, totals.negative_weight);
        }
        work(row, weights, invocation);
    }
}
