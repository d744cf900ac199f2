// Elastic net: l1_strength |w| + l2_strength w^2, with derivative 0 at 0

// #include "pointwise/elements.wgsl"

struct Parameters {
    l1_strength: f32,
    l2_strength: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn term_of(w: f32, _nothing: f32) -> Term {
    let value = parameters.l1_strength * abs(w) + parameters.l2_strength * w * w;
    let slope = parameters.l1_strength * sign(w) + 2.0 * parameters.l2_strength * w;
    return Term(value, slope, max(parameters.l1_strength, parameters.l2_strength) > 0.0 && w != 0.0);
}
