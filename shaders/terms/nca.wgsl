// NCA loss, also the soft nearest neighbour loss. With the logits l(i, j) = -d(i, j) / temperature,
// the log-sum-exps P(i) of the positives' and N(i) of the negatives', and S(i) = sigmoid(N - P),
// per anchor i:
//
//   term  -log(sum_p exp(l(i, p)) / sum_j exp(l(i, j))) = log(1 + exp(N(i) - P(i)))
//   slope of d(i, p)   S(i) exp(l(i, p) - P(i))
//   slope of d(i, n)  -S(i) exp(l(i, n) - N(i))
//
// Both slopes lack the factor 1 / temperature, which is applied with the reduction. Without
// positives there is no term; without negatives it is 0, and so are the slopes. The sums and the
// coefficients are in terms/levels.wgsl.

// #include "terms/levels.wgsl"

struct Parameters {
    inverse_temperature: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn rates() -> vec2<f32> {
    return vec2(parameters.inverse_temperature);
}

fn heights(is_positive: vec4<bool>, d: vec4<f32>) -> vec4<f32> {
    return -d;
}

fn are_taken(is_positive: vec4<bool>, d: vec4<f32>, tops: vec2<f32>) -> vec4<bool> {
    return vec4(true);
}

fn pace(is_positive: bool, d: f32) -> f32 {
    return 1.0;
}

fn term_of(levels: Levels) -> Term {
    let exists = levels.counts.x > 0u;
    let is_nonzero = exists && levels.counts.y > 0u;
    let logarithms = log(levels.sums);
    // At low temperatures the difference of two distances keeps digits that logits have lost.
    let over = (levels.tops.y - levels.tops.x) * parameters.inverse_temperature
        + (logarithms.y - logarithms.x);
    return Term(
        select(0.0, softplus(over), is_nonzero),
        vec2(select(0.0, sigmoid(over), is_nonzero)),
        exists,
        is_nonzero,
    );
}
