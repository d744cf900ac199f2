// The term of a triplet with positive distance p and negative distance n:
//
//   max(0, p - n + margin)        slope of p: 1 where it is not 0
//   SOFT  log(1 + exp(p - n))     slope of p: sigmoid(p - n)
//
// The slope of n is the negated slope of p. With thresholds only the terms within count.

// #include "shared/exponential.wgsl"
// #include "terms/thresholds.wgsl"

struct Parameters {
    margin: f32,
    low: f32,
    high: f32,
    given: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override SOFT: u32 = 0u;

fn whole_term(p: f32, n: f32) -> f32 {
    if (SOFT == 1u) {
        return softplus(p - n);
    }
    return max(0.0, p - n + parameters.margin);
}

fn triplet_term(p: f32, n: f32) -> f32 {
    let term = whole_term(p, n);
    return select(0.0, term, is_within(term));
}

fn triplet_slope(p: f32, n: f32) -> f32 {
    if (parameters.given != 0u && !is_within(whole_term(p, n))) {
        return 0.0;
    }
    if (SOFT == 1u) {
        return sigmoid(p - n);
    }
    return select(0.0, 1.0, p - n + parameters.margin > 0.0);
}

// 1 for a term that counts as non-zero, or as within thresholds. A softplus is never 0, though f32
// may round it so.
fn triplet_nonzero(p: f32, n: f32) -> u32 {
    let term = whole_term(p, n);
    if (parameters.given != 0u) {
        return select(0u, 1u, is_within(term));
    }
    return select(0u, 1u, SOFT == 1u || term > 0.0);
}
