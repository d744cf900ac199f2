// Huber's loss of r = p - t: r^2 / 2 where |r| <= delta, else delta (|r| - delta / 2)
//
// Both are c (|r| - c / 2) with c = min(|r|, delta).

// #include "pointwise/elements.wgsl"

struct Parameters {
    delta: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn term_of(p: f32, t: f32) -> Term {
    let r = p - t;
    let c = min(abs(r), parameters.delta);
    return Term(c * (abs(r) - 0.5 * c), clamp(r, -parameters.delta, parameters.delta), p != t);
}
