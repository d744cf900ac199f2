// Multi-similarity loss. Per anchor i, with A(i) = log sum_p exp(alpha (d(i, p) - base)) over the
// positives p and B(i) = log sum_n exp(beta (base - d(i, n))) over the negatives n that are taken:
//
//   term  log(1 + exp(A(i))) / alpha + log(1 + exp(B(i))) / beta
//   slope of d(i, p)   sigmoid(A(i)) exp(alpha (d(i, p) - base) - A(i))
//   slope of d(i, n)  -sigmoid(B(i)) exp(beta (base - d(i, n)) - B(i))
//
// Where it MINES, a positive is taken if d(i, p) + epsilon is beyond the nearest negative, and a
// negative if d(i, n) - epsilon is nearer than the farthest positive; else all are taken. The sums
// and the coefficients are in terms/levels.wgsl.

// #include "terms/levels.wgsl"

struct Parameters {
    alpha: f32,
    beta: f32,
    base: f32,
    epsilon: f32,
    mines: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn rates() -> vec2<f32> {
    return vec2(parameters.alpha, parameters.beta);
}

fn heights(is_positive: vec4<bool>, d: vec4<f32>) -> vec4<f32> {
    return select(-d, d, is_positive);
}

// The tops are the farthest positive, and less the nearest negative.
fn are_taken(is_positive: vec4<bool>, d: vec4<f32>, tops: vec2<f32>) -> vec4<bool> {
    let is_far = d + parameters.epsilon > vec4(-tops.y);
    let is_near = d - parameters.epsilon < vec4(tops.x);
    return select(is_near, is_far, is_positive) | vec4(parameters.mines == 0u);
}

fn pace(is_positive: bool, d: f32) -> f32 {
    return 1.0;
}

// Which kinds of pairs have any that is taken: then its first is the one at the top.
fn have_any(levels: Levels) -> vec2<bool> {
    let has = levels.counts > vec2(0u);
    let first = vec2(levels.tops.x, -levels.tops.y);
    let taken = are_taken(vec4(true, false, true, false), first.xyxy, levels.tops).xy;
    return has & taken & vec2(all(has) || parameters.mines == 0u);
}

// Both logarithms over their rates, which are differences of distances: nothing overflows.
fn term_of(levels: Levels) -> Term {
    let has = have_any(levels);
    let base = vec2(-parameters.base, parameters.base);
    let reach = (levels.tops + base) + log(levels.sums) / rates();
    let over = rates() * reach;
    let small = exp(-abs(over));
    let tails = vec2(log_one_plus(small.x), log_one_plus(small.y)) / rates();
    let losses = select(vec2(0.0), max(reach, vec2(0.0)) + tails, has);
    let weights = select(vec2(0.0), vec2(sigmoid(over.x), sigmoid(over.y)), has);
    return Term(losses.x + losses.y, weights, any(levels.counts > vec2(0u)), any(has));
}
