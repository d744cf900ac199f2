// The term of a pair in the margin loss of Wu et al., at distance d with the boundary beta of the
// anchor:
//
//   positive  max(0, d - beta + alpha)    d term / d d = 1, d term / d beta = -1 where it is not 0
//   negative  max(0, beta - d + alpha)    d term / d d = -1, d term / d beta = 1 where it is not 0
//
// With thresholds only the terms within count, and have slopes.
//
// The file that includes it adds
//
//   struct Parameters { alpha: f32, low: f32, high: f32, given: u32 }   may have more members
//   var<uniform> parameters: Parameters

// #include "terms/row.wgsl"
// #include "terms/thresholds.wgsl"

override BETA_PER_CLASS: u32 = 0u;

// Of the anchor that the workgroup is for.
var<private> boundary: f32;

fn beta_of(i: u32) -> f32 {
    if (BETA_PER_CLASS == 1u) {
        return learned[labels[i]];
    }
    return learned[0];
}

fn positive_hinges(d: vec4<f32>) -> vec4<f32> {
    return max(vec4(0.0), d - boundary + parameters.alpha);
}

fn negative_hinges(d: vec4<f32>) -> vec4<f32> {
    return max(vec4(0.0), boundary - d + parameters.alpha);
}

// Whether terms are greater than 0 or, with thresholds, within.
fn are_counted(hinges: vec4<f32>) -> vec4<bool> {
    return select(hinges > vec4(0.0), are_within(hinges), vec4(parameters.given != 0u));
}

fn terms_of(hinges: vec4<f32>) -> vec4<f32> {
    return select(vec4(0.0), hinges, are_within(hinges));
}

fn are_steep(hinges: vec4<f32>) -> vec4<bool> {
    return (hinges > vec4(0.0)) & are_within(hinges);
}
