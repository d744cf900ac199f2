// Generalized lifted structured loss. Per anchor i with positives p and negatives n:
//
//   term  h = max(0, log sum_p exp(d(i, p)) + log sum_n exp(margin - d(i, n)))
//   slope of d(i, p)   exp(d(i, p)) / sum_p exp(d(i, p))      where h > 0, else 0
//   slope of d(i, n)  -exp(-d(i, n)) / sum_n exp(-d(i, n))    where h > 0, else 0
//
// Without positives or without negatives there is no term, and all slopes are 0. The sums and the
// coefficients are in terms/levels.wgsl.

// #include "terms/levels.wgsl"

struct Parameters {
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn rates() -> vec2<f32> {
    return vec2(1.0);
}

fn heights(is_positive: vec4<bool>, d: vec4<f32>) -> vec4<f32> {
    return select(-d, d, is_positive);
}

fn are_taken(is_positive: vec4<bool>, d: vec4<f32>, tops: vec2<f32>) -> vec4<bool> {
    return vec4(true);
}

fn pace(is_positive: bool, d: f32) -> f32 {
    return 1.0;
}

fn term_of(levels: Levels) -> Term {
    let exists = all(levels.counts > vec2(0u));
    let logarithms = log(levels.sums);
    let reach =
        (levels.tops.x + levels.tops.y + parameters.margin) + (logarithms.x + logarithms.y);
    let is_nonzero = exists && reach > 0.0;
    return Term(
        select(0.0, reach, is_nonzero), vec2(select(0.0, 1.0, is_nonzero)), exists, is_nonzero,
    );
}
