// L2 regulariser: strength w^2

// #include "pointwise/elements.wgsl"

struct Parameters {
    strength: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn term_of(w: f32, _nothing: f32) -> Term {
    let slope = 2.0 * parameters.strength * w;
    return Term(parameters.strength * w * w, slope, parameters.strength > 0.0 && w != 0.0);
}
