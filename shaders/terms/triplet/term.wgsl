// The term of a triplet with positive distance p and negative distance n:
//
//   max(0, p - n + margin)        slope of p: 1 where it is not 0
//   SOFT  log(1 + exp(p - n))     slope of p: sigmoid(p - n)
//
// The slope of n is the negated slope of p.

// #include "shared/exponential.wgsl"

struct Parameters {
    margin: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

override SOFT: u32 = 0u;

fn triplet_term(p: f32, n: f32) -> f32 {
    if (SOFT == 1u) {
        return softplus(p - n);
    }
    return max(0.0, p - n + parameters.margin);
}

fn triplet_slope(p: f32, n: f32) -> f32 {
    if (SOFT == 1u) {
        return sigmoid(p - n);
    }
    return select(0.0, 1.0, p - n + parameters.margin > 0.0);
}

// 1 for a term that counts as non-zero. A softplus is never 0, though f32 may round it so.
fn triplet_nonzero(term: f32) -> u32 {
    return select(0u, 1u, SOFT == 1u || term > 0.0);
}
