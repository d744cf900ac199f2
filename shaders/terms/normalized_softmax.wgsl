// Normalized softmax loss: the cross-entropy of similarities to one prototype a class. The sums and
// the coefficients are in terms/classes.wgsl.

// #include "terms/nearest_center.wgsl"

struct Parameters {
    scale: f32,
    centers: u32,
}

@group(0) @binding(1) var<uniform> parameters: Parameters;

fn own_of(d: f32) -> Own {
    return Own(d, 1.0);
}
