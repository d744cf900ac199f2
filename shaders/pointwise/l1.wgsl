// L1 regulariser: strength |w|, with derivative 0 at 0

// #include "pointwise/elements.wgsl"

struct Parameters {
    strength: f32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn term_of(w: f32, _nothing: f32) -> Term {
    let slope = parameters.strength * sign(w);
    return Term(parameters.strength * abs(w), slope, parameters.strength > 0.0 && w != 0.0);
}
