// Circle loss, by cosines s(i, j) = 1 - d(i, j). With the paces of positives p and negatives n,
//
//   a(i, p) = max(0, 1 + margin - s(i, p)) = d(i, p) + margin
//   a(i, n) = max(0, s(i, n) + margin)     = max(0, 1 + margin - d(i, n))
//
// and the log-sum-exps P(i) of gamma a(i, p) (d(i, p) - margin) and N(i) of
// gamma a(i, n) (1 - margin - d(i, n)), per anchor i that has both:
//
//   term  log(1 + exp(P(i) + N(i)))
//   slope of d(i, p)   Z(i) a(i, p) exp(gamma a(i, p) (d(i, p) - margin) - P(i))
//   slope of d(i, n)  -Z(i) a(i, n) exp(gamma a(i, n) (1 - margin - d(i, n)) - N(i))
//
// with Z(i) = sigmoid(P(i) + N(i)). Paces are constants for the slopes, which lack the factor
// gamma: it is applied with the reduction. The sums and the coefficients are in terms/levels.wgsl.

// #include "terms/levels.wgsl"

struct Parameters {
    margin: f32,
    gamma: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn rates() -> vec2<f32> {
    return vec2(parameters.gamma);
}

fn paces(is_positive: vec4<bool>, d: vec4<f32>) -> vec4<f32> {
    let positive = d + parameters.margin;
    let negative = max(vec4(0.0), 1.0 + parameters.margin - d);
    return select(negative, positive, is_positive);
}

fn heights(is_positive: vec4<bool>, d: vec4<f32>) -> vec4<f32> {
    let positive = d - parameters.margin;
    let negative = 1.0 - parameters.margin - d;
    return paces(is_positive, d) * select(negative, positive, is_positive);
}

fn are_taken(is_positive: vec4<bool>, d: vec4<f32>, tops: vec2<f32>) -> vec4<bool> {
    return vec4(true);
}

fn pace(is_positive: bool, d: f32) -> f32 {
    return paces(vec4(is_positive), vec4(d)).x;
}

fn term_of(levels: Levels) -> Term {
    let exists = all(levels.counts > vec2(0u));
    let logarithms = log(levels.sums);
    let over = parameters.gamma * (levels.tops.x + levels.tops.y)
        + (logarithms.x + logarithms.y);
    return Term(
        select(0.0, softplus(over), exists),
        vec2(select(0.0, sigmoid(over), exists)),
        exists,
        exists,
    );
}
